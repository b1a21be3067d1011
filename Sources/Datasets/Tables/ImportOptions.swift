import NumericsKit

/// What an import does with a record in which a value is missing.
public enum MissingValues: String, Sendable, Codable, Hashable, CaseIterable {
  /// Fail, naming line and column.
  case error
  /// Leave the whole record out, and count it.
  case drop
}

/// What kind of quantity a response is.
public enum ResponseKind: String, Sendable, Codable, Hashable, CaseIterable {
  /// 0 or 1; or exactly two categories, of which the second in order is 1.
  case binary
  /// One of two or more classes: texts or integers.
  case classes
  /// A real number.
  case real
  /// A whole number from 0.
  case count

  /// Whether responses are classes, coded by their index.
  public var hasClasses: Bool { self == .binary || self == .classes }
}

/// The column that an import checks as a response while it still knows each value's line.
public struct ResponseColumn: Sendable, Codable, Hashable {
  /// The column's name.
  public let name: String
  public let kind: ResponseKind
  /// The classes that the values may have; nil where the data decide.
  public let classes: [String]?

  public init(name: String, kind: ResponseKind, classes: [String]? = nil) {
    self.name = name
    self.kind = kind
    self.classes = classes
  }
}

/// How a table is imported.
public struct ImportOptions: Sendable, Codable, Hashable {
  public var missingValues: MissingValues
  /// Shuffles the rows, as a function of this seed and the number of rows; nil keeps their order.
  public var shuffleSeed: UInt64?
  /// Columns whose values are categories even where they look like numbers.
  public var categoricalColumns: Set<String>
  /// Columns whose values are labels of groups: categories, of which integers are the same however they are written.
  public var labelColumns: [String]
  /// Columns whose values are categories, with the only ones allowed: those of the training data.
  public var knownLevels: [String: [String]]
  /// The columns to import, in this order; nil for all.
  public var columns: [String]?
  /// Rows a shard, a power of two; nil for shards of about 32 MiB.
  public var rowsPerShard: Int?
  /// The column to check as a response; nil for none.
  public var response: ResponseColumn?
  /// How LIBSVM files are stored; nil: as their density says. Files of other kinds are stored dense.
  public var storage: MatrixStorage? = nil
  /// Whether indices of LIBSVM files count from 0, as those of the training data, whose columns they then have; nil where
  /// the files decide.
  var hasIndexZero: Bool? = nil

  public init(
    missingValues: MissingValues = .error, shuffleSeed: UInt64? = nil, categoricalColumns: Set<String> = [],
    labelColumns: [String] = [], knownLevels: [String: [String]] = [:], columns: [String]? = nil,
    rowsPerShard: Int? = nil, response: ResponseColumn? = nil
  ) {
    self.missingValues = missingValues
    self.shuffleSeed = shuffleSeed
    self.categoricalColumns = categoricalColumns
    self.labelColumns = labelColumns
    self.knownLevels = knownLevels
    self.columns = columns
    self.rowsPerShard = rowsPerShard
    self.response = response
  }

  /// Rows a shard for `columns` columns of binary64.
  func resolvedRowsPerShard(columns: Int) throws -> Int {
    guard let rowsPerShard else { return DatasetLimits.rowsPerShard(bytesPerRow: 8 * columns) }
    let limit = DatasetLimits.chosenShardBytes / (8 * max(1, columns))
    guard rowsPerShard > 0, rowsPerShard & (rowsPerShard - 1) == 0, rowsPerShard <= limit else {
      throw DatasetError(
        .badData, "rows per shard: \(rowsPerShard) is not a power of two between 1 and \(limit)")
    }
    return rowsPerShard
  }
}

extension ImportOptions {
  /// Refuses a value that is not finite, unless it is missing (NaN) and its record may be dropped.
  func requireDroppable(_ value: Double, place: () -> String) throws {
    guard value.isNaN else {
      throw DatasetError(.badData, "\(place()) holds \(value), which is not a finite number")
    }
    guard missingValues == .drop else {
      throw DatasetError(
        .badData,
        "\(place()): the value is missing (NaN); fill it in, or drop such records (missing values: drop)")
    }
  }
}
