import Datasets
import Foundation
import NumericsKit
import Posteriors
import Specification

/// Makes a fit's set-up from its spec: imports and prepares the data, makes the plan.
public struct ProblemBuilder {
  /// Folder of prepared data.
  public var cacheFolder: String
  /// Memory of the draws for predictive scores in each thread, at most.
  private static let predictionBytes = 1 << 30
  /// The order of rows that minibatches are drawn from: the same for every fit, so that another `inference.seed` finds the
  /// prepared data.
  private static let shuffleSeed: UInt64 = 1
  /// Told what takes time.
  public var progress: (String) -> Void

  public init(cacheFolder: String, progress: @escaping (String) -> Void) {
    self.cacheFolder = cacheFolder
    self.progress = progress
  }

  /// The set-up of a fit.
  /// - Throws: ``DatasetError``, ``PosteriorError`` or ``FitError``.
  public func build(_ specification: FitSpecification) throws -> FitSetup {
    var train: (folder: String, manifest: DesignManifest)?
    var test: (folder: String, manifest: DesignManifest)?
    var minibatch = specification.inference.minibatch
    if let data = specification.data {
      train = try design(
        data.train, data, specification.model, reference: nil, isShuffled: minibatch != nil)
      if let rows = train?.manifest.rows, let asked = minibatch?.rows, asked >= rows {
        progress(
          "warning: inference.minibatch: \(asked) rows are no fewer than the \(rows) of data.train: every gradient "
            + "uses all of them")
        minibatch = nil
        train = try design(data.train, data, specification.model, reference: nil)
      }
      if let source = data.test {
        test = try design(source, data, specification.model, reference: train?.manifest.statistics)
      }
    }
    var specification = specification
    if let train { specification.model = try GroupInformation.resolved(specification.model, train) }
    let target = try Problem.target(specification.model, design: train?.manifest)
    let drawBytes = specification.inference.predictionDraws * target.dimension * 8
    guard test == nil || drawBytes <= ProblemBuilder.predictionBytes else {
      throw FitError(
        .badInput,
        "inference.prediction.draws: \(specification.inference.predictionDraws) draws of \(target.dimension) numbers "
          + "need \(drawBytes >> 20) MiB in each compute thread; at most "
          + "\(ProblemBuilder.predictionBytes / (8 * target.dimension)) draws fit")
    }
    try checkCovariances(specification, dimension: target.dimension)
    var resolved = specification
    resolved.inference.minibatch = minibatch
    if let train { settleStorage(&resolved, train.manifest) }
    resolved.inference.metric =
      specification.inference.metric
      ?? (target.dimension <= InferenceSpecification.largestDenseDimension ? .dense : .diagonal)
    if resolved.mixture.initial == .auto, !resolved.inference.hasAutomaticSteps {
      let box = InitialSpecification.box
      resolved.mixture.initial = .uniform(low: -box, high: box, variance: 1)
    }
    if resolved.inference.sampling == .sobol, target.dimension > SobolNormals.maximumDimension {
      throw FitError(
        .badInput,
        "inference.sampling: sobol has points of up to \(SobolNormals.maximumDimension) dimensions, the model has "
          + "\(target.dimension); use antithetic")
    }
    let learned = resolved.inference.metric ?? .unit
    let windows = Fit.windows(resolved.inference)
    resolved.inference.warmUp = windows.last ?? 0
    let components = specification.mixture.components
    let searches =
      resolved.mixture.initial == .auto || resolved.mixture.initial == .data
      || (resolved.inference.relocation && !windows.isEmpty)
    var size = ProblemSize(
      components: components, dimension: target.dimension, samples: specification.inference.samples,
      objectiveDraws: specification.inference.objectiveDraws,
      predictionDraws: specification.inference.predictionDraws,
      rows: train?.manifest.rows ?? Problem.shards(target),
      rowsPerShard: train?.manifest.rowsPerShard ?? min(1, Problem.shards(target)),
      testRows: test?.manifest.rows ?? 0,
      testRowsPerShard: test?.manifest.rowsPerShard ?? 0, columns: target.designColumns, metric: learned,
      fullCovariances: specification.inference.fullCovariances, rowOperations: target.rowOperations,
      factorization: specification.factorization,
      evaluationCost: target is any ForeignDensity ? CostModel.foreignEvaluation : nil,
      minibatch: MinibatchSize(minibatch),
      nonzerosPerRow: Problem.nonzerosPerRow(target, train?.manifest))
    if learned != .unit, !windows.isEmpty { size.curvaturePairs = WarmUpSize.curvaturePairs(size) }
    if searches { size.searchPoints = WarmUpSize.searchPoints(size) }
    let plan = Planner.plan(size)
    if minibatch?.hasControlVariate == true {
      let interval = Fit.refreshInterval(specification.inference, plan: plan)
      resolved.inference.minibatch?.refreshInterval = interval
    }
    resolved.inference.objectiveInterval = Fit.objectiveInterval(specification.inference, plan: plan)
    return FitSetup(
      specification: resolved.resolvedYAML, plan: plan, train: train.map(reference),
      test: test.map(reference), start: try start(resolved.mixture.initial),
      files: try FitSetup.files(specification.model))
  }

