import Datasets
import Foundation
import Inference
import Mixtures
import NumericsKit

/// The file `mixture.json`: enough to sample and predict without the data and the fit's folder.
public struct FittedMixture: Sendable, Codable, Equatable {
  /// Raised whenever the meaning of the file changes.
  public var formatVersion: Int
  public var family: String
  /// Number of components, N.
  public var components: Int
  /// Dimension of the parameter, d.
  public var dimension: Int
  /// Names of the coordinates `[d]`.
  public var names: [String]
  /// What the mixture is one of: `full`, or `coordinates` when each coordinate's marginal is a mixture of its own:
  /// `q(θ) = Π_k (1/N) Σ_i N(θ_k; means[i][k], coordinate_variances[i][k])`.
  public var factorization: Factorization
  /// Coordinates in which the components are isotropic: `unit`, `diagonal` or `dense`.
  public var metric: String
  /// Component i is `N(mean_i, variance_i L Lᵀ)`: the diagonal of L as `[[…]]` (diagonal), its rows `[d][d]` (dense), or
  /// empty for the identity (unit).
  public var metricFactor: [[Double]]
  /// Means in θ, `[N][d]`.
  public var means: [[Double]]
  /// Variances `[N]`, to be multiplied by `L Lᵀ`.
  public var variances: [Double]
  /// With `factorization: coordinates` the variances of all components of all coordinates, `[N][d]`; `variances` are then
  /// their averages over coordinates. Nil otherwise.
  public var coordinateVariances: [[Double]]?
  /// With full covariances (algorithm `bw`) the lower triangular factors F of component i's covariance `F Fᵀ`,
  /// `[N][d][d]` by rows; `variances` are then `tr(F Fᵀ)/d`. Nil for isotropic components.
  public var covarianceFactors: [[[Double]]]?
  /// Steps taken.
  public var iteration: Int
  /// The fit's spec as resolved (YAML).
  public var specification: String
  /// How columns of a table become the design matrix, without the matrix; nil without data.
  public var design: DesignManifest?

  public static let currentVersion = 3
  public static let fileName = StartingMixture.fileName

  /// - Parameters:
  ///   - isotropic: the mixture in the metric's coordinates.
  ///   - marginals: the mixtures of the coordinates, if they have their own; of the mixture nothing is taken then.
  ///   - factors: of full covariances, row-major `[N, d, d]`; empty without.
  ///   - design: of the training data.
  public init(
    _ isotropic: IsotropicMixture, coordinates marginals: CoordinateMixture? = nil, factors: [Double] = [],
    metric coordinates: Metric, family: String, names: [String], iteration: Int, specification: String,
    design: DesignManifest?
  ) {
    let mixture = marginals?.averaged ?? isotropic
    formatVersion = FittedMixture.currentVersion
    self.family = family
    components = mixture.componentCount
    dimension = mixture.dimension
    self.names = names
    factorization = marginals == nil ? .full : .coordinates
    metric = coordinates.kind.rawValue
    let width = coordinates.kind == .unit ? 1 : mixture.dimension
    metricFactor = FittedMixture.rows(coordinates.factor, of: width)
    means = FittedMixture.rows(
      coordinates.positions(of: mixture.means, count: mixture.componentCount), of: mixture.dimension)
    variances = mixture.variances
    coordinateVariances = marginals.map { FittedMixture.rows($0.variances, of: $0.dimension) }
    if !factors.isEmpty {
      let rows = FittedMixture.rows(factors, of: mixture.dimension)
      covarianceFactors = stride(from: 0, to: rows.count, by: mixture.dimension).map {
        Array(rows[$0..<$0 + mixture.dimension])
      }
    }
    self.iteration = iteration
    self.specification = specification
    self.design = design?.withoutRows
  }

  private static func rows(_ values: [Double], of width: Int) -> [[Double]] {
    stride(from: 0, to: values.count, by: width).map { Array(values[$0..<$0 + width]) }
  }

  /// The mixture with means in θ.
  public var mixture: IsotropicMixture {
    IsotropicMixture(
      componentCount: components, dimension: dimension, means: means.flatMap { $0 }, variances: variances)
  }

  /// The mixture with full covariances; nil when its components are isotropic.
  public var fullMixture: FullMixture? {
    covarianceFactors.map {
      FullMixture(
        componentCount: components, dimension: dimension, means: means.flatMap { $0 },
        factors: $0.flatMap { $0.flatMap { $0 } })
    }
  }

  /// The mixtures of the coordinates; nil when they have none of their own.
  public var coordinateMixture: CoordinateMixture? {
    coordinateVariances.map {
      CoordinateMixture(
        componentCount: components, dimension: dimension, means: means.flatMap { $0 },
        variances: $0.flatMap { $0 })
    }
  }

