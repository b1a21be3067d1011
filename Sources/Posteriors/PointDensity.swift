import NumericsKit

/// A target without data, one point at a time: the least that a density of one's own has to say.
///
///     struct Ring: PointDensity {
///       let dimension = 2
///       func evaluate(_ x: UnsafeBufferPointer<Double>, gradient: UnsafeMutableBufferPointer<Double>?) -> Double { … }
///     }
///
/// To give the same bits on every machine it must use functions that do: `VectorMath`'s, or + − × ÷ and square roots;
/// the C library's `exp` and `log` may differ in the last bit between CPUs.
public protocol PointDensity: LogDensity {
  /// `V(x) = −log π(x)`, up to a constant unless `logNormalizer` says otherwise, and its gradient `[d]`, to be written.
  func evaluate(_ x: UnsafeBufferPointer<Double>, gradient: UnsafeMutableBufferPointer<Double>?) -> Double
}

extension PointDensity {
  /// `x[1]`, `x[2]`, …
  public var parameterNames: [String] { (1...max(1, dimension)).map { "x[\($0)]" } }
  public var logNormalizer: Double? { nil }
  public var priorMoments: PriorMoments? { nil }
  public var designColumns: Int { 0 }

  public func accumulateBase(
    points: UnsafePointer<Double>, count: Int, value: UnsafeMutablePointer<Double>,
    gradient: UnsafeMutablePointer<Double>?, workspace: DensityWorkspace
  ) {
    withUnsafeTemporaryAllocation(of: Double.self, capacity: max(1, dimension)) { own in
      for s in 0..<count {
        let point = UnsafeBufferPointer(start: points + s * dimension, count: dimension)
        guard let gradient else {
          value[s] += evaluate(point, gradient: nil)
          continue
        }
        own.update(repeating: 0)
        value[s] += evaluate(point, gradient: UnsafeMutableBufferPointer(rebasing: own[..<dimension]))
        for k in 0..<dimension { gradient[s * dimension + k] += own[k] }
      }
    }
  }

  public func accumulateRows(
    _ rows: RowBlock, points: UnsafePointer<Double>, count: Int, value: UnsafeMutablePointer<Double>,
    gradient: UnsafeMutablePointer<Double>?, workspace: DensityWorkspace
  ) {}
}
