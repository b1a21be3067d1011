import COpenBLAS

/// Matrix operations of OpenBLAS, always single-threaded.
public enum BLAS {
  /// Makes OpenBLAS single-threaded for this process. Idempotent; call before any other use.
  public static func prepare() { openblas_set_num_threads(1) }
}
