import NumericsKit

/// A target whose density is computed by somebody else's code: a model in a shared library.
///
/// It holds its data itself, in *shards* that take the place of rows; nobody knows what an evaluation costs; and it may
/// *reject* a point, where it has no density: V there is `+∞`, and nothing is added to the gradient. Whoever sums over
/// samples leaves rejected ones out and counts them; NaN never appears.
public protocol ForeignDensity: LogDensity {
  /// Parts of V besides the base; 0 when the base is all of it.
  var shardCount: Int { get }

  /// Adds the part of V of some shards, and of its gradient; arguments as in `accumulateBase`.
  func accumulateShards(
    _ shards: Range<Int>, points: UnsafePointer<Double>, count: Int, value: UnsafeMutablePointer<Double>,
    gradient: UnsafeMutablePointer<Double>?, workspace: DensityWorkspace)

  /// Evaluates the target here and there before a process begins to work with it.
  /// - Throws: an error in words when it can't be used.
  func check() throws
}

extension ForeignDensity {
  /// None: its data are its own.
  public var designColumns: Int { 0 }

  public func accumulateRows(
    _ rows: RowBlock, points: UnsafePointer<Double>, count: Int, value: UnsafeMutablePointer<Double>,
    gradient: UnsafeMutablePointer<Double>?, workspace: DensityWorkspace
  ) {}

  public func accumulateScores(
    _ rows: RowBlock, draws: UnsafePointer<Double>, count: Int, into scores: inout PredictiveScores,
    workspace: DensityWorkspace
  ) {}
}
