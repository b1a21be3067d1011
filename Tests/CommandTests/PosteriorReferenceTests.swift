import Foundation
import TestKit
import Testing

extension Commands {
  /// Every regression family's fit, by defaults and a dense metric, against NUTS or a closed form
  /// (Tests/References/families/make-references.py).
  @Suite(.serialized) struct PosteriorReferences {
    struct Reference: Decodable {
      struct Column: Decodable { let mean, sd, mcse: Double }
      let method: String
      let columns: [String: Column]
    }

    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent()
      .appendingPathComponent("References/families").path

    static let names = [
      "linear", "linear_noise", "student_t", "logistic", "softmax", "poisson", "negative_binomial",
      "prior_laplace", "prior_student_t", "prior_horseshoe", "groups", "categories",
    ]

    static let draws = 20_000

    /// Means within a tenth of the posterior's standard deviation, and standard deviations within so much.
    static let meanBand = 0.1
    static let deviationBand = 0.15

    @Test(arguments: names)
    func momentsAreThoseOfThePosterior(name: String) async throws {
      let folder = try TemporaryFolder()
      let file = URL(fileURLWithPath: "\(PosteriorReferences.folder)/references.json")
      let references = try JSONDecoder().decode([String: Reference].self, from: Data(contentsOf: file))
      let reference = try #require(references[name])
      let fitted = try await fit(
        "\(PosteriorReferences.folder)/\(name).yaml", ["--workers", "1"], in: folder)
      let result = try await CommandRun.run(
        ["sample", fitted.path, "--draws", "\(PosteriorReferences.draws)"], in: folder)
      try #require(result.exitCode == 0, "\(result)")
      let columns = try PosteriorReferences.columns(result.output)
      for (column, expected) in reference.columns.sorted(by: { $0.key < $1.key }) {
        let values = try #require(columns[column], "no column \(column) among \(columns.keys.sorted())")
        let count = Double(values.count)
        let mean = values.reduce(0, +) / count
        let sd = (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count).squareRoot()
        let error = 3 * (expected.sd * expected.sd / count + expected.mcse * expected.mcse).squareRoot()
        #expect(
          abs(mean - expected.mean) <= PosteriorReferences.meanBand * expected.sd + error,
          "\(name) \(column): mean \(mean) \(expected)")
        #expect(
          abs(sd / expected.sd - 1) <= PosteriorReferences.deviationBand,
          "\(name) \(column): s.d. \(sd) \(expected)")
      }
    }

    /// A table's columns by name; names may be quoted.
    private static func columns(_ csv: String) throws -> [String: [Double]] {
      let lines = csv.split(separator: "\n")
      let names = try #require(lines.first).split(separator: ",").map {
        $0.trimmingCharacters(in: CharacterSet(charactersIn: "\""))
      }
      let rows = lines.dropFirst().map { $0.split(separator: ",").compactMap { Double($0) } }
      try #require(rows.allSatisfy { $0.count == names.count })
      return Dictionary(
        uniqueKeysWithValues: names.enumerated().map { place, name in (name, rows.map { $0[place] }) })
    }
  }
}
