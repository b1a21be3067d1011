import Foundation

/// A folder of its own for a test, removed with it. Its path is short enough for sockets below it.
public final class TemporaryFolder: Sendable {
  public let path: String

  public init() throws {
    var template = Array("/tmp/ix-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw TestKitError("can't make a temporary folder") }
    path = String(decoding: template.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// The path of an entry.
  public func callAsFunction(_ name: String) -> String { "\(path)/\(name)" }

  /// Writes a file and returns its path.
  @discardableResult public func write(_ text: String, to name: String) throws -> String {
    try write(Data(text.utf8), to: name)
  }

  /// Writes a file and returns its path.
  @discardableResult public func write(_ bytes: Data, to name: String) throws -> String {
    try bytes.write(to: URL(fileURLWithPath: self(name)))
    return self(name)
  }
}

/// What went wrong in a test's own machinery.
public struct TestKitError: Error, CustomStringConvertible {
  public let description: String

  public init(_ description: String) { self.description = description }
}
