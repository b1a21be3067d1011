import Foundation
import TestKit
import Testing

extension Commands {
  /// Workers on hosts that share no folder with the coordinator: `data.transport: stream`.
  @Suite(.serialized, .enabled(if: HiddenFolder.unavailable == nil, "\(HiddenFolder.unavailable ?? "")"))
  struct Streams {
    /// A host with a cache of its own, from which the coordinator's files can't be seen.
    private struct Host {
      let folder: TemporaryFolder
      let hidden: TemporaryFolder

      init(hiding hidden: TemporaryFolder) throws {
        folder = try TemporaryFolder()
        self.hidden = hidden
      }

      func run(_ arguments: [String], environment: [String: String] = [:]) throws -> CommandRun {
        let (executable, words) = HiddenFolder.words(hiding: hidden.path)
        return try CommandRun(
          words + [CommandRun.executable] + arguments, in: folder, environment: environment,
          executable: executable)
      }

      func worker(_ endpoint: String, _ options: [String] = []) throws -> CommandRun {
        try run(["worker", "--connect", endpoint] + options)
      }

      /// Files of designs that have come.
      var files: [String] { Streams.files(below: folder("cache/isomix/shards")) }
    }

    /// A fit of three shards of 22 MB whose coordinator has them in a folder of its own.
    private struct Site {
      let source: TemporaryFolder
      let spec: String
      let undisturbed: String

      init() async throws {
        source = try TemporaryFolder()
        spec = try TallData.write(to: source, precision: "float64", rows: 150_000, columns: 40)
        undisturbed = try await fit(spec, ["--workers", "1"], in: source, output: "undisturbed").digest()
      }

      /// Bytes of all files of the design.
      var designBytes: Int {
        Streams.files(below: source("cache/isomix/designs")).reduce(0) {
          $0 + ((try? FileManager.default.attributesOfItem(atPath: $1)[.size] as? Int) ?? 0)
        }
      }

      func start(_ options: [String] = [], output: String = "out") throws -> CommandRun {
        try CommandRun(
          ["fit", spec, "--output", source(output), "--workers", "0", "--listen", "tcp://127.0.0.1:0"]
            + ["--progress", "none"] + setting("data.transport=stream") + options, in: source)
      }

      func endpoint(output: String = "out") async throws -> String {
        try await Commands.endpoint(of: source(output))
      }

      /// Waits for the end of a fit, which has to have the bits of the undisturbed one; returns the bytes that were sent.
      func bytesStreamed(
        _ run: CommandRun, output: String = "out", sourceLocation: SourceLocation = #_sourceLocation
      ) async throws -> Int {
        let end = try await run.finish(within: 120)
        try #require(end.exitCode == 0, "\(end)", sourceLocation: sourceLocation)
        let done = FitFolder(path: source(output))
        #expect(try done.digest() == undisturbed, sourceLocation: sourceLocation)
        return try #require(
          done.json("summary.json")["bytes_streamed"] as? Int, sourceLocation: sourceLocation)
      }
    }

