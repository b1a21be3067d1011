import Foundation
import Inference
import Mixtures
import NumericsKit
import Reporting
import TestKit
import Testing

@Suite struct CheckpointTests {
  private func example(iteration: Int = 7) throws -> Checkpoint {
    let setup = FitSetup(
      specification: "model: {family: funnel}\nmixture: {components: 2}",
      plan: Planner.plan(
        ProblemSize(
          components: 2, dimension: 3, samples: 4, objectiveDraws: 10, predictionDraws: 1, rows: 0,
          rowsPerShard: 0, testRows: 0, testRowsPerShard: 0, columns: 0)), train: nil, test: nil)
    let numbers: [[Double]] = [[1, -0.0, .pi, 1e-300, 5e300, 0.1], [], [.leastNormalMagnitude, 3]]
    let course = FitSnapshot.Course(
      iteration: iteration, isStarted: true, windowsClosed: 2, stagesDone: 1, divergences: 0,
      stepFactor: 0.25,
      control: StepControl(), metricNumber: 3, metricLogDeterminant: -1.5,
      stage: FitSnapshot.StageCourse(count: 5, averaged: 2, isAveraging: true, isOver: false), hasBest: false,
      lastStepSize: 0.1)
    return Checkpoint(
      FitSnapshot(course: course, numbers: numbers), origin: try Checkpoint.Origin(setup), build: "b",
      version: "v", seconds: 1.25)
  }

  @Test func everyBitOfTheStateComesBack() throws {
    let checkpoint = try example()
    let read = try Checkpoint(decoding: checkpoint.encoded())
    #expect(read.header == checkpoint.header)
    #expect(read.numbers.map { $0.map(\.bitPattern) } == checkpoint.numbers.map { $0.map(\.bitPattern) })
    #expect(read.numbers.map(\.count) == [6, 0, 2])
  }

  @Test func everyAlteredOrShortenedFileIsRefused() throws {
    let bytes = try example().encoded()
    for index in bytes.indices {
      var altered = bytes
      altered[index] ^= 0x10
      #expect(throws: ReportingError.self) { try Checkpoint(decoding: altered) }
      #expect(throws: ReportingError.self) { try Checkpoint(decoding: Array(bytes.prefix(index))) }
    }
  }

  @Test func fuzzedFilesCrashNothing() throws {
    var generator = SeededGenerator(seed: 11)
    let bytes = try example().encoded()
    for _ in 0..<20_000 {
      var fuzzed = bytes
      for _ in 0..<Int.random(in: 1...8, using: &generator) {
        fuzzed[Int.random(in: fuzzed.indices, using: &generator)] = UInt8.random(
          in: 0...255, using: &generator)
      }
      if Bool.random(using: &generator) {
        fuzzed.removeLast(Int.random(in: 0...fuzzed.count, using: &generator))
      }
      if fuzzed != bytes { #expect(throws: ReportingError.self) { try Checkpoint(decoding: fuzzed) } }
    }
  }

  /// A file's bytes with another body and a digest that fits it, as somebody with a purpose would make them.
  private func forged(_ change: (inout [UInt8]) -> Void) throws -> [UInt8] {
    var body = Array(try example().encoded().dropLast(Digest.byteCount))
    change(&body)
    return body + Digest.of(body).bytes
  }

  @Test func forgedFilesCrashNothing() throws {
    var generator = SeededGenerator(seed: 12)
    var read = 0
    for _ in 0..<20_000 {
      let bytes = try forged { body in
        for _ in 0..<Int.random(in: 1...4, using: &generator) {
          let place = Int.random(in: body.indices, using: &generator)
          switch Int.random(in: 0..<3, using: &generator) {
          case 0: body[place] = UInt8.random(in: 0...255, using: &generator)
          case 1: body.insert(UInt8.random(in: 48...57, using: &generator), at: place)
          default: body.removeLast(Int.random(in: 0...min(40, body.count - 1), using: &generator))
          }
        }
      }
      do {
        _ = try Checkpoint(decoding: bytes)
        read += 1
      } catch is ReportingError {}
    }
    #expect(read > 100)
  }

  @Test func anotherFormatIsNamed() throws {
    let bytes = try forged { body in
      let text = Array("\"format_version\":3".utf8)
      guard let place = body.indices.first(where: { body[$0...].starts(with: text) }) else { return }
      body[place + text.count - 1] = UInt8(ascii: "9")
    }
    let error = #expect(throws: ReportingError.self) { try Checkpoint(decoding: bytes) }
    #expect(error?.message.contains("format 9") == true, "\(String(describing: error))")
  }

  @Test func newestTwoAreKeptAndTheNewestWholeOneIsUsed() throws {
    let folder = try TemporaryFolder()
    let store = CheckpointStore(runFolder: folder.path)
    #expect(store.newest().checkpoint == nil)
    for iteration in [5, 40, 300, 2_000] { try store.write(try example(iteration: iteration)) }
    let names = try FileManager.default.contentsOfDirectory(atPath: store.folder).sorted()
    #expect(names.count == 2)
    #expect(store.newest().checkpoint?.header.course.iteration == 2_000)
    try Data([1, 2, 3]).write(to: URL(fileURLWithPath: "\(store.folder)/\(names[1])"))
    let (checkpoint, refused) = store.newest()
    #expect(checkpoint?.header.course.iteration == 300)
    #expect(refused.count == 1 && refused[0].contains(names[1]))
  }

  @Test func aDiskThatTakesNothingIsAnErrorThatNamesThePath() throws {
    let folder = try TemporaryFolder()
    let file = try folder.write("", to: "file")
    let error = #expect(throws: ReportingError.self) {
      try CheckpointStore(runFolder: file).write(try example())
    }
    #expect(error?.code == .cannotWrite && error?.message.contains(file) == true)
  }
}
