import Foundation
import Glibc
import NumericsKit
import Wire

/// What this process is: version, build and numerics, as the handshake compares them.
public struct Identity: Sendable {
  /// The software's version.
  public static let version = "0.1.0"

  public let build: String
  public let host: String
  public let fingerprint: NumericsFingerprint

  /// Measures this process (some milliseconds) and makes OpenBLAS single-threaded.
  /// - Parameter isAlone: whether it will work without others, whose build would be compared with its own.
  public static func measure(isAlone: Bool = false) throws -> Identity {
    BLAS.prepare()
    return Identity(
      build: isAlone ? "alone" : try executableDigest(), host: hostName,
      fingerprint: NumericsFingerprint.measure())
  }

  /// The fingerprint in words.
  var numerics: String {
    "BLAS core \(fingerprint.blasCore), kernels \(fingerprint.kernelVariant), "
      + "digest \(fingerprint.digest.prefix(12))"
  }

  static var hostName: String {
    var buffer = [CChar](repeating: 0, count: 256)
    guard gethostname(&buffer, buffer.count - 1) == 0 else { return "localhost" }
    return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// The path of this executable.
  static func executablePath() throws -> String {
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
    let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
    guard count > 0 else { throw RuntimeError.system("can't find this program's own file") }
    return String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// The first digits of the SHA-256 of this executable: equal builds compute alike.
  private static func executableDigest() throws -> String {
    // The kernel's link works even when the file has been replaced since the start.
    guard let data = FileManager.default.contents(atPath: "/proc/self/exe") else {
      throw RuntimeError.system("can't read this program's own file")
    }
    return String(data.withUnsafeBytes { Digest.of($0) }.description.prefix(16))
  }
}
