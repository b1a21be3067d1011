import Coordination
import Foundation
import Glibc

/// The secret of a dashboard that other machines can reach.
enum DashboardToken {
  private static let leastLength = 16
  private static let mostLength = 256
  private static let randomBytes = 24

  /// A new one: 192 random bits.
  static func random() -> String {
    var generator = SystemRandomNumberGenerator()
    let bytes = (0..<randomBytes).map { _ in UInt8.random(in: 0...255, using: &generator) }
    return Data(bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_")
  }

  /// The one in a file.
  /// - Throws: ``RuntimeError``: 66 when there is no such file, 77 when everybody may read it, 65 when it is no token.
  static func read(_ path: String) throws -> String {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
    guard descriptor >= 0 else {
      throw RuntimeError(
        "can't read the dashboard's token at \(path): \(String(cString: strerror(errno)))",
        exitCode: ExitCode.noInput)
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw RuntimeError("\(path) is no file with a token", exitCode: ExitCode.badData)
    }
    guard status.st_mode & 0o007 == 0 else {
      throw RuntimeError(
        "everybody on this machine may read the dashboard's token at \(path): chmod 600 it",
        exitCode: ExitCode.notAuthorised)
    }
    var bytes = [UInt8](repeating: 0, count: mostLength + 2)
    let count = Glibc.read(descriptor, &bytes, bytes.count)
    let text = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
      .trimmingCharacters(in: .whitespacesAndNewlines)
    let isAllowed = text.utf8.allSatisfy { byte in
      (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
        || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) || "-_.~".utf8.contains(byte)
    }
    guard (leastLength...mostLength).contains(text.utf8.count), isAllowed else {
      throw RuntimeError(
        "\(path) holds no token: \(leastLength) to \(mostLength) letters, digits and - _ . ~ on one line are one "
          + "(openssl rand -hex 24 > FILE makes one)", exitCode: ExitCode.badData)
    }
    return text
  }
}
