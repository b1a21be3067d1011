/// Minimum, maximum, mean and standard deviation of every column of a table, a row at a time.
///
/// Welford's method (Technometrics, 1962), which doesn't cancel where the mean is large against the deviation.
/// The result depends on the rows and their order alone, not on files, shards or buffers.
struct ColumnStatistics: ~Copyable {
  let columns: Int
  private(set) var rows = 0
  private let means: UnsafeMutablePointer<Double>
  private let squares: UnsafeMutablePointer<Double>
  private let minima: UnsafeMutablePointer<Double>
  private let maxima: UnsafeMutablePointer<Double>

  init(columns: Int) {
    self.columns = columns
    let storage = UnsafeMutablePointer<Double>.allocate(capacity: 4 * columns)
    storage.initialize(repeating: 0, count: 2 * columns)
    (storage + 2 * columns).initialize(repeating: .infinity, count: columns)
    (storage + 3 * columns).initialize(repeating: -.infinity, count: columns)
    means = storage
    squares = storage + columns
    minima = storage + 2 * columns
    maxima = storage + 3 * columns
  }

  deinit { means.deallocate() }

  /// Adds a row, `[columns]`.
  mutating func add(_ row: UnsafePointer<Double>) {
    rows += 1
    let weight = 1 / Double(rows)
    for column in 0..<columns {
      let value = row[column]
      let difference = value - means[column]
      let mean = means[column] + difference * weight
      means[column] = mean
      squares[column] += difference * (value - mean)
      minima[column] = value < minima[column] ? value : minima[column]
      maxima[column] = value > maxima[column] ? value : maxima[column]
    }
  }

  borrowing func mean(_ column: Int) -> Double { means[column] }
  /// With the divisor n.
  borrowing func standardDeviation(_ column: Int) -> Double {
    rows == 0 ? 0 : (squares[column] / Double(rows)).squareRoot()
  }
  borrowing func minimum(_ column: Int) -> Double { minima[column] }
  borrowing func maximum(_ column: Int) -> Double { maxima[column] }
}

extension ColumnStatistics {
  /// Everything about the rows so far, bit by bit.
  struct Snapshot: Codable, Sendable {
    let rows: Int
    /// Means, sums of squares, minima and maxima, `[4, columns]`.
    let bits: [UInt64]
  }

  borrowing func snapshot() -> Snapshot {
    Snapshot(rows: rows, bits: (0..<4 * columns).map { means[$0].bitPattern })
  }

  /// Goes on from a snapshot; nil if it is of another number of columns.
  init?(_ snapshot: Snapshot, columns: Int) {
    self.init(columns: columns)
    guard snapshot.bits.count == 4 * columns, snapshot.rows >= 0 else { return nil }
    rows = snapshot.rows
    for (index, bits) in snapshot.bits.enumerated() { means[index] = Double(bitPattern: bits) }
  }
}
