import Mixtures
import NumericsKit
import Posteriors

/// How a fit is cut into tiles: part of what decides its bits, and so a function of the problem alone.
public struct Plan: Sendable, Hashable, Codable {
  /// Raised whenever the meaning of a plan changes.
  public var version: Int
  public var problem: ProblemSize
  public var gradient: JobPlan
  public var objective: JobPlan
  /// Nil without test data.
  public var prediction: JobPlan?
  /// Nil where no metric is learned.
  public var curvature: JobPlan?
  /// Nil where no modes are searched for.
  public var points: JobPlan?
  /// Nil unless new rows are predicted.
  public var rows: JobPlan?
  /// Nil without a control variate.
  public var reference: JobPlan? = nil

  public static let currentVersion = 2

  /// The plan of one kind of job.
  public func job(_ kind: JobKind) -> JobPlan? {
    switch kind {
    case .empty, .gradient: gradient
    case .objective: objective
    case .prediction: prediction
    case .curvature: curvature
    case .points: points
    case .rows: rows
    case .reference: reference
    }
  }

  /// Whether the jobs are cuts of the problem; what comes from a file or a peer may be anything.
  var isConsistent: Bool {
    version == Plan.currentVersion
      && [gradient, objective, prediction, curvature, points, rows, reference].allSatisfy {
        $0?.isCut(of: problem) ?? true
      } && hasConsistentBatches
      && gradient.samples == problem.samples && gradient.rows == problem.rows
      && objective.rows == problem.rows && (prediction?.rows ?? problem.testRows) == problem.testRows
      && gradient.kind == .gradient && objective.kind == .objective
      && (prediction?.kind ?? .prediction) == .prediction
      && (curvature?.kind ?? .curvature) == .curvature && (points?.kind ?? .points) == .points
      && (curvature?.rows ?? problem.rows) == problem.rows && (points?.rows ?? problem.rows) == problem.rows
      && (curvature?.samples ?? problem.curvaturePairs) == problem.curvaturePairs
      && (points?.samples ?? 1) == 1 && (rows?.kind ?? .rows) == .rows
      && (rows.map { ($0.rowsPerTile, problem.testRowsPerShard) }.map { $1 % $0 == 0 } ?? true)
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
  /// The coordinates that are learned.
  public var metric: Metric.Kind
  /// Pairs of samples, of each component, for one estimate of the curvature; 0 where none is made.
  public var curvaturePairs: Int
  /// Points from which modes are searched for at once; 0 where they are not.
  public var searchPoints: Int
  /// Whether components have full covariances, whose gradients have d + d² + 1 numbers.
  public var fullCovariances: Bool
  /// What a row costs, where d and the columns don't say it.
  public var rowOperations: RowOperations?
  /// Whether coordinates have mixtures of their own, whose gradients have 2d numbers for each component.
  public var factorization: Factorization
  /// Estimated operations of one evaluation of a target whose code is somebody else's, of its base or of a shard; nil
  /// where the cost follows from the sizes.
  public var evaluationCost: Double?
  /// Nil where every gradient is of all rows.
  public var minibatch: MinibatchSize? = nil
  /// Stored numbers of a training row on average; nil where rows are dense, or made dense.
  public var nonzerosPerRow: Int? = nil

  public init(
    components: Int, dimension: Int, samples: Int, objectiveDraws: Int, predictionDraws: Int, rows: Int,
    rowsPerShard: Int, testRows: Int, testRowsPerShard: Int, columns: Int,
    metric: Metric.Kind = .unit, curvaturePairs: Int = 0, searchPoints: Int = 0,
    fullCovariances: Bool = false,
    rowOperations: RowOperations? = nil, factorization: Factorization = .full, evaluationCost: Double? = nil,
    minibatch: MinibatchSize? = nil, nonzerosPerRow: Int? = nil
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
    self.metric = metric
    self.curvaturePairs = curvaturePairs
    self.searchPoints = searchPoints
    self.fullCovariances = fullCovariances
    self.rowOperations = rowOperations
    self.factorization = factorization
    self.evaluationCost = evaluationCost
    self.minibatch = minibatch
    self.nonzerosPerRow = nonzerosPerRow
  }
}
