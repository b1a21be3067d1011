/// Why a Stan model can't be used.
public struct StanError: Error, Sendable, Equatable, CustomStringConvertible {
  /// What kind of failure; new codes may be added.
  public struct Code: Hashable, Sendable {
    public let rawValue: String

    /// A file that is not there or can't be read.
    public static let noInput = Code(rawValue: "no input")
    /// A library that is none, or not one of Stan models.
    public static let library = Code(rawValue: "library")
    /// Data that are not JSON or don't fit the model.
    public static let data = Code(rawValue: "data")
    /// A model that can't be evaluated, or not in the way it is asked to.
    public static let model = Code(rawValue: "model")
    /// A copy of the library that can't be written.
    public static let cannotWrite = Code(rawValue: "cannot write")
  }

  public let code: Code
  /// A sentence that says what is wrong, where, and what to do.
  public let message: String

  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  public var description: String { message }
}
