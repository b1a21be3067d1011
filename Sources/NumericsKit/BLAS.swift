import COpenBLAS

/// Matrix operations of OpenBLAS, always single-threaded.
public enum BLAS {
  /// Makes OpenBLAS single-threaded for this process. Idempotent; call before any other use.
  public static func prepare() { openblas_set_num_threads(1) }

  /// The CPU core that OpenBLAS chose its code for, for example `SkylakeX`.
  public static var coreName: String { openblas_get_corename().map { String(cString: $0) } ?? "unknown" }

  /// OpenBLAS's version and build options.
  public static var configuration: String {
    openblas_get_config().map { String(cString: $0) } ?? "unknown"
  }
}
