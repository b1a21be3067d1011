import Datasets
import Foundation
import NumericsKit
import Posteriors
import Specification
import StanModels

/// Everything that a worker needs to compute for a fit, as it travels in the handshake.
public struct FitSetup: Sendable, Codable {
  /// The resolved spec.
  public var specification: String
  public var plan: Plan
  /// Folder of the prepared training data and the digest of its manifest.
  public var train: DesignReference?
  public var test: DesignReference?
  /// Digest of the earlier fit that this one starts from.
  public var start: String?
  /// What is predicted of the rows of `test`; nil in a fit.
  public var prediction: RowPrediction?
  /// Other files that the target is made of.
  public var files: [FileReference]?

  public struct DesignReference: Sendable, Codable, Hashable {
    public var folder: String
    public var digest: String

    /// The digest of the design's manifest.
    public func contentDigest() throws -> Digest {
      guard let value = Digest(hexadecimal: digest) else {
        throw FitError(.software, "the set-up names a data digest that is none")
      }
      return value
    }
  }

  /// The document's bytes: the same for the same set-up.
  public func encoded() throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return Array(try encoder.encode(self))
  }

  /// Reads a document made by `encoded`.
  public init(decoding bytes: [UInt8]) throws {
    do {
      self = try JSONDecoder().decode(FitSetup.self, from: Data(bytes))
    } catch {
      throw FitError(.software, "the set-up that the coordinator sent can't be read")
    }
  }

  public init(
    specification: String, plan: Plan, train: DesignReference?, test: DesignReference?, start: String? = nil,
    prediction: RowPrediction? = nil, files: [FileReference]? = nil
  ) {
    self.specification = specification
    self.plan = plan
    self.train = train
    self.test = test
    self.start = start
    self.prediction = prediction
    self.files = files
  }

  /// The prepared data: of training, then of tests.
  public var designs: [DesignReference] { [train, test].compactMap { $0 } }

  /// The same fit where the designs are in other folders.
  public func relocated(_ folder: (Digest) -> String) throws -> FitSetup {
    func move(_ reference: DesignReference) throws -> DesignReference {
      DesignReference(folder: folder(try reference.contentDigest()), digest: reference.digest)
    }
    var copy = self
    copy.train = try train.map(move)
    copy.test = try test.map(move)
    return copy
  }

  /// One digest for all data of the fit; empty without data.
  public var dataDigest: String {
    ([train, test].compactMap { $0?.digest } + (files ?? []).map(\.digest)).joined(separator: "+")
  }
}

/// A fit's target and data, opened and ready to be evaluated.
public struct Problem: Sendable {
  public let specification: FitSpecification
  public let plan: Plan
  public let target: any LogDensity
  public let train: Design?
  public let test: Design?
  /// What is predicted of new rows; nil in a fit.
  public let prediction: RowPrediction?

  /// Opens what a set-up describes.
  /// - Throws: ``SpecificationError``, ``DatasetError``, ``PosteriorError`` or ``FitError``.
  public init(_ setup: FitSetup) throws {
    specification = try FitSpecification(
      yaml: setup.specification, source: "the run's spec", folder: "/")
    plan = setup.plan
    try setup.checkFiles()
    train = try setup.train.map(Problem.open)
    test = try setup.test.map(Problem.open)
    prediction = setup.prediction
    // New rows were prepared as the training data were: they have the same columns and classes.
    target = try Problem.target(
      specification.model, design: train?.manifest ?? (prediction == nil ? nil : test?.manifest))
    guard test == nil || train == nil || test?.manifest.groups == train?.manifest.groups else {
      throw FitError(.software, "the test data's groups are not those of the training data")
    }
    guard plan.problem.dimension == target.dimension,
      plan.problem.rows == train?.manifest.rows ?? Problem.shards(target),
      plan.problem.components == specification.mixture.components,
      plan.problem.samples == specification.inference.samples,
      plan.problem.fullCovariances == specification.inference.fullCovariances,
      plan.problem.factorization == specification.factorization, plan.isConsistent,
      plan.problem.minibatch == MinibatchSize(specification.inference.minibatch),
      plan.problem.nonzerosPerRow == Problem.nonzerosPerRow(target, train?.manifest),
      plan.rows?.unitWidth == prediction?.layout(target.predictedResponse)?.width
    else {
      throw FitError(.software, "the plan does not fit the target and the data")
    }
  }

