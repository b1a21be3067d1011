import Foundation
import TestKit
import Testing

extension Commands {
  /// How much memory the processes take, from the kernel's own account.
  @Suite(.serialized) struct Memory {
    /// The peak of a run's memory, read until it ends.
    private static func peak_kB(_ run: CommandRun) async throws -> Int {
      var peak = 0
      while !run.hasEnded {
        peak = max(peak, ProcessTable.kilobytes("VmHWM", of: run.processID) ?? 0)
        try await Task.sleep(for: .milliseconds(2))
      }
      return peak
    }

    /// A CSV file of 30 columns.
    private static func table(rows: Int, in folder: TemporaryFolder) throws -> String {
      var generator = SeededGenerator(seed: 1)
      let lines = (0..<1000).map { _ in
        (0..<30).map { _ in "\(Float.random(in: -1...1, using: &generator))" }.joined(separator: ",") + "\n"
      }
      let block = Data(lines.joined().utf8)
      var data = Data(((0..<30).map { "x\($0)" }.joined(separator: ",") + "\n").utf8)
      for _ in 0..<rows / 1000 { data.append(block) }
      return try folder.write(data, to: "\(rows).csv")
    }

    @Test func importOfATenfoldFileTakesNoMoreMemory() async throws {
      let folder = try TemporaryFolder()
      var peaks: [Int] = []
      for rows in [150_000, 1_500_000] {
        let file = try Memory.table(rows: rows, in: folder)
        let run = try CommandRun(
          ["data", "import", file, "--output", folder("table-\(rows)")], in: folder)
        peaks.append(try await Memory.peak_kB(run))
        #expect(try await run.finish().exitCode == 0)
      }
      #expect(peaks[0] > 10_000, "the peak was not seen: \(peaks)")
      // The larger file has ten times the 45 MB of the smaller one; chunks that are under way at once, and what
      // threads' allocators keep, differ by less.
      #expect(peaks[1] < peaks[0] + 49_152, "\(peaks) kB")
    }

    @Test func workersMapRowsAndCopyNone() async throws {
      let folder = try TemporaryFolder()
      let spec = try TallData.write(to: folder, precision: "float64")
      let run = try CommandRun(
        ["fit", spec, "--output", folder("out"), "--workers", "2", "--progress", "none"] + endless, in: folder
      )
      #expect(try await run.waitForReady(2, output: folder("out")))
      // Long enough for every row to have been read.
      try await Task.sleep(for: .seconds(1))
      let workers = run.workers
      #expect(workers.count == 2)
      let rows_kB = TallData.rows * (TallData.columns + 2) * 8 / 1024
      for worker in workers {
        let mapped = try #require(ProcessTable.kilobytes("RssFile", of: worker))
        let own = try #require(ProcessTable.kilobytes("RssAnon", of: worker))
        #expect(mapped > rows_kB / 2, "the rows are not mapped: \(mapped) kB of files")
        #expect(own < 32_768, "\(own) kB of the worker's own memory")
        #expect(try #require(ProcessTable.kilobytes("VmHWM", of: worker)) < 2 * rows_kB + 200 * 1024)
      }
    }
  }
}
