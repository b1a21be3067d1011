import Foundation
import Glibc
import NumericsKit

/// OpenBLAS's choice of code, mended where it does not know the CPU.
///
/// A CPU younger than the library gets its oldest code, `Prescott` (SSE3), although it has AVX2 or AVX-512
/// (OpenBLAS issue 4267); products of matrices then take several times as long.
public enum BLASCode {
  static let variable = "OPENBLAS_CORETYPE"
  private static let oldest = "Prescott"

  /// The code to use instead of the one that OpenBLAS chose, or `nil` where that will do.
  package static func better(than core: String, kernels variant: String) -> String? {
    guard core == oldest else { return nil }
    return ["x86-64-v4": "SkylakeX", "x86-64-v3": "Haswell"][variant]
  }

  /// Starts the program anew, in the same process, with the better code if there is one and the environment names none.
  ///
  /// OpenBLAS chooses while it is loaded, so this is the only way to tell it. Call it before anything else. It returns
  /// where nothing is to be done, and where the program can't be started anew: `isomix doctor` then says that the code
  /// is slow.
  public static func prepare() {
    guard getenv(variable) == nil,
      let better = better(than: BLAS.coreName, kernels: NumericsFingerprint.currentKernelVariant),
      let program = try? Identity.executablePath(),
      // The program of somebody who calls the dynamic linker by name is that linker.
      !URL(fileURLWithPath: program).lastPathComponent.hasPrefix("ld-")
    else { return }
    setenv(variable, better, 1)
    execv(program, CommandLine.unsafeArgv)
    unsetenv(variable)
  }
}
