import Foundation
import TestKit
import Testing

extension Commands {
  /// The dashboard in a real browser, kept open while things happen. `ISOMIX_DASHBOARD_PICTURES=DIR` keeps pictures of it,
  /// to be looked at.
  @Suite(.enabled(if: Chromium.executable != nil, Comment(rawValue: Chromium.missing)))
  struct DashboardInChromium {
    private static func picture(_ name: String, in folder: TemporaryFolder) -> String {
      let kept = ProcessInfo.processInfo.environment["ISOMIX_DASHBOARD_PICTURES"]
      return "\(kept ?? folder.path)/\(name).png"
    }

    /// The same state in both widths and both colours.
    private static func looks(_ name: String, _ wait: String, in folder: TemporaryFolder) -> [WatchedPage
      .Step]
    {
      let views: [(width: Int, dark: Bool)] = [(1280, false), (400, false), (1280, true), (400, true)]
      return views.map { width, dark in
        WatchedPage.Step(
          wait: wait, width: width, dark: dark,
          evaluate:
            "[document.documentElement.scrollWidth, innerWidth, getComputedStyle(document.body).backgroundColor,"
            + " \(overlaps)]",
          picture: picture("\(name)-\(width)\(dark ? "-dark" : "")", in: folder))
      }
    }

    private static let word = "document.getElementById('word').textContent"

    /// How many of the charts' words about workers that came or went run into each other.
    private static let overlaps =
      "[...document.querySelectorAll('text.change')].map(t => t.getBoundingClientRect())"
      + ".filter((a, i, all) => all.some((b, j) => j > i && a.left < b.right && b.left < a.right)).length"

    private func expectFits(_ values: ArraySlice<Any?>) {
      for value in values {
        let seen = value as? [Any]
        #expect(seen?[0] as? Int == seen?[1] as? Int, "wider than the screen: \(String(describing: seen))")
        #expect(seen?[3] as? Int == 0, "words run into each other: \(String(describing: seen))")
      }
      #expect(
        Set(values.compactMap { ($0 as? [Any])?[2] as? String }).count == 2, "light and dark look the same")
    }

    @Test(
      "A running fit, a killed worker and the fit's end are shown as they happen, and the console has nothing to say"
    )
    func course() async throws {
      let folder = try TemporaryFolder()
      let dashboard = try await DashboardRun(
        Examples.breastCancer,
        ["--workers", "2"] + endless
          + setting("inference.objective.every=200", "inference.objective.draws=50", "mixture.components=40"),
        in: folder)
      let running =
        "\(Self.word) === 'Running' && document.querySelectorAll('#elbo path.line').length === 1"
        + " && document.querySelectorAll('#rows tr').length === 2"
      let lost =
        "document.querySelectorAll('#lost-rows tr').length === 1 && document.querySelectorAll('#rows tr').length === 2"
      let steps =
        Self.looks("running", running, in: folder) + Self.looks("lost", lost, in: folder) + [
          WatchedPage.Step(wait: lost, evaluate: "document.getElementById('lost-rows').innerText")
        ] + Self.looks("ended", "\(Self.word) === 'Interrupted'", in: folder) + [
          WatchedPage.Step(
            wait: "!document.body.className",
            evaluate:
              "[document.querySelectorAll('svg.chart').length, document.getElementById('numbers').innerText,"
              + " document.title]")
        ]
      let page = try WatchedPage(dashboard.url, steps, in: folder)
      try await page.reach(4)
      let victim = try #require(dashboard.run.workers.first)
      kill(victim, SIGKILL)
      try await page.reach(9)
      dashboard.run.signal(SIGTERM)
      let end = try await dashboard.run.finish(within: 20)
      #expect(end.exitCode == 75)
      let console = try await page.finish()
      #expect(console.isEmpty, "\(console)")
      let values = page.values
      expectFits(values[0..<4])
      expectFits(values[4..<8])
      #expect((values[8] as? String)?.contains("/\(victim)") == true, "\(String(describing: values[8]))")
      #expect((values[8] as? String)?.contains("SIGKILL") == true, "\(String(describing: values[8]))")
      expectFits(values[9..<13])
      // The last state stays: charts, numbers, and a title that says how it ended.
      let last = try #require(values[13] as? [Any])
      #expect(last[0] as? Int == 2)
      let iterations = try #require(try dashboard.files.json("summary.json")["iterations"] as? Int)
      let numbers = (last[1] as? String)?.filter { $0 != "\u{202f}" } ?? ""
      #expect(numbers.contains("\(iterations)"), "\(numbers)")
      #expect((last[2] as? String)?.hasPrefix("Interrupted · Logistic regression") == true, "\(last[2])")
    }

    @Test("A fit that finishes while one looks at it is shown as finished, and stays")
    func finished() async throws {
      let folder = try TemporaryFolder()
      let dashboard = try await DashboardRun(
        Examples.breastCancer,
        ["--workers", "2"]
          + setting("inference.iterations=3000", "inference.stop=iterations", "mixture.components=20"),
        in: folder)
      let steps =
        Self.looks("finished", "\(Self.word) === 'Finished'", in: folder) + [
          WatchedPage.Step(wait: "true", evaluate: "document.getElementById('numbers').innerText")
        ]
      let page = try WatchedPage(dashboard.url, steps, in: folder)
      let end = try await dashboard.run.finish(within: 60)
      #expect(end.exitCode == 0, "\(end)")
      #expect(try await page.finish().isEmpty)
      expectFits(page.values[0..<4])
      #expect((page.values[4] as? String)?.contains("3000") == true)
    }

    @Test("A coordinator that is killed is shown as gone, with the state that was last")
    func gone() async throws {
      let folder = try TemporaryFolder()
      let dashboard = try await DashboardRun(
        Examples.breastCancer, ["--workers", "1"] + endless + setting("inference.objective.every=100"),
        in: folder)
      let steps =
        [
          WatchedPage.Step(
            wait: "\(Self.word) === 'Running' && document.querySelectorAll('#rate path.line').length === 1")
        ]
        + Self.looks("gone", "\(Self.word) === 'The coordinator is gone'", in: folder) + [
          WatchedPage.Step(wait: "true", evaluate: "document.querySelectorAll('svg.chart').length")
        ]
      let page = try WatchedPage(dashboard.url, steps, in: folder)
      try await page.reach(1)
      dashboard.run.signal(SIGKILL)
      let console = try await page.finish()
      // That nobody answers any more is what the browser says by itself.
      #expect(
        console.allSatisfy { $0.contains("ERR_CONNECTION_REFUSED") || $0.contains("ERR_") }, "\(console)")
      expectFits(page.values[1..<5])
      #expect(page.values[5] as? Int == 2)
    }
  }
}
