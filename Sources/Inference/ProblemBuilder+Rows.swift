import Datasets
import Mixtures
import Posteriors
import Specification

extension ProblemBuilder {
  /// The set-up to predict new rows with a fit: its model, its preparation of data, its components.
  ///
  /// - Parameters:
  ///   - specification: the fit's.
  ///   - metric: the coordinates of its mixture.
  ///   - statistics: of its training data.
  ///   - prediction: with nil draws for the usual way: without draws where the target and the number of components
  ///     allow it.
  ///   - folder: where the prepared rows go if they need not stay; nil for the cache.
  /// - Throws: ``DatasetError``, ``PosteriorError`` or ``FitError``.
  public func build(
    predicting source: DataSpecification.Source, with specification: FitSpecification, components: Int,
    metric: Metric.Kind, statistics: DesignStatistics, target: any LogDensity,
    prediction asked: RowPrediction,
    seed: UInt64, streamedInto folder: String? = nil
  ) throws -> FitSetup {
    guard var data = specification.data, target.predictedResponse != nil else {
      throw FitError(
        .badInput, "family \(specification.model.family) predicts nothing: it has no response")
    }
    // Every row gets its prediction, or none does.
    data.missing = .error
    var prediction = asked
    prediction.draws = try draws(asked, components: components, metric: metric, specification, target)
    var resolved = specification
    resolved.data?.test = nil
    resolved.mixture.components = components
    resolved.mixture.initial = .uniform(
      low: -InitialSpecification.box, high: InitialSpecification.box, variance: 1)
    resolved.inference.metric = metric
    resolved.inference.relocation = false
    resolved.inference.minibatch = nil
    resolved.inference.seed = seed
    let rows = try design(
      source, data, specification.model, reference: statistics, withResponse: prediction.hasResponses,
      streamedInto: folder)
    let problem = ProblemSize(
      components: components, dimension: target.dimension, samples: resolved.inference.samples,
      objectiveDraws: components, predictionDraws: components, rows: 0, rowsPerShard: 0,
      testRows: rows.manifest.rows, testRowsPerShard: rows.manifest.rowsPerShard,
      columns: target.designColumns, metric: metric,
      fullCovariances: resolved.inference.fullCovariances, rowOperations: target.rowOperations,
      factorization: specification.factorization)
    var plan = Planner.plan(problem)
    plan.prediction = nil
    plan.rows = prediction.layout(target.predictedResponse).map {
      Planner.rows(problem, draws: prediction.draws, width: $0.width)
    }
    return FitSetup(
      specification: resolved.resolvedYAML, plan: plan, train: nil, test: reference(rows),
      prediction: prediction)
  }

  /// Draws unless others are asked for: quantiles of the usual 5 % are then a few per cent of a standard deviation off.
  public static let usualDraws = 400
  /// More draws than this are refused.
  public static let mostDraws = 100_000
  private static let drawBytes = 1 << 29

  /// As many draws as asked for or more: pairs, equally many from each component if there are enough.
  ///
  /// Where coordinates have mixtures of their own, a row's predictor is a mixture of N^d normals: never without draws.
  private func draws(
    _ asked: RowPrediction, components: Int, metric: Metric.Kind, _ specification: FitSpecification,
    _ target: any LogDensity
  ) throws -> Int? {
    let hasFactors = specification.inference.fullCovariances
    if asked.draws == nil, specification.factorization == .full, let law = target.predictorLaw,
      law.isIntegrated(
        asked, columns: target.designColumns, components: components, frames: hasFactors ? components : 1,
        isDense: hasFactors || metric == .dense)
    {
      return nil
    }
    let draws = ProblemBuilder.draws(asked.draws ?? ProblemBuilder.usualDraws, components: components)
    let most = ProblemBuilder.drawBytes / (8 * target.dimension)
    guard draws <= max(2, most) else {
      throw FitError(
        .badInput,
        "\(draws) draws of \(target.dimension) numbers need \(draws * target.dimension >> 17) MiB in each compute "
          + "thread; at most \(most) draws fit: give --draws")
    }
    return draws
  }

  /// As many draws as asked for or more, in pairs, equally many from each component if there are enough.
  static func draws(_ asked: Int, components: Int) -> Int {
    let pairs = ceilingDivision(asked, 2)
    return 2 * (components <= pairs ? components * ceilingDivision(pairs, components) : pairs)
  }
}
