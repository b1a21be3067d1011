import Foundation
import TestKit
import Testing

extension Commands {
  /// What a newcomer types first: models, doctor, help, completion, man pages.
  @Suite(.serialized) struct FirstContact {
    static func output(_ arguments: [String], in folder: TemporaryFolder) async throws -> String {
      let result = try await CommandRun.run(arguments, in: folder)
      try #require(result.exitCode == 0, "\(result)")
      return result.output
    }

    @Test func modelsShowsEachFamilyWithItsFormula() async throws {
      let folder = try TemporaryFolder()
      let list = try await FirstContact.output(["models"], in: folder)
      let poisson = try await FirstContact.output(["models", "poisson"], in: folder)
      #expect(list.contains("poisson"))
      #expect(poisson.contains("y ~ Poisson(exp(η))"))
      let unknown = try await CommandRun.run(["models", "poison"], in: folder)
      #expect(unknown.exitCode == 64)
      #expect(unknown.errors.contains("poisson"))
    }

    @Test func exampleOfATargetFitsAsItIs() async throws {
      let folder = try TemporaryFolder()
      let example = try await FirstContact.output(["models", "gaussian_mixture", "--example"], in: folder)
      let spec = try folder.write(example, to: "example.yaml")
      _ = try await fit(spec, setting("inference.iterations=20"), in: folder)
    }

    @Test func doctorFindsNothingMissingHere() async throws {
      let folder = try TemporaryFolder()
      struct Check: Decodable { let name, status, finding: String }
      let text = try await FirstContact.output(["doctor", "--json", "--cache", folder("cache")], in: folder)
      let checks = try JSONDecoder().decode([Check].self, from: Data(text.utf8))
      #expect(checks.count >= 12)
      #expect(checks.allSatisfy { $0.status != "failed" && !$0.finding.isEmpty })
      #expect(checks.contains { $0.name == "OpenBLAS" && $0.finding.contains("OpenBLAS 0.") })
    }

    @Test(
      "OpenBLAS's code for the oldest CPUs is used only where somebody asks for it, and then said to be slow")
    func codeOfOpenBLAS() async throws {
      let folder = try TemporaryFolder()
      func lines(_ environment: [String: String]) async throws -> [String] {
        try await CommandRun.run(
          ["doctor", "--cache", folder("cache")], in: folder, environment: environment
        )
        .output.split(separator: "\n").map(String.init)
      }
      let all = try await lines([:])
      let chosen = try #require(all.first { $0.contains(" OpenBLAS 0.") })
      let pinned = try #require(
        await lines(["OPENBLAS_CORETYPE": "Prescott"]).first { $0.contains(" OpenBLAS 0.") })
      try #require(pinned.hasSuffix("code for Prescott"), "\(pinned)")
      if all.contains(where: { $0.contains("kernels default") }) {
        #expect(chosen.hasPrefix("ok ") && pinned.hasPrefix("ok "), "\(chosen), \(pinned)")
      } else {
        #expect(chosen.hasPrefix("ok ") && !chosen.hasSuffix("Prescott"), "\(chosen)")
        #expect(pinned.hasPrefix("warning "), "\(pinned)")
      }
    }

    @Test func doctorExitsOneForAFolderThatCannotBeMade() async throws {
      let folder = try TemporaryFolder()
      let file = try folder.write("a file\n", to: "file")
      let result = try await CommandRun.run(["doctor", "--cache", "\(file)/cache"], in: folder)
      #expect(result.exitCode == 1, "\(result)")
      #expect(result.output.contains("FAILED   cache"), "\(result)")
    }

    @Test func everyCommandHasHelpWithAnExample() async throws {
      let folder = try TemporaryFolder()
      let pages = try await FirstContact.pages(in: folder)
      #expect(pages.count >= 20)
      for (name, text) in pages {
        #expect(text.contains(".SH EXAMPLES"), "\(name) has no example")
        #expect(text.contains(".SH SYNOPSIS"), "\(name)")
      }
    }

    /// man itself is asked, where it is installed, whether it understands the pages.
    @Test(
      .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/groff"), "groff is not installed"))
    func pagesAreWellFormed() async throws {
      let folder = try TemporaryFolder()
      for (name, _) in try await FirstContact.pages(in: folder) {
        let groff = Process()
        groff.executableURL = URL(fileURLWithPath: "/usr/bin/groff")
        groff.arguments = ["-man", "-ww", "-z", "-Tutf8", folder("man/\(name)")]
        let errors = Pipe()
        groff.standardError = errors
        try groff.run()
        let said = errors.fileHandleForReading.readDataToEndOfFile()
        groff.waitUntilExit()
        #expect(groff.terminationStatus == 0)
        #expect(said.isEmpty, "\(name): \(String(decoding: said, as: UTF8.self))")
      }
    }

    @Test(arguments: ["bash", "zsh", "fish"])
    func completionKnowsTheCommands(shell: String) async throws {
      let folder = try TemporaryFolder()
      let script = try await FirstContact.output(["completion", shell], in: folder)
      for word in ["fit", "diagnose", "models"] { #expect(script.contains(word)) }
    }

    private static func pages(in folder: TemporaryFolder) async throws -> [(name: String, text: String)] {
      _ = try await FirstContact.output(["manual", "--output", folder("man")], in: folder)
      return try FileManager.default.contentsOfDirectory(atPath: folder("man")).sorted().map {
        ($0, try String(contentsOfFile: folder("man/\($0)"), encoding: .utf8))
      }
    }
  }
}
