/// A result that can't be written or read, with the path and the reason.
public struct ReportingError: Error, Hashable, Sendable, CustomStringConvertible {
  public enum Code: Hashable, Sendable {
    /// Exit 73.
    case cannotWrite
    /// Exit 66.
    case noInput
    /// Exit 65.
    case badData
  }

  public let code: Code
  public let message: String

  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  public var description: String { message }
}
