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
    if let data = specification.data, case .regression(let regression) = specification.model {
      train = try design(data.train, data, regression, reference: nil)
      if let source = data.test {
        test = try design(source, data, regression, reference: train?.manifest.statistics)
      }
    }
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
    let plan = Planner.plan(
      ProblemSize(
        components: specification.mixture.components, dimension: target.dimension,
        samples: specification.inference.samples,
        objectiveDraws: specification.inference.objectiveDraws,
        predictionDraws: specification.inference.predictionDraws, rows: train?.manifest.rows ?? 0,
        rowsPerShard: train?.manifest.rowsPerShard ?? 0, testRows: test?.manifest.rows ?? 0,
        testRowsPerShard: test?.manifest.rowsPerShard ?? 0, columns: target.designColumns, metric: learned,
        curvaturePairs: learned == .unit || windows.isEmpty
          ? 0 : ceilingDivision(Fit.curvatureFrames * target.dimension, components),
        searchPoints: searches ? Fit.searchPoints(components: components) : 0,
        fullCovariances: specification.inference.fullCovariances))
    resolved.inference.objectiveInterval = Fit.objectiveInterval(specification.inference, plan: plan)
    return FitSetup(
      specification: resolved.resolvedYAML, plan: plan, train: train.map(reference),
      test: test.map(reference), start: try start(resolved.mixture.initial))
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

  private func reference(_ design: (folder: String, manifest: DesignManifest)) -> FitSetup.DesignReference {
    FitSetup.DesignReference(folder: design.folder, digest: design.manifest.digest.description)
  }

  private func design(
    _ source: DataSpecification.Source, _ data: DataSpecification, _ regression: RegressionSpecification,
    reference: DesignStatistics?
  ) throws -> (folder: String, manifest: DesignManifest) {
    let kind: ResponseKind =
      switch regression.family {
      case .logistic: .binary
      case .softmax: .classes
      case .linear, .neural: .real
      }
    return try DesignCache(folder: cacheFolder).design(
      source: DataSource(paths: source.paths, responseFile: source.responseFile),
      request: DesignRequest(
        features: regression.features, response: regression.response, responseKind: kind,
        standardize: data.standardize, intercept: regression.intercept, precision: data.precision,
        reference: reference),
      missingValues: data.missing == .drop ? .drop : .error, progress: progress)
  }
}
