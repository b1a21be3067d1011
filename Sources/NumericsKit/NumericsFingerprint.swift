import CKernels

/// What decides the bits of a computation on this machine: equal fingerprints mean equal bits.
public struct NumericsFingerprint: Hashable, Sendable, Codable {
  /// SHA-256 (hexadecimal) of fixed matrix products, kernel, exp and log results.
  public let digest: String
  /// OpenBLAS's core name, for example `SkylakeX`.
  public let blasCore: String
  /// OpenBLAS's configuration string (version and options).
  public let blasConfiguration: String
  /// The kernel clone in use: `x86-64-v4`, `x86-64-v3` or `default`.
  public let kernelVariant: String

  /// Computes this process's fingerprint (about a millisecond). Call `BLAS.prepare()` first.
  public static func measure() -> NumericsFingerprint {
    var probe = NumericsProbe()
    probe.multiplyMatrices()
    probe.runKernels()
    probe.callMathLibrary()
    return NumericsFingerprint(
      digest: probe.finish(), blasCore: BLAS.coreName, blasConfiguration: BLAS.configuration,
      kernelVariant: currentKernelVariant)
  }

  /// The kernel clone that this process uses.
  public static var currentKernelVariant: String {
    isomix_kernel_variant().map { String(cString: $0) } ?? "default"
  }
}