  private static func open(_ reference: FitSetup.DesignReference) throws -> Design {
    try Design.open(folder: reference.folder, expecting: reference.contentDigest())
  }

  /// Rows of a target without a table: its shards.
  static func shards(_ target: any LogDensity) -> Int { (target as? any ForeignDensity)?.shardCount ?? 0 }

  /// What the plan has to know of sparse rows; nil for targets that make them dense.
  static func nonzerosPerRow(_ target: any LogDensity, _ train: DesignManifest?) -> Int? {
    target is NeuralNetwork ? nil : train?.nonzerosPerRow
  }

  /// Makes the target of a spec.
  public static func target(_ model: ModelSpecification, design: DesignManifest?) throws -> any LogDensity {
    switch model {
    case .custom(let custom): return try CustomTargets.make(custom, columns: design?.columns ?? [])
    case .stan(let stan): return try StanModel(StanModel.Configuration(stan))
    case .gaussian(let mean, let covariance):
      return try GaussianDensity(mean: mean, covariance: covariance)
    case .gaussianMixture(let weights, let means, let covariances):
      return try GaussianMixtureDensity(weights: weights, means: means, covariances: covariances)
    case .studentMixture(let weights, let means, let scales, let degrees):
      return try StudentMixtureDensity(weights: weights, means: means, scales: scales, degrees: degrees)
    case .funnel(let variance, let dimension):
      return try FunnelDensity(variance: variance, dimension: dimension)
    case .banana(let variance, let curvature, let dimension):
      return try BananaDensity(variance: variance, curvature: curvature, dimension: dimension)
    case .sinhArcsinh(let covariance, let skew, let tail):
      return try SinhArcsinhDensity(covariance: covariance, skew: skew, tail: tail)
    case .network(let network):
      guard let design else { throw FitError(.badInput, "family \(model.family) needs data") }
      return try NeuralNetwork(network, design: design)
    case .regression(let regression):
      guard let design else { throw FitError(.badInput, "family \(model.family) needs data") }
      switch regression.family {
      case .softmax:
        return try SoftmaxRegression(
          columnNames: design.columns, hasIntercept: design.intercept, classNames: design.classes,
          priors: regression.priors)
      case .linear, .logistic, .poisson, .negativeBinomial, .studentT:
        return try GeneralizedLinearModel(
          columnNames: design.columns, hasIntercept: design.intercept, likelihood: likelihood(regression),
          priors: regression.priors, classNames: design.classes,
          groups: design.groups.enumerated().map { index, group in
            GroupFactor(
              name: group.name, levels: group.levels,
              isCentred: regression.groupEffects.indices.contains(index)
                && regression.groupEffects[index] == .centred)
          },
          groupScale: regression.groupScale)
      }
    }
  }

  /// The likelihood of a family with one linear predictor.
  private static func likelihood(_ regression: RegressionSpecification) -> ResponseLikelihood {
    let scale = { (specification: NoiseSpecification) -> ScaleParameter in
      switch specification {
      case .known(let value): .known(value)
      case .halfNormal(let scale): .halfNormal(scale: scale)
      }
    }
    return switch regression.family {
    case .logistic, .softmax: .logistic
    case .linear: .gaussian(noise: scale(regression.noise))
    case .poisson: .poisson
    case .negativeBinomial: .negativeBinomial(overdispersion: scale(regression.overdispersion))
    case .studentT: .studentT(degrees: regression.degrees, noise: scale(regression.noise))
    }
  }
}
