import Foundation
import TestKit
import Testing

/// Debian's Python with its ZeroMQ binding.
enum PythonPeer {
  static let python = "/usr/bin/python3"
  static let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("pyzmq_nonsense.py").path

  /// Why it can't be used here; nil when it can.
  static let unavailable: String? = {
    let probe = Process()
    probe.executableURL = URL(fileURLWithPath: python)
    probe.arguments = ["-c", "import zmq; assert zmq.has('curve')"]
    probe.standardError = FileHandle.nullDevice
    do { try probe.run() } catch { return "there is no \(python)" }
    probe.waitUntilExit()
    return probe.terminationStatus == 0
      ? nil : "\(python) can't import zmq: install Debian's python3-zmq (cluster/bootstrap.sh --tests)"
  }()
}

extension Commands {
  /// A foreign program that has keys and talks nonsense.
  @Suite(.enabled(if: PythonPeer.unavailable == nil, "\(PythonPeer.unavailable ?? "")"))
  struct PythonPeers {
    @Test func nonsenseFromSomebodyWithKeysChangesNothing() async throws {
      let folder = try TemporaryFolder()
      let keys = try await KeyPlace("keys", in: folder)
      let fit = try await AttackedFit(keys: keys, in: folder)
      let words = [PythonPeer.script, fit.endpoint, keys.path, "\(fit.live.files.path)/plan.json", "3"]
      let python = try CommandRun(words, in: folder, executable: PythonPeer.python)
      let cost = try await fit.endure { while !python.hasEnded { usleep(20_000) } }
      let end = try await python.finish(within: 5)
      try #require(end.exitCode == 0, "\(end)")
      let said = try #require(try JSONSerialization.jsonObject(with: Data(end.output.utf8)) as? [String: Any])
      let sent = try #require(said["sent"] as? [String: Int])
      #expect(sent.count == 26 && sent.values.reduce(0, +) > 2_000, "\(sent)")
      #expect((said["registered"] as? Int ?? 0) > 5, "\(said)")
      #expect(fit.live.log.contains("a message that makes no sense"), "\(fit.live.log.suffix(3000))")
      print("\(sent.values.reduce(0, +)) messages, \(said["registered"] ?? 0) times registered")
      let summary = try await fit.expectUnharmed(by: "nonsense from Python", cost)
      #expect((summary["lost_workers"] as? Int ?? 0) > 5)
    }
  }
}
