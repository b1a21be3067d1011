extension SparseText {
  /// How wide the rows of files are, how many, and how full.
  struct Extent {
    var highest = -1
    var hasZero = false
    private(set) var rows = 0
    /// Numbers other than 0, responses not counted.
    private(set) var nonzeros = 0
    /// Columns that a table has at least, without the response.
    private var fewestColumns = 0
    /// Bytes of 2^k rows that are not complete yet, nil for none; and of the largest such piece.
    private var pending = [Int?](repeating: nil, count: Extent.levels)
    private var largest = [Int](repeating: 0, count: Extent.levels)

    /// The last one is for shards of four million rows.
    private static let levels = 23

    /// Columns without the response.
    var columns: Int { max(fewestColumns, hasZero ? highest + 1 : max(0, highest)) }
    /// The share of the numbers, without the responses, that is not 0.
    var density: Double { Double(nonzeros) / max(1, Double(rows) * Double(columns)) }
  }
}

extension SparseText.Extent {
  /// Takes note of a row with so many numbers, its response included.
  mutating func add(rowWith count: Int) {
    rows += 1
    nonzeros += count - 1
    // As in counting: two pieces of 2^k rows are one of 2^(k + 1).
    var carried = SparseShard.byteCount(ofRowWith: count)
    for level in pending.indices {
      largest[level] = max(largest[level], carried)
      guard let other = pending[level] else {
        pending[level] = carried
        return
      }
      pending[level] = nil
      carried += other
    }
  }

  /// Bytes of the largest piece of 2^level consecutive rows that a shard would be.
  private func byteCount(level: Int) -> Int {
    max(largest[level], pending[..<level].reduce(0) { $0 + ($1 ?? 0) })
  }

  /// Rows of a shard: the largest power of two with which no shard is larger than those of a dense table, or what is
  /// asked.
  func rowsPerShard(asked: Int?) throws -> Int {
    guard let asked else {
      let level = largest.indices.last { byteCount(level: $0) <= DatasetLimits.shardBytes } ?? 0
      return 1 << level
    }
    guard asked > 0, asked & (asked - 1) == 0, asked.trailingZeroBitCount < largest.count,
      byteCount(level: asked.trailingZeroBitCount) <= DatasetLimits.chosenShardBytes
    else {
      throw DatasetError(
        .badData,
        "rows per shard: \(asked) is not a power of two from 1 to \(1 << (largest.count - 1)) that keeps shards "
          + "below \(DatasetLimits.chosenShardBytes) bytes")
    }
    return asked
  }

  /// Counts indices and columns as the training data's, where those are known: a file need not use the highest ones.
  mutating func follow(_ options: ImportOptions, name: String) throws {
    guard let isZeroBased = options.hasIndexZero else { return }
    guard isZeroBased || !hasZero else {
      throw DatasetError(
        .badData,
        "\(name): has an index 0, but those of the training data start at 1; write both files with indices from 1"
      )
    }
    hasZero = isZeroBased
    fewestColumns =
      (options.columns ?? []).compactMap { column in
        column.hasPrefix("column_") ? Int(column.dropFirst("column_".count)) : nil
      }.filter { $0 > 0 && $0 < DatasetLimits.columns }.max() ?? 0
  }
}

extension ImportOptions {
  /// Counts LIBSVM files as the training data were.
  mutating func follow(_ reference: DesignStatistics?, _ files: SourceFiles) {
    guard let reference, case .sparse = files else { return }
    hasIndexZero = reference.hasIndexZero ?? false
  }
}
