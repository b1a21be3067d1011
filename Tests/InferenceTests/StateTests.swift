import Inference
import Mixtures
import NumericsKit
import Specification
import Testing

@Suite("What travels")
struct StateTests {
  @Test("a mixture is read as it was written, bit by bit")
  func state() {
    let mixture = IsotropicMixture(
      componentCount: 2, dimension: 3,
      means: [1.5, -0.0, .pi, Double.leastNormalMagnitude / 4, .greatestFiniteMagnitude, -7],
      variances: [0.1, 2])
    let bytes = JobState.encode(mixture)
    #expect(bytes.count == 64 && bytes.count == JobState.byteCount(components: 2, dimension: 3))
    // 1.5 as a little-endian float64, and 2.
    #expect(
      bytes.prefix(8) == [0, 0, 0, 0, 0, 0, 0xF8, 0x3F] && bytes.suffix(8) == [0, 0, 0, 0, 0, 0, 0, 0x40])
    let again = JobState.decode(bytes, components: 2, dimension: 3)
    #expect(again?.means.map(\.bitPattern) == mixture.means.map(\.bitPattern))
    #expect(again?.variances == mixture.variances)
  }

  @Test("bytes of another size are no state")
  func wrongSizes() {
    let bytes = [UInt8](repeating: 0, count: 64)
    #expect(JobState.decode(bytes, components: 2, dimension: 3) != nil)
    #expect(JobState.decode(bytes, components: 3, dimension: 2) == nil)
    for count in [0, 8, 63, 65, 72] {
      #expect(JobState.decode([UInt8](repeating: 0, count: count), components: 2, dimension: 3) == nil)
    }
  }

  @Test("a set-up is read as it was written, and the same set-up is the same bytes")
  func setup() throws {
    let setup = try Examples.analytic()
    let bytes = try setup.encoded()
    let again = try FitSetup(decoding: bytes)
    #expect(again.specification == setup.specification && again.plan == setup.plan)
    #expect(try again.encoded() == bytes)
    #expect(try Examples.analytic().encoded() == bytes)
    #expect(setup.dataDigest.isEmpty)
    let folder = try TemporaryFolder()
    let logistic = try Examples.logistic(in: folder).setup
    let read = try FitSetup(decoding: logistic.encoded())
    #expect(read.train == logistic.train && read.test == logistic.test)
    #expect(read.dataDigest.count == 64 + 1 + 64)
  }

  @Test("nonsense is no set-up, and a plan of another problem is refused")
  func badSetup() throws {
    for bytes in [[], Array("{}".utf8), Array("null".utf8), [0xFF]] as [[UInt8]] {
      #expect(throws: FitError.self) { try FitSetup(decoding: bytes) }
    }
    var setup = try Examples.analytic()
    setup.plan = Planner.plan(
      ProblemSize(
        components: 3, dimension: 4, samples: 7, objectiveDraws: 60, predictionDraws: 1000, rows: 0,
        rowsPerShard: 0, testRows: 0, testRowsPerShard: 0, columns: 0))
    #expect(throws: FitError.self) { try Problem(setup) }
    for change in [
      { (plan: inout JobPlan) in plan.componentsPerBlock = 0 }, { $0.samplesPerTile = 0 },
      { $0.rowsPerTile = -1 },
      { $0.components = 4 }, { $0.samples = -1 }, { $0.unitWidth = 4 },
    ] {
      var setup = try Examples.analytic()
      change(&setup.plan.gradient)
      #expect(throws: FitError.self) { try Problem(setup) }
    }
  }

  @Test("work that a run has not is refused")
  func badWork() throws {
    let problem = try Problem(Examples.analytic())
    let state = JobState.encode(try Fit(problem).mixture)
    for kind in [3, 4, 255] as [UInt8] {
      #expect(throws: FitError.self) { try TileJob(problem, kind: kind, iteration: 0, state: state) }
    }
    #expect(throws: FitError.self) { try TileJob(problem, kind: 1, iteration: 0, state: state + [0]) }
    let evaluator = TileEvaluator(problem)
    var tiles = 0
    evaluator.afterTile = { tiles += 1 }
    let leaf = TreeNode(level: 0, index: 0)
    #expect(throws: FitError.self) { try evaluator.sums(block: 0, node: leaf) }
    evaluator.load(try TileJob(problem, kind: 1, iteration: 0, state: state))
    #expect(throws: FitError.self) { try evaluator.sums(block: 99, node: leaf) }
    #expect(throws: FitError.self) { try evaluator.sums(block: -1, node: leaf) }
    #expect(throws: FitError.self) { try evaluator.sums(block: 0, node: TreeNode(level: 40, index: 0)) }
    _ = try evaluator.sums(block: 0, node: leaf)
    #expect(tiles == 1)
  }
}
