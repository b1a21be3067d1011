import Inference
import Testing

@Suite struct IterateStatisticsTests {
  struct Reference: Sendable {
    let rows: Int
    let column: Int
    let rHat: Double
    let size: Double
    let error: Double
  }

  /// Columns: white, correlated, drifting, far from the origin, alternating, periodic.
  static func iterates(_ rows: Int) -> [Double] {
    var state: UInt32 = 12345
    func next() -> Double {
      state = 1_664_525 &* state &+ 1_013_904_223
      return Double(state) / 4_294_967_296 - 0.5
    }
    var correlated = 0.0
    var alternating = 0.0
    var values: [Double] = []
    for t in 0..<rows {
      let white = next()
      let other = next()
      if t > 0 {
        correlated = 0.9 * correlated + other
        alternating = -0.5 * alternating + white
      }
      values += [
        white, correlated, white + 3 * Double(t) / Double(rows), 1e6 + correlated, alternating,
        Double(t % 50) / 50 + 0.1 * white,
      ]
    }
    return values
  }

  // ArviZ 0.23.4: rhat(method="identity") of both halves, ess(method="mean"), mcse(method="mean") of one chain; see
  // cluster/examples/reference/diagnostics.py.
  static let references = [
    Reference(
      rows: 9, column: 0, rHat: 0.8681838004211593, size: 7.224719895935548, error: 0.12377053308812122),
    Reference(
      rows: 9, column: 1, rHat: 1.0331713831471874, size: 7.224719895935548, error: 0.08265313816746866),
    Reference(
      rows: 9, column: 2, rHat: 1.9462001467608334, size: 7.224719895935548, error: 0.3865951998578339),
    Reference(
      rows: 9, column: 3, rHat: 1.0331713833229437, size: 7.224719895935548, error: 0.08265313816727111),
    Reference(
      rows: 9, column: 4, rHat: 0.8716308389067495, size: 7.224719895935548, error: 0.1383274401520084),
    Reference(
      rows: 9, column: 5, rHat: 1.5914804185881875, size: 7.224719895935548, error: 0.026099508223753346),
    Reference(
      rows: 100, column: 0, rHat: 0.992314435474798, size: 123.38212333679508, error: 0.02472886980947898),
    Reference(
      rows: 100, column: 1, rHat: 1.6090949565085515, size: 1.7956619034204047, error: 0.5118404130347641),
    Reference(
      rows: 100, column: 2, rHat: 2.294178611539387, size: 1.3426077476412124, error: 0.7714137709621794),
    Reference(
      rows: 100, column: 3, rHat: 1.6090949566450894, size: 1.7956619032224688, error: 0.5118404130638528),
    Reference(rows: 100, column: 4, rHat: 0.9913247889515019, size: 200.0, error: 0.024463811310655573),
    Reference(
      rows: 100, column: 5, rHat: 0.9899707163226406, size: 6.092800422702285, error: 0.11740187004915084),
    Reference(
      rows: 1001, column: 0, rHat: 1.0027549086938854, size: 914.4594227294815, error: 0.009213805082658455),
    Reference(
      rows: 1001, column: 1, rHat: 0.999234011383862, size: 40.086750952021355, error: 0.1178212644742501),
    Reference(
      rows: 1001, column: 2, rHat: 2.293720382588982, size: 1.2511809674244576, error: 0.7947713450993581),
    Reference(
      rows: 1001, column: 3, rHat: 0.9992340113856785, size: 40.08675095089912, error: 0.11782126447587357),
    Reference(
      rows: 1001, column: 4, rHat: 1.000309364965915, size: 2110.6966206487305, error: 0.007062213067427702),
    Reference(
      rows: 1001, column: 5, rHat: 0.9990342425452329, size: 100.88317454144806, error: 0.028855329957143763),
  ]

