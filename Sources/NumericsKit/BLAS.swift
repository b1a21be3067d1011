import COpenBLAS

/// Matrix operations of OpenBLAS, always single-threaded.
public enum BLAS {
  /// Makes OpenBLAS single-threaded for this process. Idempotent; call before any other use: another number of threads
  /// gives other bits.
  public static func prepare() { _ = isSingleThreaded }

  /// Once for a process.
  private static let isSingleThreaded: Void = openblas_set_num_threads(1)

  /// The CPU core that OpenBLAS chose its code for, for example `SkylakeX`.
  public static let coreName = openblas_get_corename().map { String(cString: $0) } ?? "unknown"

  /// OpenBLAS's version and build options. Read once, because `openblas_get_config` writes it anew into one static
  /// buffer at every call, which two threads must not do at once.
  public static let configuration = openblas_get_config().map { String(cString: $0) } ?? "unknown"
}
