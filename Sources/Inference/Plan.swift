import NumericsKit

/// How a fit is cut into tiles: part of what decides its bits, and so a function of the problem alone.
public struct Plan: Sendable, Hashable, Codable {
  /// Raised whenever the meaning of a plan changes.
  public var version: Int
  public var problem: ProblemSize
  public var gradient: JobPlan
  public var objective: JobPlan
  /// Nil without test data.
  public var prediction: JobPlan?

  public static let currentVersion = 1

  /// The plan of one kind of job.
  public func job(_ kind: JobKind) -> JobPlan? {
    switch kind {
    case .empty, .gradient: gradient
    case .objective: objective
    case .prediction: prediction
    }
  }

  /// Whether the jobs are cuts of the problem; what comes from a file or a peer may be anything.
  var isConsistent: Bool {
    version == Plan.currentVersion
      && [gradient, objective, prediction].allSatisfy { $0?.isCut(of: problem) ?? true }
      && gradient.samples == problem.samples && gradient.rows == problem.rows
      && objective.rows == problem.rows && (prediction?.rows ?? problem.testRows) == problem.testRows
      && gradient.kind == .gradient && objective.kind == .objective
      && (prediction?.kind ?? .prediction) == .prediction
  }
}

/// The numbers that a plan is made from.
public struct ProblemSize: Sendable, Hashable, Codable {
  /// Components, N.
  public var components: Int
  /// Dimension of θ, d.
  public var dimension: Int
  /// Samples per component and iteration, B.
  public var samples: Int
  /// Draws for the objective over all components.
  public var objectiveDraws: Int
  /// Draws for predictive scores.
  public var predictionDraws: Int
  /// Training rows, n; 0 without data.
  public var rows: Int
  /// Rows of a shard: tiles don't cross shards. 0 without data.
  public var rowsPerShard: Int
  public var testRows: Int
  public var testRowsPerShard: Int
  /// Columns of the design matrix.
  public var columns: Int

  public init(
    components: Int, dimension: Int, samples: Int, objectiveDraws: Int, predictionDraws: Int, rows: Int,
    rowsPerShard: Int, testRows: Int, testRowsPerShard: Int, columns: Int
  ) {
    self.components = components
    self.dimension = dimension
    self.samples = samples
    self.objectiveDraws = objectiveDraws
    self.predictionDraws = predictionDraws
    self.rows = rows
    self.rowsPerShard = rowsPerShard
    self.testRows = testRows
    self.testRowsPerShard = testRowsPerShard
    self.columns = columns
  }
}
