import Foundation
import TestKit

/// Synthetic LIBSVM data, and specs for them.
enum SparseFit {
  static let rows = 9000
  static let columns = 400
  static let stored = 8

  /// The spec's inference for a fit of few iterations.
  static let short =
    "{step_size: 1.0e-4, metric: unit, iterations: 12, objective: {draws: 30, every: 6}, diagnosis: {draws: 0}}"

  /// Text of rows with `stored` numbers each, low columns more often, and a label that depends on them.
  static func text(rows: Int, columns: Int = columns, isBinary: Bool = true, seed: UInt64 = 3) -> Data {
    var generator = SeededGenerator(seed: seed)
    var data = Data()
    for row in 0..<rows {
      var places: Set<Int> = row == 0 ? [columns] : []
      while places.count < stored {
        let uniform = Double.random(in: 0..<1, using: &generator)
        places.insert(1 + Int(uniform * uniform * Double(columns)))
      }
      var (predictor, pairs) = (0.0, "")
      for place in places.sorted() {
        let value = Float.random(in: 0.1...2, using: &generator)
        predictor += Double(value) * (place % 2 == 0 ? 0.8 : -0.6)
        pairs += " \(place):\(value)"
      }
      let uniform = Double.random(in: 0..<1, using: &generator)
      let label =
        isBinary
        ? uniform < 1 / (1 + exp(-predictor)) ? "+1" : "-1"
        : "\(Float(predictor + 3 * uniform))"
      data.append(Data("\(label)\(pairs)\n".utf8))
    }
    return data
  }

  /// Writes train.svm, test.svm and a spec.
  /// - Returns: the spec's path.
  static func write(
    to folder: TemporaryFolder, model: String = "family: logistic", data: String = "",
    isBinary: Bool = true, inference: String = short, rows: Int = rows
  ) throws -> String {
    try folder.write(text(rows: rows, isBinary: isBinary), to: "train.svm")
    try folder.write(text(rows: 700, isBinary: isBinary, seed: 4), to: "test.svm")
    return try folder.write(
      """
      model: {\(model), response: response, prior: {normal: {scale: 1}}}
      data: {train: train.svm, test: test.svm\(data)}
      mixture: {components: 3, initial: {uniform: {low: -0.1, high: 0.1, variance: 0.01}}}
      inference: \(inference)
      """, to: "sparse.yaml")
  }
}
