/// What is wrong with a spec, where, and what to do.
public struct SpecificationError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The sentence for the user, starting with `file:line:column` where there is one.
  public let message: String

  public init(_ message: String) { self.message = message }

  public var description: String { message }
}