    private static func files(below folder: String) -> [String] {
      let names = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
      return names.map { "\(folder)/\($0)" }.filter {
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: $0, isDirectory: &isFolder) && !isFolder.boolValue
      }
    }

    @Test func workersGetTheShardsOfTheirWorkOnceAndFindThemAgain() async throws {
      let site = try await Site()
      let hosts = try [Host(hiding: site.source), Host(hiding: site.source)]
      // What an earlier fit has left on one of them is in the way of the limit.
      let old = hosts[0].folder("cache/isomix/shards/0000")
      try FileManager.default.createDirectory(atPath: old, withIntermediateDirectories: true)
      for (name, count) in [("manifest.json", 10), ("features.npy", 9_000_000)] {
        try Data(count: count).write(to: URL(fileURLWithPath: "\(old)/\(name)"))
      }
      try FileManager.default.setAttributes(
        [.modificationDate: Date(timeIntervalSinceNow: -1000)], ofItemAtPath: "\(old)/manifest.json")
      let run = try site.start(setting("data.cache={limit: 10M}"))
      let endpoint = try await site.endpoint()
      let workers = try hosts.map { try $0.worker(endpoint) }
      let bytes = try await site.bytesStreamed(run)
      let all = site.designBytes
      print("\(bytes) bytes were sent of a design of \(all)")
      #expect(bytes > all - 1_000 && bytes < 2 * all, "\(bytes) of \(all)")
      for worker in workers {
        let end = try await worker.finish(within: 30)
        #expect(end.exitCode == 0 && end.errors.contains("came from the coordinator"), "\(end)")
      }
      #expect(!FileManager.default.fileExists(atPath: old))
      #expect(
        hosts.allSatisfy { host in host.files.contains { $0.hasSuffix(".npy") } })
      // The same fit once more, on hosts that have had it: whoever gets whose work, what it has does not come again.
      let again = try site.start(output: "again")
      let second = try await site.endpoint(output: "again")
      let alone = try hosts[0].worker(second)
      let missing = try await site.bytesStreamed(again, output: "again")
      #expect(missing < all)
      let end = try await alone.finish(within: 30)
      #expect(end.errors.contains("were in the cache"), "\(end)")
      // Now this host has all of it.
      let third = try site.start(output: "third")
      let full = try hosts[0].worker(try await site.endpoint(output: "third"), ["--threads", "2"])
      #expect(try await site.bytesStreamed(third, output: "third") == 0)
      let last = try await full.finish(within: 30)
      #expect(last.errors.contains("data: 0 file(s) came"), "\(last)")
      let list = try await CommandRun.run(["data", "cache", "list"], in: hosts[0].folder)
      #expect(list.output.contains("  shard  ") && list.output.contains("150000 rows"), "\(list)")
    }

    @Test func workersOfOneHostBringAFileOnce() async throws {
      let site = try await Site()
      let host = try Host(hiding: site.source)
      let run = try site.start()
      let workers = try host.worker(try await site.endpoint(), ["--processes", "3"])
      let bytes = try await site.bytesStreamed(run)
      // The manifest may come to each of them.
      #expect(bytes < site.designBytes + 300_000, "\(bytes) of \(site.designBytes)")
      #expect(try await workers.finish(within: 30).exitCode == 0)
    }

    @Test func aWorkerThatIsKilledInTheMiddleLeavesNothingInTheWay() async throws {
      let site = try await Site()
      let host = try Host(hiding: site.source)
      let run = try site.start(["--silence-timeout", "5"])
      let proxy = try await TCPProxy(to: site.endpoint())
      proxy.throttle(bytesPerSecond: 3_000_000)
      let victim = try host.worker(proxy.endpoint)
      #expect(try await eventually(within: 60) { proxy.bytesForwarded(.down) > 8_000_000 })
      victim.signal(SIGKILL)
      _ = try await victim.finish(within: 10)
      #expect(host.files.contains { $0.hasSuffix(".partial") }, "\(host.files)")
      let worker = try host.worker(try await site.endpoint())
      _ = try await site.bytesStreamed(run)
      #expect(try await worker.finish(within: 30).exitCode == 0)
      #expect(host.files.allSatisfy { !$0.contains("/.") }, "\(host.files)")
    }

    /// Each file takes longer than the silence that is tolerated; who waits for it is not lost, and beats come through.
    @Test func aSlowTransferLosesNobody() async throws {
      let source = try TemporaryFolder()
      let spec = try TallData.write(to: source, precision: "float64", rows: 30_000, columns: 20)
      let undisturbed = try await fit(spec, ["--workers", "1"], in: source, output: "undisturbed")
      let host = try Host(hiding: source)
      let run = try CommandRun(
        ["fit", spec, "--output", source("out"), "--workers", "0", "--listen", "tcp://127.0.0.1:0"]
          + ["--silence-timeout", "2", "--progress", "none"] + setting("data.transport=stream"), in: source)
      let proxy = try await TCPProxy(to: Commands.endpoint(of: source("out")))
      proxy.throttle(bytesPerSecond: 400_000)
      let worker = try host.worker(proxy.endpoint)
      let end = try await run.finish(within: 100)
      #expect(end.exitCode == 0, "\(end)")
      let done = FitFolder(path: source("out"))
      #expect(try done.digest() == undisturbed.digest())
      let log = try done.text("log.jsonl")
      #expect(try done.json("summary.json")["lost_workers"] as? Int == 0, "\(log)")
      #expect(proxy.bytesForwarded(.down) > 5_000_000 && proxy.connectionsAccepted == 1)
      #expect(try await worker.finish(within: 30).exitCode == 0)
    }

    @Test func aRelayBringsOneCopyForItsWorkers() async throws {
      let site = try await Site()
      let rack = try Host(hiding: site.source)
      let hosts = try [Host(hiding: site.source), Host(hiding: site.source)]
      let run = try site.start()
      let relay = try rack.run([
        "relay", "--connect", try await site.endpoint(), "--listen", "tcp://127.0.0.1:0", "--publish",
        rack.folder("relay.json"),
      ])
      let isThere = try await eventually(within: 20) {
        FileManager.default.fileExists(atPath: rack.folder("relay.json"))
      }
      try #require(isThere, "\(relay.errors)")
      let workers = try hosts.map {
        try $0.run(["worker", "--rendezvous", rack.folder("relay.json"), "--cache", $0.folder("own")])
      }
      let bytes = try await site.bytesStreamed(run)
      #expect(bytes <= site.designBytes && bytes > site.designBytes / 2, "\(bytes) of \(site.designBytes)")
      for (host, worker) in zip(hosts, workers) {
        let end = try await worker.finish(within: 30)
        #expect(end.exitCode == 0, "\(end)")
        #expect(!Streams.files(below: host.folder("own/shards")).isEmpty)
      }
      let end = try await relay.finish(within: 30)
      #expect(end.errors.contains("came from the coordinator"), "\(end)")
    }

    @Test func aDamagedFileIsNoticedAndComesAgain() async throws {
      let site = try await Site()
      let host = try Host(hiding: site.source)
      let run = try site.start()
      let proxy = try await TCPProxy(to: site.endpoint())
      proxy.alter([5_000_000], .down)
      let worker = try host.worker(proxy.endpoint)
      _ = try await site.bytesStreamed(run)
      let end = try await worker.finish(within: 30)
      #expect(end.exitCode == 0 && end.errors.contains("it is asked for again"), "\(end)")
      #expect(end.errors.contains("1 came damaged"), "\(end)")
    }

    @Test func aFileThatComesDamagedTwiceEndsTheWorkerAndNotTheFit() async throws {
      let site = try await Site()
      let host = try Host(hiding: site.source)
      let run = try site.start()
      let proxy = try await TCPProxy(to: site.endpoint())
      // In the first file, and in the first file once more.
      proxy.alter([5_000_000, 27_000_000], .down)
      let unlucky = try host.worker(proxy.endpoint)
      let end = try await unlucky.finish(within: 60)
      #expect(end.exitCode == 65 && end.errors.contains("came damaged 2 times"), "\(end)")
      #expect(!run.hasEnded)
      let worker = try host.worker(try await site.endpoint())
      _ = try await site.bytesStreamed(run)
      let log = try FitFolder(path: site.source("out")).text("log.jsonl")
      #expect(log.contains("came damaged 2 times"), "\(log)")
      #expect(try await worker.finish(within: 30).exitCode == 0)
    }

    @Test func minibatchesTestRowsAndLocalWorkersHaveWhatTheyNeed() async throws {
      let source = try TemporaryFolder()
      let settings = setting(
        "inference.iterations=60", "inference.minibatch={rows: 100, control_variate: true}",
        "inference.objective.draws=50")
      let undisturbed = try await fit(
        Examples.breastCancer, ["--workers", "1"] + settings, in: source, output: "undisturbed")
      let host = try Host(hiding: source)
      for local in [0, 1] {
        let output = "out-\(local)"
        let run = try CommandRun(
          [
            "fit", Examples.breastCancer, "--output", source(output), "--workers", "\(local)", "--progress",
            "none",
          ]
            + ["--listen", "tcp://127.0.0.1:0"] + settings + setting("data.transport=stream"), in: source)
        let worker = try host.worker(try await Commands.endpoint(of: source(output)), ["--wait", "3"])
        let end = try await run.finish(within: 100)
        #expect(end.exitCode == 0, "\(end)")
        let done = FitFolder(path: source(output))
        #expect(try done.digest() == undisturbed.digest())
        #expect(try done.text("spec.yaml").contains("  transport: stream\n"))
        // Beside a local one it may come too late to this short fit.
        let code = try await worker.finish(within: 30).exitCode
        #expect(code == 0 || code == 69 && local == 1)
      }
      // All of train and test came in the first fit.
      #expect(host.files.filter { $0.hasSuffix(".npy") }.count == 4, "\(host.files)")
    }

    @Test func transportAndCacheMayBeOthersInAResumedFit() async throws {
      let source = try TemporaryFolder()
      let host = try Host(hiding: source)
      var live = try LiveFit(
        Examples.breastCancer, ["--workers", "1", "--checkpoint-interval", "0.2"], in: source)
      try await live.waitForProgress(rows: 3)
      live.run.signal(SIGTERM)
      _ = try await live.run.finish(within: 30)
      try live.resume(
        ["--workers", "0", "--listen", "tcp://127.0.0.1:0"]
          + setting("data.transport=stream", "data.cache.folder=\(source("elsewhere"))"))
      let worker = try host.worker(try await live.endpoint(), ["--cache", host.folder("own")])
      try await live.waitForWorkers(1)
      try await live.waitForProgress()
      #expect(FileManager.default.fileExists(atPath: source("elsewhere/designs")))
      try await live.stopAndExpectUndisturbedBits()
      withExtendedLifetime(worker) {}
    }

    @Test func workersThatSeeNothingAreToldAboutTheTransport() async throws {
      let source = try TemporaryFolder()
      let host = try Host(hiding: source)
      let run = try Commands.startEndless(
        Examples.wine, ["--workers", "0", "--listen", "tcp://127.0.0.1:0"], in: source)
      let worker = try host.worker(try await Commands.endpoint(of: source("out")))
      let end = try await worker.finish(within: 30)
      #expect(end.exitCode == 66 && end.errors.contains("--set data.transport=stream"), "\(end)")
      run.signal(SIGKILL)
    }
  }
}
