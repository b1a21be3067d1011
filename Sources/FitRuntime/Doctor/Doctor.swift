import Foundation
import NumericsKit
import ZeroMQTransport

/// Looks at the machine as a fit would find it.
public struct Doctor: Sendable {
  /// Folder of prepared data.
  public var cache: String

  public init(cache: String? = nil) { self.cache = cache ?? FitService.defaultCache() }

  /// All checks, in the order in which they are shown.
  /// - Throws: ``RuntimeError`` when this program can't even read itself.
  public func examine() throws -> [DoctorCheck] {
    let identity = try Identity.measure()
    return [
      DoctorCheck("program", "isomix \(Identity.version), build \(identity.build), on \(identity.host)")
    ] + libraries(identity) + [
      numerics(identity), DoctorResources.cores(), DoctorResources.memory(), DoctorResources.descriptors(),
      DoctorNetwork.sockets(), DoctorNetwork.ports(), DoctorNetwork.addresses(), clock(),
      folder("cache", cache),
      folder("temporary folder", ProcessInfo.processInfo.environment["TMPDIR"] ?? "/tmp"),
    ]
  }

  private func libraries(_ identity: Identity) -> [DoctorCheck] {
    [
      ZeroMQLibrary.hasCurve
        ? DoctorCheck("ZeroMQ", "libzmq \(ZeroMQLibrary.version), with CURVE encryption")
        : DoctorCheck(
          "ZeroMQ", .warning, "libzmq \(ZeroMQLibrary.version), without CURVE encryption",
          advice: "--keys can't be used: install a libzmq that was built with libsodium (Debian's libzmq5 is)"
        ),
      openBLAS(identity.fingerprint),
      DoctorCheck("OpenSSL", CryptoLibrary.version),
    ]
  }

  private func openBLAS(_ print: NumericsFingerprint) -> DoctorCheck {
    let finding =
      BLAS.configuration.split(separator: " ").prefix(2).joined(separator: " ")
      + ", code for \(print.blasCore)"
    guard let better = BLASCode.better(than: print.blasCore, kernels: print.kernelVariant) else {
      return DoctorCheck("OpenBLAS", finding)
    }
    return DoctorCheck(
      "OpenBLAS", .warning, finding,
      advice: "slow on this CPU: set \(BLASCode.variable)=\(better), on all hosts alike")
  }

  private func numerics(_ identity: Identity) -> DoctorCheck {
    let print = identity.fingerprint
    let finding = "kernels \(print.kernelVariant), fingerprint \(print.digest.prefix(16))"
    guard print.kernelVariant != "default" else {
      return DoctorCheck(
        "numerics", .warning, finding,
        advice:
          "this CPU has no AVX2 and FMA: fits are slow, and their bits are not those of machines that have")
    }
    return DoctorCheck(
      "numerics", finding + " (machines whose fingerprints are equal give the same bits)")
  }

  private func clock() -> DoctorCheck {
    let now = Date()
    // A clock that was never set starts in 1970, or at the firmware's date.
    guard now > Date(timeIntervalSince1970: 1_704_067_200) else {
      return DoctorCheck(
        "clock", .failed, "the clock says \(now)",
        advice: "set it: a coordinator's restarts are told apart by it")
    }
    let finding = "the clock says \(now)"
    return switch Int(DoctorNetwork.clockIsSynchronized) {
    case 1: DoctorCheck("clock", finding + ", synchronised")
    case 0:
      DoctorCheck(
        "clock", .warning, finding + ", and nothing keeps it synchronised",
        advice: "run chrony or systemd-timesyncd where coordinators are restarted on other machines")
    default: DoctorCheck("clock", finding + "; whether it is synchronised can't be told here")
    }
  }

  private func folder(_ name: String, _ path: String) -> DoctorCheck {
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
      let probe = "\(path)/.isomix-doctor-\(ProcessInfo.processInfo.processIdentifier)"
      guard FileManager.default.createFile(atPath: probe, contents: Data([0])) else {
        return DoctorCheck(
          name, .failed, "\(path) can't be written to",
          advice: name == "cache" ? "give another with --cache, or set XDG_CACHE_HOME" : "set TMPDIR")
      }
      try? FileManager.default.removeItem(atPath: probe)
      let attributes = try FileManager.default.attributesOfFileSystem(forPath: path)
      let free = (attributes[.systemFreeSize] as? NSNumber)?.int64Value ?? 0
      let finding = "\(path), \(DoctorResources.gibibytes(free)) free"
      guard free > 1 << 30 else {
        return DoctorCheck(
          name, .warning, finding, advice: "prepared data and checkpoints need room: make some")
      }
      return DoctorCheck(name, finding)
    } catch {
      return DoctorCheck(
        name, .failed, "\(path) can't be made or read",
        advice: name == "cache" ? "give another with --cache, or set XDG_CACHE_HOME" : "set TMPDIR")
    }
  }
}
