import Report
import Testing

@Suite struct PredictionTests {
  private func predictions(
    _ kind: Predictions.Kind, _ expected: [Double], _ observed: [Double], ranks: [Double] = []
  )
    -> Predictions
  {
    Predictions(
      kind: kind, response: "y <1>", expected: expected, observed: observed, ranks: ranks, isTest: true,
      totalRows: observed.count, draws: 100)
  }

  private func report(_ parts: [Markup]) -> ParsedReport {
    ParsedReport(Markup.element("div", [:], parts).html)
  }

  @Test(
    "Numbers have their predictions, residuals and ranks, and say what share of the variance they explain")
  func numbers() {
    let observed = (0..<3000).map { Double(($0 * 7919) % 101) / 10 }
    let expected = observed.enumerated().map { $0 % 2 == 0 ? $1 + 0.5 : $1 - 0.5 }
    let ranks = (0..<3000).map { (Double(($0 * 31) % 3000) + 0.5) / 3000 }
    let parsed = report(
      RegressionPlots(predictions: predictions(.numbers, expected, observed, ranks: ranks)).markup())
    #expect(parsed.problem == nil)
    #expect(parsed.counts["figure"] == 3)
    #expect(parsed.text.contains("Root mean squared error 0.500"))
    #expect(parsed.text.contains("interval holds 90\u{202F}%"), "\(parsed.text)")
    #expect(parsed.text.contains("y <1>"))
  }

  @Test("Predictions that are not finite, all the same, or too few are said or left out")
  func degenerate() {
    for (expected, observed) in [
      ([Double.nan, 1, 2], [1.0, 1, 2]), ([1, 1, 1], [1, 1, 1]), ([1], [1]), ([], []),
      ([.infinity, 1, 3], [0, 1, 2]),
    ] as [([Double], [Double])] {
      let parsed = report(RegressionPlots(predictions: predictions(.numbers, expected, observed)).markup())
      #expect(parsed.problem == nil)
      #expect(!parsed.text.contains("nan") && !parsed.text.contains("inf"), "\(parsed.text)")
    }
  }

  @Test("Two classes are one question, and several are asked one against the rest, the first eight")
  func classes() {
    for count in [2, 3, 12] {
      let names = (0..<count).map { "class <\($0)>" }
      let observed = (0..<240).map { Double($0 % count) }
      let expected = observed.flatMap { seen in
        (0..<count).map { Double($0) == seen ? 0.8 : 0.2 / Double(count - 1) }
      }
      let parsed = report(
        ClassifierPlots(predictions: predictions(.classes(names), expected, observed), classes: names)
          .markup())
      #expect(parsed.problem == nil)
      #expect(parsed.counts["figure"] == 2)
      // Said with certainty and always right: a perfect ranking.
      #expect(parsed.text.contains("AUC 1.000"))
      #expect(parsed.text.contains("The first 8 of 12 classes") == (count == 12))
      #expect(parsed.text.contains("class <1>"))
    }
  }

  @Test("One class alone has no ROC curve, which is said")
  func oneClass() {
    let parsed = report(
      ClassifierPlots(
        predictions: predictions(.classes(["a", "b"]), [0.2, 0.8, 0.4, 0.6], [1, 1]), classes: ["a", "b"]
      ).markup())
    #expect(parsed.problem == nil && parsed.text.contains("one class only"))
  }

  @Test("Rows are taken in blocks within shards: all of them, or evenly spread ones")
  func ranges() {
    let all = Predictions.ranges(rows: 5000, perShard: 1024, most: 5000)
    #expect(all.flatMap { Array($0) } == Array(0..<5000))
    #expect(all.allSatisfy { $0.lowerBound / 1024 == ($0.upperBound - 1) / 1024 })
    let some = Predictions.ranges(rows: 1_000_000, perShard: 65_536, most: 50_000)
    let count = some.reduce(0) { $0 + $1.count }
    #expect(count <= 50_000 && count > 45_000)
    #expect((some.last?.upperBound ?? 0) > 990_000)
  }
}
