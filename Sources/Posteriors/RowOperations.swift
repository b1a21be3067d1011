/// What a row costs under one parameter vector, for targets that are not a linear predictor for every d / columns
/// coordinates. Decides how work is cut, never a result.
public struct RowOperations: Sendable, Hashable, Codable {
  /// Multiply-adds of a value; a gradient has twice as many.
  public var products: Int
  /// Elementary functions.
  public var functions: Int

  public init(products: Int, functions: Int) {
    self.products = products
    self.functions = functions
  }
}

extension LogDensity {
  /// Those of linear predictors.
  public var rowOperations: RowOperations? { nil }
}
