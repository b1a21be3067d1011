import NumericsKit

/// What turns raw columns into a design matrix, learned from training data and stored with a fit.
public struct DesignStatistics: Codable, Sendable, Hashable {
  /// The names of the features, without the intercept.
  public let features: [String]
  /// What is subtracted from each feature, `[features]`: 0 if not standardised.
  public let means: [Double]
  /// What each feature is divided by after that, `[features]`: 1 if not standardised. With the divisor n.
  public let standardDeviations: [Double]
  /// The classes of the response in order; empty for a real response.
  public let classes: [String]

  public init(features: [String], means: [Double], standardDeviations: [Double], classes: [String]) {
    self.features = features
    self.means = means
    self.standardDeviations = standardDeviations
    self.classes = classes
  }
}

/// The matrix that a model multiplies, as asked for.
public struct DesignRequest: Codable, Sendable, Hashable {
  /// The columns to use, in this order; nil for those of `reference`, or else for all but the response.
  public var features: [String]?
  /// The column to predict.
  public var response: String
  public var responseKind: ResponseKind
  /// Whether features become (x − mean) / standard deviation.
  public var standardize: Bool
  /// Whether the first column is a column of ones, named `intercept`.
  public var intercept: Bool
  public var precision: Precision
  /// Statistics and classes of the training data, to apply to a test set; nil to learn them.
  public var reference: DesignStatistics?

  public init(
    features: [String]? = nil, response: String, responseKind: ResponseKind, standardize: Bool = true,
    intercept: Bool = true, precision: Precision = .float64, reference: DesignStatistics? = nil
  ) {
    self.features = features
    self.response = response
    self.responseKind = responseKind
    self.standardize = standardize
    self.intercept = intercept
    self.precision = precision
    self.reference = reference
  }

  /// The columns to import from a table that has more; nil for all.
  var neededColumns: [String]? {
    guard let features = features ?? reference?.features else { return nil }
    return features.contains(response) ? features : features + [response]
  }
}

/// Where data come from: one imported folder, or CSV or NPY files.
public struct DataSource: Codable, Sendable, Hashable {
  /// Paths of files, globs, or one folder.
  public var paths: [String]
  /// An NPY file with the response, `[rows]`, beside NPY features; its column is named `response`.
  public var responseFile: String?

  public init(paths: [String], responseFile: String? = nil) {
    self.paths = paths
    self.responseFile = responseFile
  }

  public init(_ path: String) { self.init(paths: [path]) }
}
