import Mixtures
import NumericsKit
import Posteriors

/// A fit as its user describes it, with every default filled in.
public struct FitSpecification: Sendable, Equatable {
  public var model: ModelSpecification
  /// What the approximating mixture is one of; `model.factorization` in a spec.
  public var factorization = Factorization.full
  /// Nil for targets without data.
  public var data: DataSpecification?
  public var mixture: MixtureSpecification
  public var inference: InferenceSpecification
}

/// The target density.
public enum ModelSpecification: Sendable, Equatable {
  case regression(RegressionSpecification)
  case network(NetworkSpecification)
  case gaussian(mean: [Double], covariance: [[Double]])
  case gaussianMixture(weights: [Double], means: [[Double]], covariances: [[[Double]]])
  case studentMixture(weights: [Double], means: [[Double]], scales: [[[Double]]], degrees: [Double])
  case funnel(variance: Double, dimension: Int)
  case banana(variance: Double, curvature: Double, dimension: Int)
  case sinhArcsinh(covariance: [[Double]], skew: [Double], tail: [Double])
  case stan(StanSpecification)
  case custom(CustomSpecification)

  /// The family's name in a spec.
  public var family: String {
    switch self {
    case .regression(let regression): regression.family.rawValue
    case .network(let network): network.family.rawValue
    case .gaussian: "gaussian"
    case .gaussianMixture: "gaussian_mixture"
    case .studentMixture: "student_t_mixture"
    case .funnel: "funnel"
    case .banana: "banana"
    case .sinhArcsinh: "sinh_arcsinh"
    case .stan: "stan"
    case .custom: "custom"
    }
  }

  /// Every family's name.
  public static let families =
    RegressionSpecification.Family.allCases.map(\.rawValue)
    + NetworkSpecification.Family.allCases.map(\.rawValue) + [
      "gaussian", "gaussian_mixture", "student_t_mixture", "funnel", "banana", "sinh_arcsinh", "stan",
      "custom",
    ]

  /// The name of the column that the model explains; nil for one without data.
  public var response: String? {
    switch self {
    case .regression(let regression): regression.response
    case .network(let network): network.response
    case .custom(let custom): custom.response
    case .gaussian, .gaussianMixture, .studentMixture, .funnel, .banana, .sinhArcsinh, .stan: nil
    }
  }

  /// Whether responses are classes: what scores mean.
  public var hasClasses: Bool {
    switch self {
    case .regression(let regression): regression.family.isClassification
    case .network(let network): network.family == .classification
    case .gaussian, .gaussianMixture, .studentMixture, .funnel, .banana, .sinhArcsinh, .stan, .custom: false
    }
  }
}

/// A regression on the columns of a data set.
public struct RegressionSpecification: Sendable, Equatable {
  public enum Family: String, Sendable, CaseIterable {
    case logistic
    case softmax
    case linear
    case poisson
    case negativeBinomial = "negative_binomial"
    case studentT = "student_t"

    /// Whether responses are classes rather than numbers: which precisions of the data do.
    public var isClassification: Bool { self == .logistic || self == .softmax }
    /// Whether responses have a standard deviation of their own, known or fitted.
    public var hasNoise: Bool { self == .linear || self == .studentT }
    /// Whether the family has one linear predictor, to which the levels of groups may add.
    public var takesGroups: Bool { self != .softmax }
  }

  public var family: Family
  public var response: String
  /// Nil: every other column.
  public var features: [String]?
  /// Whether the design matrix starts with a column of ones.
  public var intercept: Bool
  /// The prior of the coefficients.
  public var priors: CoefficientPriors
  /// Standard deviation of the response around its mean (`student_t`: its scale); known to be 1 for families without.
  public var noise: NoiseSpecification
  /// Degrees of freedom of `student_t`.
  public var degrees = RegressionSpecification.usualDegrees
  /// α of `negative_binomial`, whose responses have the variance `μ + α μ²`; known to be 1 for other families.
  public var overdispersion = NoiseSpecification.known(1)
  /// Columns whose levels have intercepts of their own.
  public var groups: [String] = []
  /// Scale of the half-normal prior on the standard deviation of a group column's effects.
  public var groupScale = 1.0
  /// What θ holds of each group column's effects; empty: what suits the data.
  public var groupEffects: [GroupParametrization] = []

  public static let usualDegrees = 4.0
}

/// What θ holds of the effects `b ~ N(0, τ²)` of a group column's levels.
public enum GroupParametrization: String, Sendable, CaseIterable {
  /// b itself: where the data say much about each level.
  case centred
  /// `z = b/τ`: where they say little.
  case nonCentred = "non_centred"
}

/// Where the data are and how they are prepared.
public struct DataSpecification: Sendable, Equatable {
  /// One table in one or more files, or an imported folder; or separate NPY files.
  public struct Source: Sendable, Equatable {
    /// Absolute paths: files, globs or one folder.
    public var paths: [String]
    /// An NPY file with the responses, when `paths` is an NPY file with the features alone.
    public var responseFile: String?

    public init(paths: [String], responseFile: String? = nil) {
      self.paths = paths
      self.responseFile = responseFile
    }
  }

  public enum MissingValues: String, Sendable, CaseIterable {
    case error
    case drop
  }

  public var train: Source
  public var test: Source?
  /// Scale the features by the training set's means and standard deviations.
  public var standardize: Bool
  /// Whether standardised features lose their mean; nil: where the design is dense.
  public var centring: Bool? = nil
  /// How the design is stored; nil: sparse for LIBSVM files with few numbers other than 0, and for folders of them.
  public var storage: MatrixStorage? = nil
  public var precision: Precision
  public var missing: MissingValues
  public var transport = DataTransport.shared
  /// Nil: the usual folder, and no limit.
  public var cache: CacheSpecification?
}

/// How workers on other hosts come by the prepared data.
public enum DataTransport: String, Sendable, CaseIterable {
  /// They read the coordinator's cache: it is in a folder that all hosts share.
  case shared
  /// They get what they need from the coordinator and keep it in a cache of their own.
  case stream
}

/// Where prepared data are kept, on each host.
public struct CacheSpecification: Sendable, Equatable {
  /// An absolute path; nil: the usual folder.
  public var folder: String?
  /// What was used longest ago is removed beyond this size; nil: nothing is.
  public var limit: ByteSize?

  public init(folder: String? = nil, limit: ByteSize? = nil) {
    self.folder = folder
    self.limit = limit
  }
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
  /// Nil: every gradient is of all rows.
  public var minibatch: MinibatchSpecification?
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