  /// Writes out how the training data are stored and scaled.
  private func settleStorage(_ specification: inout FitSpecification, _ train: DesignManifest) {
    guard let data = specification.data else { return }
    specification.data?.storage = train.storage
    if data.standardize { specification.data?.centring = data.centring ?? (train.storage == .dense) }
  }

  /// Refuses full covariances that no step could be computed for in useful time, or no message hold.
  private func checkCovariances(_ specification: FitSpecification, dimension d: Int) throws {
    guard specification.inference.fullCovariances else { return }
    guard d <= InferenceSpecification.largestFullDimension else {
      throw FitError(
        .badInput,
        "inference.algorithm: bw has a full covariance for each component, of up to "
          + "\(InferenceSpecification.largestFullDimension) parameters; the model has \(d): use ibw")
    }
    let components = specification.mixture.components
    let most = InferenceSpecification.mostFullNumbers / (d * d)
    guard components <= most else {
      throw FitError(
        .badInput,
        "mixture.components: \(components) full covariances of \(d) × \(d) numbers are too many for algorithm bw; at "
          + "most \(most) fit, or use ibw")
    }
  }

  /// The digest of the earlier fit that a fit starts from.
  private func start(_ initial: InitialSpecification) throws -> String? {
    guard case .file(let path) = initial else { return nil }
    return try StartingMixture.digest(at: path)
  }

  func reference(_ design: (folder: String, manifest: DesignManifest)) -> FitSetup.DesignReference {
    FitSetup.DesignReference(folder: design.folder, digest: design.manifest.digest.description)
  }

  /// Prepares data as a model wants them.
  ///
  /// - Parameters:
  ///   - withResponse: whether the data have the response's column, and it is read.
  ///   - folder: where a design that needs no import is written instead of the cache.
  ///   - isShuffled: whether the rows are put into a pseudo-random order, for minibatches.
  func design(
    _ source: DataSpecification.Source, _ data: DataSpecification, _ model: ModelSpecification,
    reference: DesignStatistics?, withResponse: Bool = true, streamedInto folder: String? = nil,
    isShuffled: Bool = false
  ) throws -> (folder: String, manifest: DesignManifest) {
    guard var request = DesignRequest(model, data, reference: reference, withResponse: withResponse) else {
      throw FitError(.badInput, "family \(model.family) takes no data")
    }
    if isShuffled { request.shuffleSeed = ProblemBuilder.shuffleSeed }
    let files = DataSource(paths: source.paths, responseFile: source.responseFile)
    if let folder, let manifest = try DesignStream.build(source: files, request: request, into: folder) {
      return (folder, manifest)
    }
    return try DesignCache(folder: cacheFolder, limit: data.cache?.limit).design(
      source: files, request: request,
      missingValues: data.missing == .drop ? .drop : .error, progress: progress)
  }
}
