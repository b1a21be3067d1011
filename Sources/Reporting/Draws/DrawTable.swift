import Inference
import Posteriors

/// Draws of a fit as a table: a row a draw, a column a number that users know by name.
public struct DrawTable {
  public let draws: FittedDraws
  /// What stands in the columns, in order.
  public let variables: [OutputVariable]
  /// Computes the variables; nil: θ itself.
  private let target: (any LogDensity)?
  private let maker: FittedDraws.Maker
  private let workspace = DensityWorkspace()

  /// Whether log π can be computed without rows.
  private let hasNoRows: Bool

  /// The output variables of a target.
  /// - Parameter hasNoRows: whether the target has no rows, so that log π can be computed.
  public init(_ draws: FittedDraws, of target: any LogDensity, hasNoRows: Bool) {
    self.draws = draws
    self.hasNoRows = hasNoRows
    self.target = target
    variables = target.outputVariables
    maker = draws.maker()
  }

  /// θ itself.
  public init(_ draws: FittedDraws, names: [String]) {
    self.draws = draws
    hasNoRows = false
    target = nil
    variables = names.map { OutputVariable(name: $0) }
    maker = draws.maker()
  }

  /// Number of columns.
  public var width: Int { variables.reduce(0) { $0 + $1.count } }

  /// A block of rows.
  struct Block {
    let count: Int
    /// Row-major `[count, width]`.
    let values: [Double]
    /// `log π`, `[count]`; nil where the target has rows, which are not here.
    let logTargets: [Double]?
  }

  /// The table in blocks.
  /// - Throws: `PosteriorError` when a variable can't be computed; what `body` throws.
  func forEachBlock(withTargets: Bool = false, _ body: (Block) throws -> Void) throws {
    let size = FittedDraws.blockSize(dimension: draws.dimension)
    let width = width
    for start in stride(from: 0, to: draws.count, by: size) {
      let count = min(size, draws.count - start)
      let positions = maker.make(start..<start + count).positions
      guard let target else {
        try body(Block(count: count, values: positions, logTargets: nil))
        continue
      }
      var values = [Double](repeating: 0, count: count * width)
      try target.computeOutputs(points: positions, count: count, into: &values, workspace: workspace)
      let logTargets = withTargets && hasNoRows ? target.logDensitiesWithoutRows(positions, workspace) : nil
      try body(Block(count: count, values: values, logTargets: logTargets))
    }
  }
}
