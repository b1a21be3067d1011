import Datasets
import NumericsKit
import Posteriors
import Reporting

/// What the fit predicts of rows whose responses are known: of test data, or of training data where there are none.
package struct Predictions {
  package enum Kind: Sendable, Equatable {
    /// Numbers, whole or real.
    case numbers
    /// Classes by name.
    case classes([String])
  }

  let kind: Kind
  let response: String
  /// Predictive means `[rows]`, or class probabilities row by row `[rows, classes]`.
  let expected: [Double]
  /// Observed responses `[rows]`: numbers, or class indices.
  let observed: [Double]
  /// Share of predictive draws below the observation, ties split by a uniform, `[rows]`; empty where the target makes
  /// no predictive draws.
  let ranks: [Double]
  let isTest: Bool
  /// Rows of the data set, of which `observed.count` were used.
  let totalRows: Int
  let draws: Int

  var rows: Int { observed.count }

  /// Rows at most; fewer when they are wide.
  static let mostRows = 50_000
  private static let chunk = 256
  private static let drawRange = 50...500
  /// Multiplications that may be spent.
  private static let budget = 2_000_000_000
  private static let mostNumbers = 4_000_000

  /// Predictions that were made elsewhere.
  package init(
    kind: Kind, response: String, expected: [Double], observed: [Double], ranks: [Double], isTest: Bool,
    totalRows: Int, draws: Int
  ) {
    (self.kind, self.response, self.expected, self.observed) = (kind, response, expected, observed)
    (self.ranks, self.isTest, self.totalRows, self.draws) = (ranks, isTest, totalRows, draws)
  }

  /// Nil when there is nothing to predict; throws when the data can't be read.
  init?(_ shape: MixtureShape, target: any LogDensity, train: Design?, test: Design?) throws {
    guard let predicted = target.predictedResponse, let design = test ?? train else { return nil }
    isTest = test != nil
    totalRows = design.manifest.rows
    response = design.manifest.response ?? "response"
    let width = predicted.expectationWidth
    let kind = Predictions.kind(predicted, named: design.manifest.classes)
    self.kind = kind
    let cost = max(design.manifest.columns.count, target.dimension) * 2
    let limit = min(
      Predictions.mostRows, max(1000, Predictions.budget / (cost * Predictions.drawRange.lowerBound)))
    let ranges = Predictions.ranges(
      rows: totalRows, perShard: design.manifest.rowsPerShard, most: limit)
    let used = max(1, ranges.reduce(0) { $0 + $1.count })
    let draws = min(
      max(Predictions.budget / (cost * used), Predictions.drawRange.lowerBound),
      Predictions.drawRange.upperBound,
      max(Predictions.drawRange.lowerBound, Predictions.mostNumbers / (Predictions.chunk * width)))
    self.draws = draws
    let theta = shape.draws(draws)
    let workspace = DensityWorkspace()
    var expected: [Double] = []
    var observed: [Double] = []
    var ranks: [Double] = []
    for range in ranges {
      try design.withRows(range) { rows in
        var values = [Double](repeating: .nan, count: draws * width * rows.count)
        target.computeExpectations(rows, draws: theta, count: draws, into: &values, workspace: workspace)
        for row in 0..<rows.count {
          observed.append(rows.responses[row])
          var means = [Double](repeating: 0, count: width)
          for s in 0..<draws {
            for c in 0..<width { means[c] += values[(s * width + c) * rows.count + row] }
          }
          for c in 0..<width { means[c] /= Double(draws) }
          // Of two classes only the second's probability was computed.
          if case .classes = kind, width == 1 { means = [1 - means[0], means[0]] }
          expected += means
        }
        if kind == .numbers {
          ranks += Predictions.ranks(target, rows, theta, draws: draws, first: range.lowerBound, workspace)
        }
      }
    }
    self.expected = expected
    self.observed = observed
    self.ranks = ranks.allSatisfy(\.isFinite) ? ranks : []
    // A target that predicts nothing leaves what it was given.
    guard expected.contains(where: \.isFinite) else { return nil }
  }

  /// The kind of a response, with the data's names of its classes.
  private static func kind(_ predicted: PredictedResponse, named known: [String]) -> Kind {
    switch predicted {
    case .real, .count: .numbers
    case .classes(let names): .classes(known.count == names.count ? known : names)
    }
  }

  /// Chunks of rows within shards, all of them or evenly spread ones.
  package static func ranges(rows: Int, perShard: Int, most: Int) -> [Range<Int>] {
    var all: [Range<Int>] = []
    var start = 0
    while start < rows {
      let endOfShard = (start / max(1, perShard) + 1) * max(1, perShard)
      let end = min(rows, endOfShard, start + chunk)
      all.append(start..<end)
      start = end
    }
    let keep = max(1, most / chunk)
    guard rows > most, all.count > keep else { return all }
    return (0..<keep).map { all[$0 * all.count / keep] }
  }

  /// The share of predictive draws below each observation.
  private static func ranks(
    _ target: any LogDensity, _ rows: RowBlock, _ theta: [Double], draws: Int, first: Int,
    _ workspace: DensityWorkspace
  ) -> [Double] {
    let noise = Noise(seed: 1)
    var uniforms = [Double](repeating: 0, count: draws * rows.count)
    noise.fillUniforms(
      .prediction, iteration: 3, component: first, samples: 0..<draws, dimension: rows.count, into: &uniforms)
    var values = [Double](repeating: .nan, count: draws * rows.count)
    target.computeResponses(
      rows, draws: theta, count: draws, uniforms: uniforms, into: &values, workspace: workspace)
    var ties = [Double](repeating: 0, count: rows.count)
    noise.fillUniforms(
      .prediction, iteration: 4, component: first, samples: 0..<1, dimension: rows.count, into: &ties)
    return (0..<rows.count).map { row in
      let seen = rows.responses[row]
      var (below, equal) = (0.0, 0.0)
      for s in 0..<draws {
        let value = values[s * rows.count + row]
        guard value.isFinite else { return .nan }
        if value < seen { below += 1 } else if value == seen { equal += 1 }
      }
      return (below + ties[row] * equal) / Double(draws)
    }
  }

  /// The probabilities of one class and whether it was the observed one.
  func oneAgainstRest(_ index: Int, classes: Int) -> (probabilities: [Double], isIt: [Bool]) {
    (
      (0..<rows).map { expected[$0 * classes + index] }, observed.map { Int($0) == index }
    )
  }
}
