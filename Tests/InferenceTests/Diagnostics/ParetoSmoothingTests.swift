import Foundation
import Inference
import Testing

@Suite struct ParetoSmoothingTests {
  struct Reference: Sendable {
    let count: Int
    let tail: Double
    let scale: Double
    let shape: Double
    /// Smoothed log weights of the draws with the largest, third largest and smallest raw weight.
    let largest: Double
    let third: Double
    let smallest: Double
    let effectiveSampleSize: Double

    /// `−tail log(1 − u) + scale u` on a shuffled grid u = i/(S + 1).
    var logWeights: [Double] {
      (0..<count).map { s in
        let u = Double((s * 7919) % count + 1) / Double(count + 1)
        return -tail * log(1 - u) + scale * u
      }
    }
  }

  // ArviZ 0.23.4, psislw: cluster/examples/reference/diagnostics.py.
  static let references = [
    Reference(
      count: 30, tail: 0.1, scale: 0.0, shape: 0.27247639569420556, largest: -3.1569987140816616,
      third: -3.258574301613262, smallest: -3.4971184522478773, effectiveSampleSize: 29.75408349981037),
    Reference(
      count: 30, tail: 0.3, scale: 1.0, shape: 0.28398457096925483, largest: -2.3382151569407243,
      third: -2.7010748583816895, smallest: -4.294058242407113, effectiveSampleSize: 21.915676682483863),
    Reference(
      count: 30, tail: 0.6, scale: 0.0, shape: 0.38178824143356643, largest: -2.0642244134326586,
      third: -2.7050506563888037, smallest: -4.104942842429953, effectiveSampleSize: 19.987351665721462),
    Reference(
      count: 30, tail: 1.2, scale: 0.5, shape: 0.5139916941544957, largest: -1.1383926361004237,
      third: -2.3406039993453716, smallest: -5.52303773168253, effectiveSampleSize: 6.7854514581057845),
    Reference(
      count: 30, tail: 0.0, scale: 2.0, shape: 0.07758307143721016, largest: -2.6219205178625082,
      third: -2.705080511027661, smallest: -4.492888259797992, effectiveSampleSize: 23.011593776502252),
    Reference(
      count: 200, tail: 0.1, scale: 0.0, shape: 0.14043006192381613, largest: -4.87265598151402,
      third: -4.953063480088409, smallest: -5.402487718168825, effectiveSampleSize: 197.72197249656284),
    Reference(
      count: 200, tail: 0.3, scale: 1.0, shape: 0.2059129296185428, largest: -3.6884755818781882,
      third: -3.9622215663845064, smallest: -6.268020543086382, effectiveSampleSize: 132.1071162282967),
    Reference(
      count: 200, tail: 0.6, scale: 0.0, shape: 0.4855125779696758, largest: -2.9335839906422567,
      third: -3.621842195704046, smallest: -6.1125744105710815, effectiveSampleSize: 93.10413547857958),
    Reference(
      count: 200, tail: 1.2, scale: 0.5, shape: 0.9077751663269495, largest: -1.2966833562586035,
      third: -2.780961090374345, smallest: -8.024552406622728, effectiveSampleSize: 10.36057441159592),
    Reference(
      count: 200, tail: 0.0, scale: 2.0, shape: -0.5397364651029313, largest: -4.4740125276860025,
      third: -4.4740125276860025, smallest: -6.454112030173565, effectiveSampleSize: 151.53921533844365),
    Reference(
      count: 1000, tail: 0.1, scale: 0.0, shape: 0.10649613014988407, largest: -6.322048109137505,
      third: -6.40845733363259, smallest: -7.012823637035722, effectiveSampleSize: 987.9969074502578),
    Reference(
      count: 1000, tail: 0.3, scale: 1.0, shape: 0.22752084455756896, largest: -4.819402194049749,
      third: -5.1183152333280555, smallest: -7.889730775746398, effectiveSampleSize: 636.0101827813958),
    Reference(
      count: 1000, tail: 0.6, scale: 0.0, shape: 0.5292295923828053, largest: -3.625854631502232,
      third: -4.305720875127948, smallest: -7.7705077988915345, effectiveSampleSize: 330.2924208819509),
    Reference(
      count: 1000, tail: 1.2, scale: 0.5, shape: 1.0409547025252746, largest: -1.3648723347930605,
      third: -2.8718255696468065, smallest: -10.153179668572665, effectiveSampleSize: 11.975587100009149),
    Reference(
      count: 1000, tail: 0.0, scale: 2.0, shape: -0.7723191448605622, largest: -6.071759089013102,
      third: -6.071759089013102, smallest: -8.067763085017098, effectiveSampleSize: 760.9988713683721),
    Reference(
      count: 5000, tail: 0.1, scale: 0.0, shape: 0.09621449098892297, largest: -7.770753182259611,
      third: -7.86294481465542, smallest: -8.622472501401246, effectiveSampleSize: 4938.916969430926),
    Reference(
      count: 5000, tail: 0.3, scale: 1.0, shape: 0.25641576938484567, largest: -5.948363595789641,
      third: -6.258633053098644, smallest: -9.503121633198548, effectiveSampleSize: 3104.2959039292286),
    Reference(
      count: 5000, tail: 0.6, scale: 0.0, shape: 0.5598690503398389, largest: -4.295678531166344,
      third: -4.946942269502016, smallest: -9.405994446016152, effectiveSampleSize: 1151.556876651249),
    Reference(
      count: 5000, tail: 1.2, scale: 0.5, shape: 1.1175625135686584, largest: -1.4894791654621797,
      third: -2.8661303545198136, smallest: -12.209911035153795, effectiveSampleSize: 14.41559387042005),
    Reference(
      count: 5000, tail: 0.0, scale: 2.0, shape: -0.8826392537404284, largest: -7.679055483400671,
      third: -7.679055483400671, smallest: -9.678255643368677, effectiveSampleSize: 3807.8289500083415),
  ]

