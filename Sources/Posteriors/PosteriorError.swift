import NumericsKit

/// Why a density could not be made from its parameters.
public struct PosteriorError: Error, Sendable, Equatable, CustomStringConvertible {
  /// What kind of failure; new codes may be added.
  public struct Code: Hashable, Sendable, CustomStringConvertible {
    public let rawValue: String

    /// Parameters whose sizes don't fit together.
    public static let shape = Code(rawValue: "shape")
    /// A number outside its range.
    public static let range = Code(rawValue: "range")
    /// A covariance that is not symmetric positive definite.
    public static let covariance = Code(rawValue: "covariance")

    public var description: String { rawValue }
  }

  public let code: Code
  /// A sentence that says what is wrong, where, and what is expected.
  public let message: String

  public init(code: Code, message: String) {
    self.code = code
    self.message = message
  }

  public var description: String { message }

  /// Checks a scale: positive and finite.
  static func requirePositive(_ value: Double, _ name: String) throws {
    guard value > 0, value.isFinite else {
      throw PosteriorError(code: .range, message: "\(name) must be a positive number, not \(value)")
    }
  }

  /// Checks that all numbers are finite.
  static func requireFinite(_ values: [Double], _ name: String) throws {
    if let index = values.firstIndex(where: { !$0.isFinite }) {
      throw PosteriorError(
        code: .range, message: "\(name)[\(index + 1)] must be a finite number, not \(values[index])")
    }
  }

  /// Checks mean and weight of a mixture's component; `number` counts from 1.
  static func requireComponent(_ mean: [Double], weight: Double, number: Int, dimension: Int) throws {
    guard mean.count == dimension else {
      throw PosteriorError(
        code: .shape,
        message: "mean of component \(number) must have \(dimension) numbers, not \(mean.count)")
    }
    try requireFinite(mean, "mean of component \(number), x")
    try requirePositive(weight, "weight of component \(number)")
  }

  /// Factors a covariance given as rows; `name` says whose it is.
  static func factor(_ covariance: [[Double]], dimension: Int, _ name: String) throws -> CholeskyFactor {
    guard covariance.count == dimension, covariance.allSatisfy({ $0.count == dimension }) else {
      throw PosteriorError(
        code: .shape, message: "\(name) must be \(dimension) rows of \(dimension) numbers")
    }
    for row in 0..<dimension {
      for column in 0..<row {
        let a = covariance[row][column]
        let b = covariance[column][row]
        guard abs(a - b) <= symmetryTolerance * max(abs(a), abs(b)) else {
          throw PosteriorError(
            code: .covariance,
            message: """
              \(name) is not symmetric: row \(row + 1), column \(column + 1) is \(a), but row \(column + 1), \
              column \(row + 1) is \(b)
              """)
        }
      }
    }
    guard let factor = CholeskyFactor(covariance.flatMap { $0 }, dimension: dimension) else {
      throw PosteriorError(code: .covariance, message: "\(name) is not positive definite")
    }
    return factor
  }

  /// How far mirrored entries of a covariance may differ, relatively: decimal input is rounded.
  private static let symmetryTolerance = 1e-9
}
