/// What went wrong with a data file, an imported folder or a cache: what happened, where, what to do.
public struct DatasetError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The kind of failure; each has one exit code.
  public enum Code: String, Sendable, Hashable {
    /// A named file or folder does not exist or can't be read.
    case noInput
    /// The content of a file is not what it has to be.
    case badData
    /// A file or folder can't be written.
    case cannotWrite
    /// Data are no longer what they were when they were imported.
    case changed

    /// The exit code of a command that ends with this error (sysexits.h).
    public var exitCode: Int32 {
      switch self {
      case .noInput: 66
      case .badData, .changed: 65
      case .cannotWrite: 73
      }
    }
  }

  /// The kind of failure.
  public let code: Code
  /// A sentence for the user: where (file, line, column), what, and what to do.
  public let message: String

  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  public var description: String { message }
}
