/// Minimum, maximum, mean and standard deviation of every column of a sparse table, from its stored numbers.
///
/// Of the numbers by Welford's method; the zeros, which have no spread among themselves, are added at the end
/// (Chan, Golub, LeVeque, The American Statistician, 1983).
struct SparseStatistics {
  private(set) var rows = 0
  private var counts: [Int]
  private var means: [Double]
  private var squares: [Double]
  private var minima: [Double]
  private var maxima: [Double]

  init(columns: Int) {
    counts = [Int](repeating: 0, count: columns)
    means = [Double](repeating: 0, count: columns)
    squares = means
    minima = means
    maxima = means
  }

  mutating func add(_ row: SparseRow) {
    rows += 1
    for index in 0..<row.count {
      let (column, value) = (Int(row.places[index]), row.numbers[index])
      counts[column] += 1
      let difference = value - means[column]
      let mean = means[column] + difference / Double(counts[column])
      means[column] = mean
      squares[column] += difference * (value - mean)
      minima[column] = counts[column] == 1 ? value : min(minima[column], value)
      maxima[column] = counts[column] == 1 ? value : max(maxima[column], value)
    }
  }

  /// The columns as a manifest describes them.
  /// - Throws: `DatasetError` for a column whose variance is not finite.
  func describe(_ names: [String], name: String) throws -> [DatasetManifest.Column] {
    try names.indices.map { column in
      let (count, all) = (Double(counts[column]), Double(max(1, rows)))
      let zeros = all - count
      let mean = means[column] * (count / all)
      let sum = squares[column] + means[column] * means[column] * count * (zeros / all)
      let deviation = (sum / all).squareRoot()
      guard mean.isFinite, deviation.isFinite else {
        throw DatasetImporter.unboundedVariance(of: names[column], in: name)
      }
      return .init(
        name: names[column], kind: .numeric, categories: [], categoryCounts: [],
        minimum: zeros > 0 ? min(0, minima[column]) : minima[column],
        maximum: zeros > 0 ? max(0, maxima[column]) : maxima[column], mean: mean, standardDeviation: deviation
      )
    }
  }
}
