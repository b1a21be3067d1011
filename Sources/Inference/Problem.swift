import Datasets
import Foundation
import NumericsKit
import Posteriors
import Specification

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

  public struct DesignReference: Sendable, Codable, Hashable {
    public var folder: String
    public var digest: String
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
    specification: String, plan: Plan, train: DesignReference?, test: DesignReference?, start: String? = nil
  ) {
    self.specification = specification
    self.plan = plan
    self.train = train
    self.test = test
    self.start = start
  }

  /// One digest for all data of the fit; empty without data.
  public var dataDigest: String {
    [train, test].compactMap { $0?.digest }.joined(separator: "+")
  }
}

/// A fit's target and data, opened and ready to be evaluated.
public struct Problem: Sendable {
  public let specification: FitSpecification
  public let plan: Plan
  public let target: any LogDensity
  public let train: Design?
  public let test: Design?

  /// Opens what a set-up describes.
  /// - Throws: ``SpecificationError``, ``DatasetError``, ``PosteriorError`` or ``FitError``.
  public init(_ setup: FitSetup) throws {
    specification = try FitSpecification(
      yaml: setup.specification, source: "the run's spec", folder: "/")
    plan = setup.plan
    train = try setup.train.map(Problem.open)
    test = try setup.test.map(Problem.open)
    target = try Problem.target(specification.model, design: train?.manifest)
    guard plan.problem.dimension == target.dimension, plan.problem.rows == train?.manifest.rows ?? 0,
      plan.problem.components == specification.mixture.components,
      plan.problem.samples == specification.inference.samples,
      plan.problem.fullCovariances == specification.inference.fullCovariances, plan.isConsistent
    else {
      throw FitError(.software, "the plan does not fit the target and the data")
    }
  }

  private static func open(_ reference: FitSetup.DesignReference) throws -> Design {
    guard let digest = Digest(hexadecimal: reference.digest) else {
      throw FitError(.software, "the set-up names a data digest that is none")
    }
    return try Design.open(folder: reference.folder, expecting: digest)
  }

  /// Makes the target of a spec.
  public static func target(_ model: ModelSpecification, design: DesignManifest?) throws -> any LogDensity {
    switch model {
    case .gaussian(let mean, let covariance):
      return try GaussianDensity(mean: mean, covariance: covariance)
    case .gaussianMixture(let weights, let means, let covariances):
      return try GaussianMixtureDensity(weights: weights, means: means, covariances: covariances)
    case .funnel(let variance): return try FunnelDensity(variance: variance)
    case .sinhArcsinh(let covariance, let skew, let tail):
      return try SinhArcsinhDensity(covariance: covariance, skew: skew, tail: tail)
    case .regression(let regression):
      guard let design else { throw FitError(.badInput, "family \(model.family) needs data") }
      switch regression.family {
      case .logistic:
        return try LogisticRegression(columnNames: design.columns, priorScale: regression.priorScale)
      case .softmax:
        return try SoftmaxRegression(
          columnNames: design.columns, classNames: design.classes, priorScale: regression.priorScale)
      case .linear:
        switch regression.noise {
        case .known(let scale):
          return try LinearRegression(
            columnNames: design.columns, priorScale: regression.priorScale, noiseScale: scale)
        case .halfNormal(let scale):
          return try NoiseScaleRegression(
            columnNames: design.columns, priorScale: regression.priorScale, noisePriorScale: scale)
        }
      case .neural:
        guard case .known(let noise) = regression.noise else {
          throw FitError(.badInput, "family \(model.family) needs a known noise: set model.noise to a number")
        }
        return try NeuralRegression(
          columnNames: design.columns, hidden: regression.hidden, priorScale: regression.priorScale,
          noiseScale: noise)
      }
    }
  }
}
