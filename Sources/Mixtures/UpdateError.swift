/// Why an update step could not be taken.
public struct UpdateError: Error, Sendable, Equatable, CustomStringConvertible {
  /// What kind of failure; new codes may be added.
  public struct Code: Hashable, Sendable, CustomStringConvertible {
    public let rawValue: String

    /// The new variance is not positive.
    public static let variance = Code(rawValue: "variance-not-positive")
    /// The new covariance is not positive definite, or not finite.
    public static let covariance = Code(rawValue: "covariance-not-positive-definite")
    /// The new mean or variance is not finite.
    public static let notFinite = Code(rawValue: "not-finite")
    /// A shared-variance rule was given components of different variances.
    public static let unequalVariances = Code(rawValue: "unequal-variances")
    /// The gradient's sizes don't match the mixture's.
    public static let shape = Code(rawValue: "shape")

    public var description: String { rawValue }
  }

  public let code: Code
  /// A sentence that says what happened and what to do.
  public let message: String
  /// The component (from 0) that is to blame, when one is.
  public let component: Int?

  public init(code: Code, message: String, component: Int? = nil) {
    self.code = code
    self.message = message
    self.component = component
  }

  public var description: String { message }
}
