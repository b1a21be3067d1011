import Foundation
import TestKit

/// Synthetic counts with groups, with so many rows that a fit of them is cut by rows.
enum CountData {
  static let rows = 20_000

  /// Writes a table of two features, a text feature, a group of forty levels and a count, and a spec for it.
  /// - Returns: the spec's path.
  static func write(to folder: TemporaryFolder) throws -> String {
    var generator = SeededGenerator(seed: 11)
    var text = "a,b,kind,shop,y\n"
    for _ in 0..<rows {
      let a = Double.random(in: -1...1, using: &generator)
      let b = Double.random(in: -1...1, using: &generator)
      let kind = Int.random(in: 0..<3, using: &generator)
      let shop = Int.random(in: 0..<40, using: &generator)
      // A sum of uniforms that exceed the mean: Poisson by Knuth's product, to a fixed number of factors.
      let mean = exp(0.5 + 0.4 * a - 0.3 * b + 0.2 * Double(kind) + 0.3 * sin(Double(shop)))
      var (count, product) = (0, Double.random(in: 0..<1, using: &generator))
      while product > exp(-mean) {
        count += 1
        product *= Double.random(in: 0..<1, using: &generator)
      }
      text += "\(a),\(b),k\(kind),\(100 + shop),\(count)\n"
    }
    try folder.write(text, to: "counts.csv")
    return try folder.write(
      """
      model:
        family: negative_binomial
        response: y
        groups: [shop]
        prior: {intercept: {student_t: {degrees: 3, scale: 2}}, coefficients: {horseshoe: {scale: 1}}}
        overdispersion: {half_normal: {scale: 1}}
      data: {train: counts.csv}
      mixture: {components: 3, initial: {uniform: {low: -0.5, high: 0.5, variance: 0.01}}}
      inference: {step_size: 1.0e-6, iterations: 12, objective: {draws: 30, every: 6}}
      """, to: "counts.yaml")
  }
}
