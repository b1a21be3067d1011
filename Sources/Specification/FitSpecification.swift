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
    case neural = "bnn_regression"

    /// Whether responses are classes rather than numbers: what scores mean, and which precisions do.
    public var isClassification: Bool { self == .logistic || self == .softmax }
    /// Whether the family has biases of its own, so that a column of ones has no place in its design matrix.
    public var hasOwnBiases: Bool { self == .neural }
  }

  public var family: Family
  public var response: String
  /// Nil: every other column.
  public var features: [String]?
  /// Whether the design matrix starts with a column of ones; false for a family with biases of its own.
  public var intercept: Bool
  /// Standard deviation of the Gaussian prior on every coefficient.
  public var priorScale: Double
  /// Standard deviation of the response around its mean; known to be 1 for classes, which have none.
  public var noise: NoiseSpecification
  /// Number of hidden units of `bnn_regression`; 0 for families without.
  public var hidden: Int
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
  public var initial: InitialSpecification
}

/// Where a fit starts.
public enum InitialSpecification: Sendable, Equatable {
  /// Means uniform on a box around the origin whose size is found by trying: so large that V varies over it, and no
  /// larger than that V can be compared over it.
  case auto
  /// Means uniform on `[low, high]^d`, one variance for all.
  case uniform(low: Double, high: Double, variance: Double)
  /// Means drawn from the prior.
  case prior
  /// Around the modes that several searches find.
  case data
  /// The components of an earlier fit, split or merged when there are more or fewer.
  case file(String)

  /// The box that `auto` starts its trials with, and `data` its searches.
  public static let box = 5.0
}

/// How far a step goes.
public enum StepSizeSpecification: Sendable, Equatable {
  /// Found and adapted by the fit itself.
  case auto
  /// γ as a function of the iteration, the same for all components.
  case schedule(StepSchedule)
}

/// How the samples of a component are drawn.
public enum Sampling: String, Sendable, CaseIterable {
  /// In pairs `m ± √ε z`: odd parts of the integrand cancel.
  case antithetic
  case independent
  /// Scrambled Sobol points, through the inverse normal distribution function.
  case sobol
}

/// What ends a fit before its last iteration.
public enum StopRule: String, Sendable, CaseIterable {
  /// That it has converged.
  case converged
  /// Nothing.
  case iterations
}

/// The algorithm and its settings.
public struct InferenceSpecification: Sendable, Equatable {
  public var algorithm: UpdateRule
  /// Whether components have full covariances: the word `bw`, of which `algorithm` is then the isotropic form, `ibw`.
  public var fullCovariances = false
  /// Coordinates of the fit; nil: `dense` up to ``largestDenseDimension``, `diagonal` beyond.
  public var metric: Metric.Kind?
  /// Monte Carlo samples per component and iteration, B.
  public var samples: Int
  public var sampling: Sampling
  public var stepSize: StepSizeSpecification
  /// Iterations at most.
  public var iterations: Int
  /// Of these, iterations of the warm-up, in which coordinates are learned and components moved; nil: ``usualWarmUp``,
  /// or none when there is nothing to learn.
  public var warmUp: Int?
  /// Whether components that are of no use are moved to where they are, during the warm-up.
  public var relocation: Bool
  public var stop: StopRule
  public var seed: UInt64
  /// Draws for one evaluation of the objective, over all components.
  public var objectiveDraws: Int
  /// Iterations from one evaluation to the next; nil: chosen so that it costs little.
  public var objectiveInterval: Int?
  /// Draws for predictive scores on test data.
  public var predictionDraws: Int
  /// Draws by which the finished fit is judged, over all components; 0 for no judgement.
  public var diagnosisDraws: Int

  /// A full matrix is learned up to this dimension unless the spec says otherwise.
  public static let largestDenseDimension = 1000
  /// Iterations of a warm-up.
  public static let usualWarmUp = 500

  /// Full covariances have at most this dimension, and this many numbers over all components.
  public static let largestFullDimension = 1000
  public static let mostFullNumbers = 1 << 27

  /// The word for the algorithm in a spec.
  public var algorithmName: String {
    fullCovariances ? InferenceSpecification.fullAlgorithm : algorithm.rawValue
  }
  static let fullAlgorithm = "bw"

  /// Whether the fit finds its step sizes itself.
  public var hasAutomaticSteps: Bool { stepSize == .auto }
}
