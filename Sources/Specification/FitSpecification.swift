import Mixtures
import NumericsKit

/// A fit as its user describes it, with every default filled in.
public struct FitSpecification: Sendable, Equatable {
  public var model: ModelSpecification
  /// Nil for targets without data.
  public var data: DataSpecification?
  public var mixture: MixtureSpecification
  public var inference: InferenceSpecification
}

/// The target density.
public enum ModelSpecification: Sendable, Equatable {
  case regression(RegressionSpecification)
  case gaussian(mean: [Double], covariance: [[Double]])
  case gaussianMixture(weights: [Double], means: [[Double]], covariances: [[[Double]]])
  case funnel(variance: Double)
  case sinhArcsinh(covariance: [[Double]], skew: [Double], tail: [Double])

  /// The family's name in a spec.
  public var family: String {
    switch self {
    case .regression(let regression): regression.family.rawValue
    case .gaussian: "gaussian"
    case .gaussianMixture: "gaussian_mixture"
    case .funnel: "funnel"
    case .sinhArcsinh: "sinh_arcsinh"
    }
  }

  /// Every family's name.
  public static let families =
    RegressionSpecification.Family.allCases.map(\.rawValue) + [
      "gaussian", "gaussian_mixture", "funnel", "sinh_arcsinh",
    ]
}

/// A regression on the columns of a data set.
public struct RegressionSpecification: Sendable, Equatable {
  public enum Family: String, Sendable, CaseIterable {
    case logistic
    case softmax
    case linear
  }

  public var family: Family
  public var response: String
  /// Nil: every other column.
  public var features: [String]?
  public var intercept: Bool
  /// Standard deviation of the Gaussian prior on every coefficient.
  public var priorScale: Double
  /// Known standard deviation of the response around its mean; `linear` only.
  public var noise: Double
}

/// Where the data are and how they are prepared.
public struct DataSpecification: Sendable, Equatable {
  /// One table in one or more files, or an imported folder; or separate NPY files.
  public struct Source: Sendable, Equatable {
    /// Absolute paths: files, globs or one folder.
    public var paths: [String]
    /// An NPY file with the responses, when `paths` is an NPY file with the features alone.
    public var responseFile: String?
  }

  public enum MissingValues: String, Sendable, CaseIterable {
    case error
    case drop
  }

  public var train: Source
  public var test: Source?
  /// Scale the features by the training set's means and standard deviations.
  public var standardize: Bool
  public var precision: Precision
  public var missing: MissingValues
}

/// The approximating family and where it starts.
public struct MixtureSpecification: Sendable, Equatable {
  public var components: Int
  /// Initial means are uniform on `[low, high]^d`.
  public var low: Double
  public var high: Double
  /// Initial variance of every component.
  public var variance: Double
}

/// The algorithm and its settings.
public struct InferenceSpecification: Sendable, Equatable {
  public var algorithm: UpdateRule
  /// Monte Carlo samples per component and iteration, B.
  public var samples: Int
  public var stepSize: StepSchedule
  public var iterations: Int
  public var seed: UInt64
  /// Draws for one evaluation of the objective, over all components.
  public var objectiveDraws: Int
  /// Iterations from one evaluation to the next; nil: chosen so that it costs little.
  public var objectiveInterval: Int?
  /// Draws for predictive scores on test data.
  public var predictionDraws: Int
}
