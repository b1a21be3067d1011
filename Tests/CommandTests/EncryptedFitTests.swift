import Foundation
import TestKit
import Testing

extension Commands {
  /// Fits whose remote workers connect with keys.
  @Suite(.serialized) struct EncryptedFit {
    /// Beyond loopback: what plain connections need `--insecure` for.
    private static let anywhere = ["--listen", "tcp://0.0.0.0:0"]
    private static let loopback = ["--listen", "tcp://127.0.0.1:0"]

    /// The endpoint of a fit that listens everywhere, from this machine.
    private static func nearby(_ endpoint: String) -> String {
      "tcp://127.0.0.1:\(endpoint.split(separator: ":").last ?? "")"
    }

    @Test(arguments: [nil, "cluster-b"] as [String?])
    func localAndRemoteWorkersFitTogether(name: String?) async throws {
      let folder = try TemporaryFolder()
      let keys = try await KeyPlace("keys", workers: name.map { [$0] } ?? [], in: folder)
      let live = try LiveFit(
        Examples.breastCancer, ["--workers", "1"] + EncryptedFit.loopback + keys.options, in: folder)
      let worker = try live.worker(keys.options + (name.map { ["--key-name", $0] } ?? []))
      try await live.waitForWorkers(2)
      try await live.waitForProgress()
      for process in live.run.workers + [worker.processID] {
        #expect(live.log.contains("/\(process) is ready"), "\(live.log)")
      }
      #expect(live.run.errors.contains("--keys DIR"), "\(live.run.errors)")
      let summary = try await live.stopAndExpectUndisturbedBits()
      #expect(summary["workers"] as? Int == 2 && summary["lost_workers"] as? Int == 0)
      #expect(summary["warnings"] as? [String] == [])
    }

    @Test func listensEverywhereWithoutBeingInsecure() async throws {
      let folder = try TemporaryFolder()
      let keys = try await KeyPlace("keys", in: folder)
      let live = try LiveFit(
        Examples.mixture2D, ["--workers", "0"] + EncryptedFit.anywhere + keys.options, in: folder)
      let endpoint = EncryptedFit.nearby(try await live.endpoint())
      let worker = try CommandRun(["worker", "--connect", endpoint] + keys.options, in: folder)
      try await live.waitForProgress()
      let summary = try await live.stopAndExpectUndisturbedBits()
      #expect(summary["warnings"] as? [String] == [])
      withExtendedLifetime(worker) {}
    }

    @Test(.enabled(if: NetworkNamespaces.unavailable == nil, "\(NetworkNamespaces.unavailable ?? "")"))
    func workersOfOtherHostsTakePart() async throws {
      let folder = try TemporaryFolder()
      let keys = try await KeyPlace("keys", in: folder)
      let network = try NetworkNamespaces(count: 2)
      let live = try LiveFit(
        Examples.breastCancer,
        ["--workers", "1", "--listen", "tcp://\(network[0].address):0"] + keys.options, in: folder,
        namespace: network[0])
      let worker = try live.worker(keys.options, namespace: network[1])
      try await live.waitForWorkers(2)
      try await live.waitForProgress()
      try await live.stopAndExpectUndisturbedBits()
      withExtendedLifetime(worker) {}
    }

    @Test func endpointForEverybodyNeedsKeysOrAWord() async throws {
      let folder = try TemporaryFolder()
      let refused = try await CommandRun.run(
        ["fit", Examples.mixture2D, "--output", folder("refused")] + EncryptedFit.anywhere, in: folder)
      #expect(refused.exitCode == 64, "\(refused)")
      for word in ["--keys DIR", "isomix keys new DIR", "--insecure", "127.0.0.1"] {
        #expect(refused.errors.contains(word), "\(refused)")
      }
      let allowed = try await fit(
        Examples.mixture2D,
        setting("inference.iterations=2") + ["--workers", "1", "--insecure"] + EncryptedFit.anywhere,
        in: folder)
      let sentence = "without encryption and authentication (--insecure)"
      let warnings = try allowed.json("summary.json")["warnings"] as? [String]
      #expect(warnings?.contains { $0.contains(sentence) } == true, "\(warnings ?? [])")
      let lines = try allowed.text("log.jsonl").split(separator: "\n")
      #expect(lines.contains { $0.contains(sentence) && $0.contains("\"warning\"") }, "\(lines)")
    }

