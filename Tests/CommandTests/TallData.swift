import Foundation
import TestKit

/// A synthetic data set with many rows, so that a fit of it is cut by rows.
enum TallData {
  static let rows = 60_000
  static let columns = 20

  /// Writes features and a 0/1 response as NPY files, and a logistic spec for them.
  /// - Returns: the spec's path.
  static func write(
    to folder: TemporaryFolder, precision: String, rows: Int = rows, columns: Int = columns
  ) throws -> String {
    var generator = SeededGenerator(seed: 7)
    var features = Data(capacity: 8 * rows * columns)
    var responses = Data(capacity: 8 * rows)
    for _ in 0..<rows {
      var logit = 0.0
      for column in 0..<columns {
        let value = Double.random(in: -1...1, using: &generator)
        logit += value * (column % 2 == 0 ? 1 : -0.5)
        append(value, to: &features)
      }
      append(Double.random(in: 0..<1, using: &generator) < 1 / (1 + exp(-logit)) ? 1 : 0, to: &responses)
    }
    try folder.write(header("(\(rows), \(columns))") + features, to: "features.npy")
    try folder.write(header("(\(rows),)") + responses, to: "response.npy")
    return try folder.write(
      """
      model: {family: logistic, response: response}
      data:
        train: {features: features.npy, response: response.npy}
        precision: \(precision)
      mixture: {components: 3, initial: {uniform: {low: -1, high: 1, variance: 0.01}}}
      inference: {step_size: 1.0e-5, iterations: 12, objective: {draws: 30, every: 6}}
      """, to: "tall.yaml")
  }

  private static func append(_ value: Double, to data: inout Data) {
    withUnsafeBytes(of: value.bitPattern.littleEndian) { data.append(contentsOf: $0) }
  }

  /// The header of a float64 file, version 1.0.
  private static func header(_ shape: String) -> Data {
    var text = "{'descr': '<f8', 'fortran_order': False, 'shape': \(shape), }"
    text += String(repeating: " ", count: 117 - text.utf8.count) + "\n"
    return Data([0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(text.utf8.count), 0]) + Data(text.utf8)
  }
}
