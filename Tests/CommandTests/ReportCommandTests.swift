import Foundation
import TestKit
import Testing

extension Commands {
  @Suite struct Report {
    private static let short = setting("inference.iterations=200", "inference.objective.every=20")

    @Test("A fit ends with a report, and `isomix report` writes the same bytes again")
    func writtenTwice() async throws {
      let folder = try TemporaryFolder()
      for spec in [Examples.mixture2D, Examples.wine] {
        let name = URL(fileURLWithPath: spec).deletingPathExtension().lastPathComponent
        let fitted = try await fit(spec, Self.short + ["--workers", "1"], in: folder, output: name)
        let first = try fitted.text("report.html")
        let again = try await CommandRun.run(
          ["report", fitted.path, "--output", folder("again.html")], in: folder)
        #expect(again.exitCode == 0 && again.lines == [folder("again.html")], "\(again)")
        #expect(try String(contentsOfFile: folder("again.html"), encoding: .utf8) == first)
        #expect(first.hasSuffix("</html>\n"))
      }
    }

    @Test("But for times and workers, a report does not depend on the workers")
    func sameOverWorkers() async throws {
      let folder = try TemporaryFolder()
      let one = try await fit(
        Examples.breastCancer, Self.short + ["--workers", "1"], in: folder, output: "one")
      let three = try await fit(
        Examples.breastCancer, Self.short + ["--workers", "3"], in: folder, output: "three")
      // What is about times and workers is taken from the first.
      for name in ["workers.json"] { try copy(name, from: one, to: three) }
      var summary = try three.json("summary.json")
      for key in ["seconds", "workers", "bytes_sent", "bytes_received", "lost_workers", "redispatched_tiles"]
      {
        summary[key] = try one.json("summary.json")[key]
      }
      try JSONSerialization.data(withJSONObject: summary).write(
        to: URL(fileURLWithPath: three.path + "/summary.json"))
      let (first, third) = (try one.text("trace.csv"), try three.text("trace.csv"))
      let lines = zip(first.split(separator: "\n"), third.split(separator: "\n")).map { a, b in
        var cells = b.split(separator: ",", omittingEmptySubsequences: false)
        let other = a.split(separator: ",", omittingEmptySubsequences: false)
        cells[1] = other[1]
        cells[9] = other[9]
        return cells.joined(separator: ",")
      }
      try (lines.joined(separator: "\n") + "\n").write(
        toFile: three.path + "/trace.csv", atomically: true, encoding: .utf8)
      for fitted in [one, three] {
        let result = try await CommandRun.run(["report", fitted.path], in: folder)
        #expect(result.exitCode == 0, "\(result)")
      }
      #expect(try one.text("report.html") == three.text("report.html"))
    }

    @Test("The workers' time line covers the run, and no worker is busier than there is time")
    func timeline() async throws {
      let folder = try TemporaryFolder()
      let fitted = try await fit(
        Examples.components200, setting("inference.iterations=100") + ["--workers", "2"], in: folder)
      let record = try fitted.json("workers.json")
      let workers = try #require(record["workers"] as? [[String: Any]])
      #expect(workers.count == 2)
      for worker in workers {
        let busy = try #require(worker["busy"] as? [Double])
        #expect(!busy.isEmpty && busy.count <= 128 && busy.allSatisfy { (0...1).contains($0) })
        #expect(busy.reduce(0, +) > 0)
      }
    }

    @Test("A report says what is not in the folder any more, and a folder without a fit is an error")
    func missing() async throws {
      let folder = try TemporaryFolder()
      let fitted = try await fit(Examples.wine, Self.short + ["--workers", "1"], in: folder)
      for name in ["workers.json", "diagnostics.json", "trace.csv"] {
        try FileManager.default.removeItem(atPath: fitted.path + "/" + name)
      }
      try FileManager.default.removeItem(atPath: folder("cache"))
      let result = try await CommandRun.run(["report", fitted.path], in: folder)
      #expect(result.exitCode == 0, "\(result)")
      let html = try fitted.text("report.html")
      for words in ["no workers.json", "did not judge itself", "no evaluations", "could not be opened"] {
        #expect(html.contains(words), "\(words)")
      }
      let nothing = try await CommandRun.run(["report", folder("nowhere")], in: folder)
      #expect(nothing.exitCode == 66 && nothing.errors.contains("nowhere"), "\(nothing)")
      let unwritable = try await CommandRun.run(
        ["report", fitted.path, "--output", folder("no/such/folder.html")], in: folder)
      #expect(unwritable.exitCode == 73, "\(unwritable)")
    }

    private func copy(_ name: String, from: FitFolder, to: FitFolder) throws {
      try FileManager.default.removeItem(atPath: to.path + "/" + name)
      try FileManager.default.copyItem(atPath: from.path + "/" + name, toPath: to.path + "/" + name)
    }
  }
}