  /// Whether variances of coordinates are there where they belong, in θ's own coordinates.
  private var hasCoordinateVariances: Bool {
    guard let coordinateVariances else { return factorization == .full }
    return factorization == .coordinates && metric == Metric.Kind.unit.rawValue && covarianceFactors == nil
      && coordinateVariances.count == components
      && coordinateVariances.allSatisfy {
        $0.count == dimension && $0.allSatisfy { $0 > 0 && $0.isFinite }
      }
  }

  /// Whether there are no factors of covariances, or factors of the right shape in θ's own coordinates.
  private var hasCovariances: Bool {
    guard let covarianceFactors else { return true }
    return metric == Metric.Kind.unit.rawValue && covarianceFactors.count == components
      && covarianceFactors.allSatisfy { $0.count == dimension && $0.allSatisfy { $0.count == dimension } }
      && FullMixture.areFactors(
        covarianceFactors.flatMap { $0.flatMap { $0 } }, componentCount: components, dimension: dimension)
  }

  /// L as a metric with its origin in θ's.
  /// - Throws: ``ReportingError`` when it can't be inverted.
  public func coordinates() throws -> Metric {
    let failure = ReportingError(.badData, "its metric can't be inverted")
    guard let kind = Metric.Kind(rawValue: metric) else { throw failure }
    let factor = metricFactor.flatMap { $0 }
    guard let result = Metric(kind, dimension: dimension, factor: factor) else { throw failure }
    return result
  }

  /// The fit as another one can start from it.
  /// - Throws: ``ReportingError`` when its coordinates have mixtures of their own, or its metric can't be used.
  public func start() throws -> StartingMixture {
    guard factorization == .full else {
      throw ReportingError(
        .badData,
        "mixture.initial: the earlier fit has factorization: coordinates, and so no components that another fit could start "
          + "from; start from a fit with factorization: full, or use auto")
    }
    return try inner()
  }

  /// The fit as its jobs take it: in the metric's coordinates, and with N·d one-dimensional components when
  /// coordinates have mixtures of their own.
  public func inner() throws -> StartingMixture {
    let metric = try coordinates()
    if let coordinateMixture { return StartingMixture(mixture: coordinateMixture.components, metric: metric) }
    var inner = mixture
    inner.means = metric.coordinates(of: inner.means, count: components)
    return StartingMixture(mixture: inner, metric: metric)
  }

  /// Fresh draws from the mixture.
  /// - Throws: ``ReportingError`` when the metric can't be used.
  public func draws(_ count: Int, seed: UInt64) throws -> FittedDraws {
    let inner = try inner()
    return FittedDraws(
      of: inner.mixture, factors: fullMixture?.factors ?? [], metric: inner.metric,
      factorization: factorization, seed: seed, count: count)
  }

  /// Whether the factor has the shape of its kind.
  private var hasFactor: Bool {
    let rows = metricFactor.count
    let isFinite = metricFactor.allSatisfy { $0.count == dimension && $0.allSatisfy(\.isFinite) }
    return switch Metric.Kind(rawValue: metric) {
    case .unit: rows == 0
    case .diagonal: rows == 1 && isFinite
    case .dense: rows == dimension && isFinite
    case nil: false
    }
  }

  /// The part of the file that every format has.
  private struct Format: Decodable { let formatVersion: Int }

  /// Reads and checks a file, or the `mixture.json` of a run folder.
  public static func read(_ path: String) throws -> FittedMixture {
    let file = StartingMixture.file(at: path)
    guard let data = FileManager.default.contents(atPath: file) else {
      throw ReportingError(
        .noInput,
        FileManager.default.fileExists(atPath: file)
          ? "\(file) can't be read: is it a file that you may read?" : "there is no fit at \(file)")
    }
    let format = try? JSONStyle.decoder().decode(Format.self, from: data)
    guard format?.formatVersion ?? currentVersion == currentVersion else {
      throw ReportingError(
        .badData, "\(file) has format \(format?.formatVersion ?? 0), this version reads \(currentVersion)")
    }
    guard let fitted = try? JSONStyle.decoder().decode(FittedMixture.self, from: data) else {
      throw ReportingError(.badData, "\(file) is not a mixture.json")
    }
    guard fitted.components >= 1, fitted.dimension >= 1, fitted.names.count == fitted.dimension,
      fitted.means.count == fitted.components, fitted.variances.count == fitted.components,
      fitted.means.allSatisfy({ $0.count == fitted.dimension && $0.allSatisfy(\.isFinite) }),
      fitted.variances.allSatisfy({ $0 > 0 && $0.isFinite }), fitted.hasFactor,
      fitted.hasCovariances, fitted.hasCoordinateVariances
    else {
      throw ReportingError(.badData, "\(file): shapes or values don't make a mixture")
    }
    return fitted
  }
}
