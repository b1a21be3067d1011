import NumericsKit

/// What turns raw columns into a design matrix, learned from training data and stored with a fit.
public struct DesignStatistics: Codable, Sendable, Hashable {
  /// The names of the features, columns of the table, without the intercept.
  public let features: [String]
  /// The levels of each categorical feature in order, `[features]`; none of a numeric one. The first is the reference:
  /// each of the others has a column of its own, 1 in its rows and 0 elsewhere, which is never scaled.
  public let levels: [[String]]
  /// What is subtracted from each feature, `[features]`: 0 if not standardised.
  public let means: [Double]
  /// What each feature is divided by after that, `[features]`: 1 if not standardised. With the divisor n.
  public let standardDeviations: [Double]
  /// The classes of the response in order; empty for numbers.
  public let classes: [String]
  /// The columns that group rows.
  public let groups: [DesignGroup]
  /// Whether the indices of the LIBSVM files that the training data come from start at 0; nil where they start at 1, and
  /// for other files.
  public internal(set) var hasIndexZero: Bool? = nil

  /// - Parameter levels: nil when all features are numeric.
  public init(
    features: [String], levels: [[String]]? = nil, means: [Double], standardDeviations: [Double],
    classes: [String], groups: [DesignGroup] = []
  ) {
    self.features = features
    self.levels = levels ?? features.map { _ in [] }
    self.means = means
    self.standardDeviations = standardDeviations
    self.classes = classes
    self.groups = groups
  }

  /// The columns that the features make: `name`, or `name[level]` for every level but the first.
  public var columns: [String] {
    zip(features, levels).flatMap { name, levels in
      levels.isEmpty ? [name] : levels.dropFirst().map { "\(name)[\($0)]" }
    }
  }

  /// A number of each feature, as that of each column.
  public func byColumn(_ values: [Double]) -> [Double] {
    zip(values, levels).flatMap { value, levels in
      [Double](repeating: value, count: levels.isEmpty ? 1 : levels.count - 1)
    }
  }

  /// Whether the numbers of its features fit together.
  var isConsistent: Bool {
    [levels.count, means.count, standardDeviations.count].allSatisfy { $0 == features.count }
      && means.allSatisfy(\.isFinite) && standardDeviations.allSatisfy { $0.isFinite && $0 > 0 }
      && levels.allSatisfy { $0.count != 1 } && groups.allSatisfy { !$0.levels.isEmpty }
  }
}

/// A column whose values group the rows.
public struct DesignGroup: Codable, Sendable, Hashable {
  public let name: String
  /// The levels in order; a row holds an index into them, or their number for a level that they have not.
  public let levels: [String]

  public init(name: String, levels: [String]) {
    self.name = name
    self.levels = levels
  }
}

/// The matrix that a model multiplies, as asked for.
public struct DesignRequest: Codable, Sendable, Hashable {
  /// The columns to use, in this order; nil for those of `reference`, or else for all but the response.
  public var features: [String]?
  /// The column to predict; nil where the data need not have it: responses are then 0.
  public var response: String?
  public var responseKind: ResponseKind
  /// Whether features become (x − mean) / standard deviation, or without `centring` x / standard deviation.
  public var standardize: Bool
  /// Whether standardised features lose their mean; nil: where the matrix is dense.
  public var centring: Bool? = nil
  /// How the matrix is stored; nil: as the table is.
  public var storage: MatrixStorage? = nil
  /// Whether the first column is a column of ones, named `intercept`.
  public var intercept: Bool
  public var precision: Precision
  /// Columns that group rows, text or integers; they are no features.
  public var groups: [String]
  /// Puts the rows into the pseudo-random order of this seed; nil keeps the table's.
  public var shuffleSeed: UInt64?
  /// Statistics and classes of the training data, to apply to a test set; nil to learn them.
  public var reference: DesignStatistics?

  public init(
    features: [String]? = nil, response: String?, responseKind: ResponseKind, standardize: Bool = true,
    intercept: Bool = true, precision: Precision = .float64, groups: [String] = [],
    reference: DesignStatistics? = nil, shuffleSeed: UInt64? = nil
  ) {
    self.features = features
    self.response = response
    self.responseKind = responseKind
    self.standardize = standardize
    self.intercept = intercept
    self.precision = precision
    self.groups = groups
    self.reference = reference
    self.shuffleSeed = shuffleSeed
  }

  /// The columns to import from a table that has more; nil for all.
  var neededColumns: [String]? {
    guard let features = features ?? reference?.features else { return nil }
    var columns = features
    for name in groups + [response].compactMap({ $0 }) where !columns.contains(name) { columns.append(name) }
    return columns
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
