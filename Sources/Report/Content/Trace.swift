/// The rows of `trace.csv`.
package struct Trace: Sendable {
  package struct Row: Sendable {
    package var iteration: Double
    package var seconds: Double
    package var elbo: Double
    package var standardError: Double
    package var kl: Double?
    package var gradientNorm: Double?
    package var stepSize: Double?
    package var workers: Int
  }

  /// All rows, or every so-manieth.
  package private(set) var rows: [Row]
  /// Rows of the file.
  package let count: Int
  /// More points than a screen shows.
  package static let mostRows = 1000

  package init(csv: String) {
    var all: [Row] = []
    for line in csv.split(separator: "\n").dropFirst() {
      let cells = line.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
      guard cells.count >= 10, let iteration = Double(cells[0]), let elbo = Double(cells[2]) else { continue }
      all.append(
        Row(
          iteration: iteration, seconds: Double(cells[1]) ?? .nan, elbo: elbo,
          standardError: Double(cells[3]) ?? .nan, kl: Double(cells[4]), gradientNorm: Double(cells[5]),
          stepSize: Double(cells[6]), workers: Int(cells[9]) ?? 0))
    }
    count = all.count
    // The last row is always there.
    let stride = (all.count + Trace.mostRows - 1) / Trace.mostRows
    rows =
      stride <= 1
      ? all : all.indices.filter { (all.count - 1 - $0) % stride == 0 || $0 == 0 }.map { all[$0] }
  }
}
