import COpenSSL

/// The library that computes digests.
public enum CryptoLibrary {
  /// For example `OpenSSL 3.0.17 1 Jul 2025`.
  public static var version: String { OpenSSL_version(0).map { String(cString: $0) } ?? "unknown" }
}
