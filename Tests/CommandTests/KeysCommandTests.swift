import Foundation
import TestKit
import Testing

extension Commands {
  @Suite(.serialized) struct Keys {
    @Test func newKeysAreMadeShownAndNeverOverwritten() async throws {
      let folder = try TemporaryFolder()
      let made = try await CommandRun.run(["keys", "new", folder("k")], in: folder)
      #expect(made.exitCode == 0, "\(made)")
      let added = try await CommandRun.run(["keys", "new", folder("k"), "--worker", "b"], in: folder)
      #expect(added.exitCode == 0 && added.output.contains("b.secret"), "\(added)")
      let shown = try await CommandRun.run(["keys", "show", folder("k"), "--json"], in: folder)
      #expect(shown.exitCode == 0, "\(shown)")
      let json = try #require(
        try JSONSerialization.jsonObject(with: Data(shown.output.utf8)) as? [String: Any])
      #expect(
        (json["authorized_workers"] as? [[String: String]])?.compactMap { $0["name"] } == ["worker", "b"])
      let text = try await CommandRun.run(["keys", "show", folder("k")], in: folder)
      let key = try #require(json["coordinator"] as? String)
      #expect(text.output.contains(key))
      // Nothing secret is ever printed.
      for name in ["coordinator", "worker", "b"] {
        let secret = try String(contentsOfFile: folder("k/\(name).secret"), encoding: .utf8).prefix(40)
        for result in [made, added, shown, text] { #expect(!"\(result)".contains(secret)) }
      }
      let again = try await CommandRun.run(["keys", "new", folder("k")], in: folder)
      #expect(again.exitCode == 73 && again.errors.contains("never overwritten"), "\(again)")
    }

    @Test func badFoldersAreNamed() async throws {
      let folder = try TemporaryFolder()
      let missing = try await CommandRun.run(["keys", "show", folder("k")], in: folder)
      #expect(missing.exitCode == 66 && missing.errors.contains(folder("k")), "\(missing)")
      let worker = try await CommandRun.run(["keys", "new", folder("k"), "--worker", "w"], in: folder)
      #expect(worker.exitCode == 66, "\(worker)")
      let nowhere = try await CommandRun.run(["keys", "new", folder("a/b/c")], in: folder)
      #expect(nowhere.exitCode == 73 && nowhere.errors.contains(folder("a/b/c")), "\(nowhere)")
      #expect(try await CommandRun.run(["keys", "new", folder("k")], in: folder).exitCode == 0)
      try folder.write("x\n", to: "k/authorized_workers")
      chmod(folder("k/authorized_workers"), 0o600)
      let bad = try await CommandRun.run(["keys", "show", folder("k")], in: folder)
      #expect(bad.exitCode == 65 && bad.errors.contains("authorized_workers, line 1"), "\(bad)")
      chmod(folder("k/authorized_workers"), 0o622)
      let open = try await CommandRun.run(["keys", "show", folder("k")], in: folder)
      #expect(open.exitCode == 77 && open.errors.contains("chmod"), "\(open)")
    }

    @Test func helpHasAnExample() async throws {
      let folder = try TemporaryFolder()
      for command in ["new", "show"] {
        let help = try await CommandRun.run(["keys", command, "--help"], in: folder)
        #expect(help.exitCode == 0 && help.output.contains("EXAMPLE"), "\(help)")
      }
    }
  }
}
