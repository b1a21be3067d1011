import Foundation
import TestKit
import Testing

extension Commands {
  /// Reports in a real browser. `ISOMIX_REPORT_PICTURES=DIR` keeps pictures of them, to be looked at.
  @Suite(.enabled(if: Chromium.executable != nil, Comment(rawValue: Chromium.missing)))
  struct ReportInChromium {
    /// A page that opens another in a frame of some width and writes what it sees of it into its own text.
    private static func observer(of report: String, width: Int) -> String {
      """
      <!DOCTYPE html><html><body><pre id="seen"></pre>
      <iframe id="frame" src="\(report)" width="\(width)" height="900"></iframe>
      <script>
      const frame = document.getElementById("frame");
      frame.onload = () => {
        const page = frame.contentDocument, lines = [];
        const root = page.documentElement;
        lines.push("width " + root.scrollWidth + " " + root.clientWidth);
        for (const part of page.querySelectorAll("section, h1, .verdict, .numbers, svg.plot, table, pre")) {
          const box = part.getBoundingClientRect(), style = frame.contentWindow.getComputedStyle(part);
          const isSeen = box.width > 0 && box.height > 0 && style.visibility === "visible" && style.opacity !== "0";
          lines.push((isSeen ? "seen " : "hidden ") + part.localName + " " + (part.id || part.getAttribute("class")));
        }
        lines.push("background " + frame.contentWindow.getComputedStyle(page.body).backgroundColor);
        document.getElementById("seen").textContent = lines.join("\\n");
      };
      </script></body></html>
      """
    }

    @Test("The console tells of what a page's policy forbids, so that silence means something")
    func control() async throws {
      let folder = try TemporaryFolder()
      let page = try folder.write(
        """
        <!DOCTYPE html><html><head><meta http-equiv="Content-Security-Policy" content="default-src 'none'">
        <style>p { color: red }</style></head><body><p>x</p><img src="http://127.0.0.1:1/x.png"></body></html>
        """, to: "bad.html")
      let (_, console) = try await Chromium(in: folder).open(page)
      #expect(console.contains { $0.contains("Content Security Policy") }, "\(console)")
    }

    @Test(
      "A report shows all its parts, on a screen and on a phone, and the console has nothing to say",
      arguments: [
        (Examples.mixture2D, "Map of the components"), (Examples.breastCancer, "ROC"),
        (Examples.wine, "Calibration"), (Examples.diabetes, "Residual quantiles"),
      ])
    func shown(spec: String, figure: String) async throws {
      try await expectShown(spec, [], figure: figure)
    }

    @Test(
      "So does that of a Stan model",
      .enabled(if: StanLibraries.stanli != nil, Comment(rawValue: StanLibraries.stanliAdvice)))
    func stanShown() async throws {
      let library = try #require(StanLibraries.stanli)
      try await expectShown(
        Examples.eightSchools, ["model.library=\(library)", "mixture.components=10"],
        figure: "What each component carries")
    }

    private func expectShown(_ spec: String, _ settings: [String], figure: String) async throws {
      let folder = try TemporaryFolder()
      let name = URL(fileURLWithPath: spec).deletingPathExtension().lastPathComponent
      let fitted = try await fit(
        spec,
        (["inference.iterations=600", "inference.objective.every=50"] + settings).flatMap { ["--set", $0] }
          + ["--workers", "2"],
        in: folder, output: name)
      let report = fitted.path + "/report.html"
      let chromium = try Chromium(in: folder)
      let (dom, console) = try await chromium.open(report)
      #expect(console.isEmpty, "\(console)")
      #expect(dom.contains("<h3>\(figure)</h3>"))
      for width in [390, 1200] {
        let page = try folder.write(
          Self.observer(of: "file://\(report)", width: width), to: "observer-\(width).html")
        let (seen, noise) = try await chromium.open(page, options: ["--allow-file-access-from-files"])
        #expect(noise.isEmpty, "\(noise)")
        let lines = seen.split(separator: "\n").map(String.init)
        #expect(!lines.contains { $0.hasPrefix("hidden ") }, "\(lines.filter { $0.hasPrefix("hidden ") })")
        for section in ["course", "quality", "posterior", "predictions", "workers", "provenance"] {
          #expect(lines.contains("seen section \(section)"), "\(section) at \(width): \(lines.prefix(5))")
        }
        #expect(lines.filter { $0.hasPrefix("seen svg") }.count >= 6)
        // Nothing but boxes that scroll by themselves is wider than the window.
        let numbers = try #require(lines.first { $0.contains("width ") && !$0.contains("<iframe") })
          .split(separator: " ").compactMap { Int($0) }
        #expect(numbers.count == 2 && numbers[0] <= numbers[1], "\(width): \(numbers)")
      }
      try await chromium.print(report, to: folder("report.pdf"))
      let pdf = try Data(contentsOf: URL(fileURLWithPath: folder("report.pdf")))
      #expect(pdf.starts(with: Data("%PDF".utf8)) && pdf.count > 20_000)
      if let pictures = ProcessInfo.processInfo.environment["ISOMIX_REPORT_PICTURES"] {
        try await keepPictures(of: report, name: name, in: pictures, chromium)
      }
    }

    private func keepPictures(of report: String, name: String, in pictures: String, _ chromium: Chromium)
      async throws
    {
      for (view, width, height, isDark) in [
        ("light", 1280, 4600, false), ("dark", 1280, 4600, true), ("phone", 500, 9000, false),
      ] {
        try await chromium.picture(
          report, to: "\(pictures)/\(name)-\(view).png", width: width, height: height, isDark: isDark)
      }
      try await chromium.print(report, to: "\(pictures)/\(name).pdf")
    }
  }
}
