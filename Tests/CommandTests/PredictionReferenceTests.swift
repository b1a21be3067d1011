import Foundation
import TestKit
import Testing

/// A mixture that is set by hand, and SciPy's predictions of rows: `Tests/References/predictions/reference.py`.
struct PredictionCase: Decodable, Sendable, CustomTestStringConvertible {
  var name: String
  var model: String
  var means: [[Double]]
  var variances: [Double]
  var responses: [Double]
  var probabilities: [Double]
  /// Of each row: mean, standard deviation (nil: infinite) and quantiles, or the classes' probabilities.
  var expected: [[Double?]]
  var logPredictiveDensity: Double
  var tolerance: Double

  var testDescription: String { name }
  var hasClasses: Bool { probabilities.isEmpty }
  /// Of `isomix predict`.
  var options: [String] {
    hasClasses ? [] : ["--quantiles", probabilities.map { "\($0)" }.joined(separator: ",")]
  }

  static func all() throws -> [PredictionCase] {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("References/predictions/references.json")
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode([PredictionCase].self, from: Data(contentsOf: file))
  }
}

extension Commands.Predict {
  private static let newRows = ["0.5,-1.5", "2,1", "0,0", "-3,4"]

  private func fitted(_ wanted: PredictionCase, in folder: TemporaryFolder) async throws -> FitFolder {
    let classes = wanted.hasClasses ? wanted.expected[0].count : 2
    let train = (0..<8).map { "\($0 % 3),\($0 / 2),\($0 % classes)\n" }.joined()
    return try await handMade(
      wanted.model, train: "a,b,y\n" + train, means: wanted.means, variances: wanted.variances, in: folder,
      output: "fit")
  }

  @Test(arguments: try PredictionCase.all())
  func predictionsWithoutDrawsAreSciPys(_ wanted: PredictionCase) async throws {
    let folder = try TemporaryFolder()
    let done = try await fitted(wanted, in: folder)
    let lines = zip(Self.newRows, wanted.responses).map { row, response in
      "\(row),\(response == response.rounded() ? String(Int(response)) : String(response))\n"
    }
    try folder.write("a,b,y\n" + lines.joined(), to: "new.csv")
    let run = try await CommandRun.run(
      ["predict", done.path, "--data", folder("new.csv"), "--scores", folder("scores.json")]
        + wanted.options,
      in: folder)
    #expect(run.exitCode == 0, "\(run)")
    let found = try table(run.output)
    #expect(found.count == wanted.expected.count)
    for (row, numbers) in zip(found, wanted.expected) {
      #expect(row.count == numbers.count + (wanted.hasClasses ? 1 : 0))
      for (value, number) in zip(row, numbers) {
        let number = number ?? .infinity
        #expect(
          value == number || abs(value - number) <= wanted.tolerance * max(1, abs(number)),
          "\(row) \(numbers)")
      }
    }
    let scores = try FitFolder(path: folder.path).json("scores.json")
    let density = try #require(scores["log_predictive_density"] as? Double)
    #expect(abs(density - wanted.logPredictiveDensity) <= wanted.tolerance * 5, "\(density)")
    // None of these took draws.
    let other = try await CommandRun.run(
      ["predict", done.path, "--data", folder("new.csv"), "--seed", "2"]
        + wanted.options,
      in: folder)
    #expect(other.output == run.output)
  }

  @Test(arguments: [
    "narrow, 4 degrees", "wide, 4 degrees", "three classes", "near, three classes", "near, large counts",
    "spread overdispersions",
  ])
  func rowsArePredictedAloneAsAmongOthers(_ name: String) async throws {
    let folder = try TemporaryFolder()
    let wanted = try #require(try PredictionCase.all().first { $0.name == name })
    let done = try await fitted(wanted, in: folder)
    // Narrow rows and wide ones, mixed.
    let rows = (0..<3000).map { place in
      let (a, b) = (Double(place % 37) / 9 - 2, Double(place % 101) * 0.01)
      return "\(a),\(place % 7 == 0 ? 50 * b : b)"
    }
    try folder.write("a,b\n" + rows.joined(separator: "\n") + "\n", to: "all.csv")
    let all = try await CommandRun.run(["predict", done.path, "--data", folder("all.csv")], in: folder)
    let workers = try await CommandRun.run(
      ["predict", done.path, "--data", folder("all.csv"), "--workers", "3", "--threads", "2"], in: folder)
    #expect(all.exitCode == 0 && workers.output == all.output)
    let together = try table(all.output)
    for place in [0, 7, 1234, 2999] {
      try folder.write("a,b\n\(rows[place])\n", to: "one.csv")
      let one = try await CommandRun.run(["predict", done.path, "--data", folder("one.csv")], in: folder)
      // Matrix products of other shapes round differently.
      for (value, number) in zip(try table(one.output)[0], together[place]) {
        #expect(abs(value - number) <= 1e-10 * max(1, abs(number)), "row \(place)")
      }
    }
  }

  @Test func quantilesOfClassProbabilitiesTakeDraws() async throws {
    let folder = try TemporaryFolder()
    let wanted = try #require(try PredictionCase.all().first { $0.name == "three classes" })
    let done = try await fitted(wanted, in: folder)
    try folder.write("a,b\n" + Self.newRows.joined(separator: "\n") + "\n", to: "new.csv")
    let arguments = ["predict", done.path, "--data", folder("new.csv"), "--of", "mean"]
    let first = try await CommandRun.run(arguments, in: folder)
    let second = try await CommandRun.run(arguments + ["--seed", "2"], in: folder)
    #expect(first.exitCode == 0 && first.output != second.output)
    // Their averages are those without draws up to the draws' error.
    let drawn = try await CommandRun.run(
      ["predict", done.path, "--data", folder("new.csv"), "--draws", "40000"], in: folder)
    for (row, numbers) in zip(try table(drawn.output), wanted.expected) {
      for (value, number) in zip(row, numbers) {
        #expect(abs(value - (number ?? 0)) < 5 * 0.5 / 40000.0.squareRoot())
      }
    }
  }
}