    @Test func keysThatOthersCanReadAreRefusedByName() async throws {
      let folder = try TemporaryFolder()
      let keys = try await KeyPlace("keys", in: folder)
      for (name, command) in [
        (
          "coordinator.secret",
          ["fit", Examples.mixture2D, "--output", folder("out")] + EncryptedFit.loopback + keys.options
        ), ("worker.secret", ["worker", "--connect", "tcp://127.0.0.1:1"] + keys.options),
      ] {
        chmod(keys.file(name), 0o640)
        let result = try await CommandRun.run(command, in: folder, within: 20)
        #expect(result.exitCode == 77, "\(result)")
        #expect(result.errors.contains(keys.file(name)) && result.errors.contains("chmod"), "\(result)")
        chmod(keys.file(name), 0o600)
      }
      let needless = try await CommandRun.run(
        ["fit", Examples.mixture2D, "--output", folder("out"), "--workers", "2"] + keys.options, in: folder)
      #expect(needless.exitCode == 64 && needless.errors.contains("--listen tcp://"), "\(needless)")
      let overIPC = try await CommandRun.run(
        ["fit", Examples.mixture2D, "--output", folder("out"), "--listen", "ipc://\(folder("door"))"]
          + keys.options, in: folder)
      #expect(overIPC.exitCode == 64, "\(overIPC)")
      #expect(!FileManager.default.fileExists(atPath: folder("out")))
    }

    @Test func workersThatMayNotJoinAreToldWhy() async throws {
      let folder = try TemporaryFolder()
      let keys = try await KeyPlace("keys", in: folder)
      let others = try await KeyPlace("others", in: folder)
      let live = try LiveFit(
        Examples.mixture2D, ["--workers", "1"] + EncryptedFit.loopback + keys.options, in: folder)
      let endpoint = try await live.endpoint()
      func worker(_ options: [String], wait: String = "60") throws -> CommandRun {
        try CommandRun(["worker", "--connect", endpoint, "--wait", wait] + options, in: folder)
      }
      // The coordinator's public key with a key of its own; and its own folder, whose coordinator is another one.
      let unknown = try await KeyPlace("unknown", in: folder)
      try unknown.replace("coordinator.public", from: keys)
      let runs = [
        try worker([]), try worker(unknown.options), try worker(others.options, wait: "4"),
      ]
      let results = [
        try await runs[0].finish(within: 60), try await runs[1].finish(within: 30),
        try await runs[2].finish(within: 30),
      ]
      #expect(results[0].exitCode == 77, "\(results[0])")
      #expect(results[0].errors.contains("wants keys: give this worker the key folder (--keys DIR)"))
      #expect(results[1].exitCode == 77, "\(results[1])")
      #expect(results[1].errors.contains("does not know this worker's key"), "\(results[1])")
      #expect(results[1].errors.contains(try unknown.key("worker.public")), "\(results[1])")
      #expect(results[2].exitCode == 69, "\(results[2])")
      #expect(results[2].errors.contains("is coordinator.public in the key folder the key"), "\(results[2])")
      for result in results {
        expectPlainWords(result.errors)
        for place in [keys, others, unknown] {
          #expect(!"\(result)".contains(try place.key("worker.secret")))
        }
      }
      try await live.waitForLog("its key \(unknown.key("worker.public")) is not in authorized_workers")
      try await live.waitForProgress()
      let summary = try await live.stopAndExpectUndisturbedBits()
      #expect(summary["workers"] as? Int == 1)
    }

    @Test func workerWithKeysIsToldThatAPlainFitTakesNone() async throws {
      let folder = try TemporaryFolder()
      let keys = try await KeyPlace("keys", in: folder)
      let live = try LiveFit(Examples.mixture2D, ["--workers", "1"] + EncryptedFit.loopback, in: folder)
      _ = try await live.endpoint()
      let result = try await live.worker(keys.options).finish(within: 60)
      #expect(result.exitCode == 77 && result.errors.contains("takes no keys there"), "\(result)")
      try await live.waitForProgress()
      try await live.stopAndExpectUndisturbedBits()
    }

    @Test func workersOutliveTheirCoordinator() async throws {
      let folder = try TemporaryFolder()
      let keys = try await KeyPlace("keys", workers: ["b"], in: folder)
      let options =
        ["--workers", "1", "--checkpoint-interval", "0.05", "--silence-timeout", "2"] + EncryptedFit.loopback
        + keys.options
      var live = try LiveFit(Examples.breastCancer, options, in: folder)
      let workers = [try live.worker(keys.options), try live.worker(keys.options + ["--key-name", "b"])]
      try await live.waitForWorkers(3)
      try await live.waitForProgress()
      live.run.signal(SIGKILL)
      #expect(try await live.run.finish(within: 20).exitCode == -SIGKILL)
      try live.resume(options)
      // The trace still ends with a row of the time before.
      for worker in workers {
        try await live.waitForLog("/\(worker.processID) is ready", moreThan: 1, within: 60)
      }
      try await live.waitForProgress()
      try await live.waitForWorkers(3)
      for worker in workers { #expect(!worker.hasEnded, "\(worker.errors)") }
      try await live.stopAndExpectUndisturbedBits()
    }
  }
}