  @Test("R̂, effective sample size and standard error are those of ArviZ", arguments: references)
  func arviz(reference: Reference) {
    // The same rows again amid others: a window must not look outside.
    let own = Self.iterates(reference.rows)
    let around = [Double](repeating: 1e9, count: 6 * 5)
    for (values, first) in [(own, 0), (around + own + around, 5)] {
      let rows = first..<first + reference.rows
      let rHat = IterateStatistics.splitRHat(values, rows: rows, parameters: 6)[reference.column]
      let size = IterateStatistics.effectiveSampleSizes(values, rows: rows, parameters: 6)[reference.column]
      let error = IterateStatistics.standardErrors(values, rows: rows, parameters: 6)[reference.column]
      #expect(abs(rHat / reference.rHat - 1) < 1e-8)
      #expect(abs(size / reference.size - 1) < 1e-7)
      #expect(abs(error / reference.error - 1) < 1e-7)
    }
  }

  @Test("The maximum is that of the worst parameter, and NaN when one can't be judged")
  func maximum() {
    var values = Self.iterates(100)
    #expect(
      abs(IterateStatistics.maximumSplitRHat(values, rows: 0..<100, parameters: 6) - 2.294178611539387) < 1e-9
    )
    values[6 * 30 + 4] = .nan
    #expect(IterateStatistics.maximumSplitRHat(values, rows: 0..<100, parameters: 6).isNaN)
    #expect(IterateStatistics.effectiveSampleSizes(values, rows: 0..<100, parameters: 6)[4].isNaN)
    #expect(IterateStatistics.maximumSplitRHat(values, rows: 40..<100, parameters: 6).isFinite)
  }

  @Test("A parameter that never changes is stationary and known exactly")
  func constants() {
    let values = (0..<40).flatMap { [0.1, $0 < 20 ? 0.1 : 0.3] }
    #expect(IterateStatistics.splitRHat(values, rows: 0..<40, parameters: 2) == [1, .infinity])
    #expect(IterateStatistics.effectiveSampleSizes(values, rows: 0..<40, parameters: 2)[0] == 40)
    #expect(IterateStatistics.standardErrors(values, rows: 0..<40, parameters: 2)[0] == 0)
    #expect(IterateStatistics.means(values, rows: 0..<40, parameters: 2)[0] == 0.1)
    #expect(abs(IterateStatistics.means(values, rows: 0..<40, parameters: 2)[1] - 0.2) < 1e-15)
  }

  @Test("Three rows have no statistics, no parameter no numbers")
  func tooShort() {
    #expect(IterateStatistics.splitRHat([1, 2, 3], rows: 0..<3, parameters: 1)[0].isNaN)
    #expect(IterateStatistics.effectiveSampleSizes([1, 2, 3], rows: 0..<3, parameters: 1)[0].isNaN)
    #expect(IterateStatistics.maximumSplitRHat([1, 2, 3], rows: 0..<3, parameters: 1).isNaN)
    #expect(IterateStatistics.splitRHat([], rows: 0..<10, parameters: 0).isEmpty)
    #expect(IterateStatistics.effectiveSampleSizes([], rows: 0..<10, parameters: 0).isEmpty)
  }

  @Test("Columns of a wide matrix have the statistics that they have alone")
  func wide() {
    let parameters = 1037
    let narrow = Self.iterates(120)
    var values: [Double] = []
    for t in 0..<120 {
      for column in 0..<parameters { values.append(narrow[t * 6 + column % 6] * Double(column + 1)) }
    }
    let rHats = IterateStatistics.splitRHat(values, rows: 0..<120, parameters: parameters)
    let sizes = IterateStatistics.effectiveSampleSizes(values, rows: 0..<120, parameters: parameters)
    let expectedRHats = IterateStatistics.splitRHat(narrow, rows: 0..<120, parameters: 6)
    let expectedSizes = IterateStatistics.effectiveSampleSizes(narrow, rows: 0..<120, parameters: 6)
    for column in 0..<parameters {
      #expect(abs(rHats[column] / expectedRHats[column % 6] - 1) < 1e-7)
      #expect(abs(sizes[column] / expectedSizes[column % 6] - 1) < 1e-6)
    }
  }
}