  @Test("k̂ and smoothed weights are those of ArviZ's psislw", arguments: references)
  func arviz(reference: Reference) throws {
    let raw = reference.logWeights
    let smoothing = try #require(ParetoSmoothing(logWeights: raw))
    #expect(abs(smoothing.shape - reference.shape) < 1e-10)
    let order = raw.indices.sorted { raw[$0] < raw[$1] }
    #expect(abs(smoothing.logWeights[order[raw.count - 1]] - reference.largest) < 1e-10)
    #expect(abs(smoothing.logWeights[order[raw.count - 3]] - reference.third) < 1e-10)
    #expect(abs(smoothing.logWeights[order[0]] - reference.smallest) < 1e-10)
    #expect(abs(smoothing.effectiveSampleSize / reference.effectiveSampleSize - 1) < 1e-10)
    #expect(abs(smoothing.logWeights.reduce(0) { $0 + exp($1) } - 1) < 1e-12)
    #expect(abs(smoothing.logMeanWeight - log(raw.reduce(0) { $0 + exp($1) } / Double(raw.count))) < 1e-12)
  }

  @Test("A factor on all weights moves the log mean weight and nothing else")
  func factor() throws {
    let raw = Self.references[7].logWeights
    let first = try #require(ParetoSmoothing(logWeights: raw))
    let second = try #require(ParetoSmoothing(logWeights: raw.map { $0 - 5000 }))
    #expect(abs(first.shape - second.shape) < 1e-8)
    #expect(abs(first.logMeanWeight - 5000 - second.logMeanWeight) < 1e-9)
    #expect(abs(first.smoothedLogMeanWeight - 5000 - second.smoothedLogMeanWeight) < 1e-9)
    #expect(abs(first.smoothedLogMeanWeight - first.logMeanWeight) < 0.05)
  }

  @Test("The threshold is min(1 − 1/log₁₀ S, 0.7)")
  func threshold() throws {
    #expect(abs(ParetoSmoothing.threshold(sampleCount: 100) - 0.5) < 1e-15)
    #expect(ParetoSmoothing.threshold(sampleCount: 5000) == 0.7)
    #expect(ParetoSmoothing.threshold(sampleCount: 1) == -.infinity)
    #expect(ParetoSmoothing.threshold(sampleCount: 0) == -.infinity)
    #expect(try #require(ParetoSmoothing(logWeights: Self.references[17].logWeights)).isReliable)
    #expect(try #require(ParetoSmoothing(logWeights: Self.references[18].logWeights)).isReliable == false)
  }

  @Test("Equal weights, up to rounding, have k̂ = −∞ and the full effective sample size", arguments: [1, 40])
  func equal(count: Int) throws {
    let raw = (0..<count).map { -1234.5 + 1e-12 * Double($0 % 3) }
    let smoothing = try #require(ParetoSmoothing(logWeights: raw))
    #expect(smoothing.shape == -.infinity)
    #expect(smoothing.isReliable == (count > 1))
    #expect(abs(smoothing.effectiveSampleSize - Double(count)) < 1e-9)
    #expect(abs(smoothing.logMeanWeight + 1234.5) < 1e-9)
  }

  @Test("Too few different weights in the tail can't be judged: k̂ = +∞, weights stay as they are")
  func shortTail() throws {
    for raw in [
      [0, 1], [0, 1, 2, 3, 4], (0..<20).map { Double($0) }, [Double](repeating: 0, count: 30) + [1],
    ] {
      let smoothing = try #require(ParetoSmoothing(logWeights: raw))
      #expect(smoothing.shape == .infinity)
      #expect(!smoothing.isReliable)
      #expect(smoothing.logMeanWeight == smoothing.smoothedLogMeanWeight)
      #expect(abs(smoothing.logWeights[1] - smoothing.logWeights[0] - raw[1] + raw[0]) < 1e-14)
    }
  }

  @Test("A weight of zero counts as a draw without weight")
  func zeroWeights() throws {
    var raw = Self.references[7].logWeights
    for s in 0..<50 { raw[4 * s] = -.infinity }
    let smoothing = try #require(ParetoSmoothing(logWeights: raw))
    #expect(smoothing.shape.isFinite)
    #expect(smoothing.logWeights[4] == -.infinity)
    #expect(smoothing.effectiveSampleSize < 150)
  }

  @Test("Weights that are not numbers, infinite, all zero or absent have no smoothing")
  func invalid() {
    #expect(ParetoSmoothing(logWeights: []) == nil)
    #expect(ParetoSmoothing(logWeights: [0, .nan]) == nil)
    #expect(ParetoSmoothing(logWeights: [0, .infinity]) == nil)
    #expect(ParetoSmoothing(logWeights: [-.infinity, -.infinity]) == nil)
  }
}
