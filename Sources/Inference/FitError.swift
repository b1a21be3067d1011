/// Why a fit can't be made or can't go on.
public struct FitError: Error, Sendable, CustomStringConvertible {
  public enum Code: Sendable {
    /// The spec or the data don't describe a fit that can be made (exit 65).
    case badInput
    /// A file that the spec names is not there (exit 66).
    case noInput
    /// The iteration left the space of mixtures (exit 65: a smaller step is needed).
    case diverged
    /// A fault of this program (exit 70).
    case software
  }

  public let code: Code
  public let message: String

  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  public var description: String { message }
}
