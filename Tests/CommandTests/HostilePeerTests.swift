import Foundation
import NumericsKit
import TestKit
import Testing
import Wire

extension Commands {
  /// Whatever somebody does at an open door, the fit goes on to the same bits and takes no more memory for it.
  ///
  /// That nobody gets in without the authenticator is shown with the socket alone, by `authenticatorGone` of the
  /// transport's tests: the program never ends it while it listens.
  @Suite(.serialized) struct HostilePeers {
    /// A fit with enough work for two, and a state of `8 · dimension · components` bytes.
    private static func busyFit(dimension: Int, components: Int, in folder: TemporaryFolder) async throws
      -> AttackedFit
    {
      let means = [String](repeating: "0", count: dimension).joined(separator: ", ")
      let spec = try folder.write(
        """
        model: {family: gaussian, mean: [\(means)], covariance: 1}
        mixture: {components: \(components), initial: {uniform: {low: -1, high: 1, variance: 1}}}
        inference: {metric: unit, step_size: 0.01, samples: 2}
        """, to: "busy.yaml")
      let settings = setting("inference.objective.every=20", "inference.objective.draws=10")
      return try await AttackedFit(spec, settings: settings, in: folder)
    }

    // MARK: Without a registration

    @Test func peersWithTheWrongKeysGetNowhere() async throws {
      let folder = try TemporaryFolder()
      let keys = try await KeyPlace("keys", in: folder)
      let unknown = try await KeyPlace("unknown", in: folder)
      let fit = try await AttackedFit(keys: keys, in: folder)
      let known = try keys.dealerKeys()
      var stranger = try unknown.dealerKeys()
      stranger.server = known.server
      var misled = known
      misled.server = try unknown.key("coordinator.public")
      let hello = try FakeWorker.hello(for: fit.live.files.path)
      let frames = RawPeer.frames(Message(run: .none, epoch: 0, content: .hello(hello)))[0]
      let (endpoint, all) = (fit.endpoint, [stranger, misled])
      let cost = try await fit.endure {
        for _ in 0..<40 {
          let peers = try all.map { try HostileDealer(endpoint, keys: $0) } + [try HostileDealer(endpoint)]
          for peer in peers { for _ in 0..<50 { peer.send(frames) } }
          usleep(20_000)
          withExtendedLifetime(peers) {}
        }
      }
      #expect(fit.live.countInLog(" registered with") == 1, "\(fit.live.log)")
      #expect(fit.live.log.contains("is not in authorized_workers"), "\(fit.live.log)")
      try await fit.expectUnharmed(by: "wrong keys", cost)
    }

    @Test(arguments: [false, true])
    func foreignProtocolsAreTurnedAway(isEncrypted: Bool) async throws {
      let folder = try TemporaryFolder()
      let keys = isEncrypted ? try await KeyPlace("keys", in: folder) : nil
      let fit = try await AttackedFit(keys: keys, in: folder)
      let endpoint = fit.endpoint
      let cost = try await fit.endure {
        var generator = SeededGenerator(seed: 5)
        for _ in 0..<10 {
          var connections: [HostileTCP] = []
          for words in ForeignWords.all + (0..<20).map({ _ in ForeignWords.noise(using: &generator) }) {
            let connection = try HostileTCP(endpoint)
            connection.send(words)
            connections.append(connection)
          }
          usleep(100_000)
        }
      }
      #expect(fit.live.countInLog(" registered with") == 1, "\(fit.live.log)")
      try await fit.expectUnharmed(by: "foreign protocols", cost)
    }

    @Test(arguments: [100_000, 0])
    func endlessMessageOfAStrangerIsCutOff(partBytes: Int) async throws {
      let folder = try TemporaryFolder()
      let fit = try await AttackedFit(in: folder)
      let endpoint = fit.endpoint
      let taken = Tally()
      let cost = try await fit.endure {
        for _ in 0..<20 {
          taken.add(try HostileZMTP(endpoint).sendEndlessParts(partBytes: partBytes, totalBytes: 100 << 20))
          usleep(20_000)
        }
      }
      #expect(taken.value < 1000 << 20)
      try await fit.live.waitForLog("without registering")
      try await fit.expectUnharmed(by: "endless parts of \(partBytes) bytes from strangers", cost)
    }

    /// Connections whose handshake is never finished: silent ones, and those that stop in or after their greeting.
    @Test func halfOpenConnectionsAreBounded() async throws {
      let count = 10_000
      let limit = HostileFlood.raiseDescriptorLimit()
      let keeping = min(count, limit - 500)
      try #require(keeping >= 3_000, "the hard limit of open files is \(limit)")
      let folder = try TemporaryFolder()
      let fit = try await AttackedFit(in: folder)
      let endpoint = fit.endpoint
      let flood = HostileFlood()
      let cost = try await fit.endure {
        let words = [0, 11, 64].map { Array(HostileZMTP.greeting().prefix($0)) }
        for number in 0..<count {
          flood.open(1, to: endpoint, saying: words[number % words.count], keeping: keeping)
        }
      }
      #expect(flood.made > count * 9 / 10)
      #expect(cost.descriptors < 4_000, "\(cost)")
      // A worker can still join, with all of them open.
      let worker = try fit.live.worker()
      try await fit.live.waitForWorkers(2)
      flood.close()
      worker.signal(SIGTERM)
      #expect(try await worker.finish(within: 30).exitCode == 0)
      try await fit.expectUnharmed(by: "\(flood.made) half-open connections", cost, workers: 2)
    }

    @Test func unreadAnswersToAStrangerAreFew() async throws {
      let folder = try TemporaryFolder()
      let fit = try await AttackedFit(in: folder)
      let endpoint = fit.endpoint
      let hello = try FakeWorker.hello(for: fit.live.files.path)
      let sent = Tally()
      let cost = try await fit.endure {
        for _ in 0..<20 {
          let peer = try HostileWorker(endpoint, hello: hello)
          for _ in 0..<3_000 where peer.beat() { sent.add(1) }
        }
      }
      // The quicker the coordinator is, the fewer get out before each of them is cut off.
      #expect(sent.value > 10_000)
      #expect(fit.live.log.contains("does not register"), "\(fit.live.log)")
      try await fit.expectUnharmed(by: "\(sent.value) beats of strangers", cost)
    }

    // MARK: With a registration

    @Test func floodOfHellosIsEndured() async throws {
      let folder = try TemporaryFolder()
      let fit = try await AttackedFit(in: folder)
      let endpoint = fit.endpoint
      let hello = try FakeWorker.hello(for: fit.live.files.path)
      let said = Tally()
      let cost = try await fit.endure {
        var peers: [HostileWorker] = []
        for number in 0..<3_000 {
          let peer = try HostileWorker(endpoint, hello: hello, name: "hostile-\(number)")
          if peer.sayHello() { said.add(1) }
          peers.append(peer)
          if peers.count > 300 { peers.removeFirst(100) }
        }
      }
      #expect(said.value > 2_500)
      try await fit.expectUnharmed(by: "\(said.value) hellos over as many connections", cost)
    }

    @Test func sameWorkerSaysHelloWithoutEnd() async throws {
      let folder = try TemporaryFolder()
      let fit = try await AttackedFit(in: folder)
      let endpoint = fit.endpoint
      let hello = try FakeWorker.hello(for: fit.live.files.path)
      let said = Tally()
      let cost = try await fit.endure {
        for leaves in [false, true] {
          let peer = try HostileWorker(endpoint, hello: hello, name: "hostile-\(leaves)")
          try peer.register(isReady: false)
          for _ in 0..<20_000 {
            if leaves { peer.say(.goodbye(Goodbye(exitCode: 0, message: ""))) }
            guard peer.sayHelloAgain() else { break }
            said.add(1)
          }
        }
      }
      try await fit.expectUnharmed(by: "\(said.value) hellos over two connections", cost)
    }

    @Test(arguments: [100_000, 0])
    func endlessMessageOfAWorkerIsCutOff(partBytes: Int) async throws {
      let folder = try TemporaryFolder()
      let fit = try await AttackedFit(in: folder)
      let endpoint = fit.endpoint
      let hello = try FakeWorker.hello(for: fit.live.files.path)
      let taken = Tally()
      let cost = try await fit.endure {
        for number in 0..<8 {
          let peer = try HostileWorker(endpoint, hello: hello, name: "hostile-\(number)")
          try peer.register(isReady: true)
          taken.add(peer.connection.sendEndlessParts(partBytes: partBytes, totalBytes: 100 << 20))
          usleep(50_000)
        }
      }
      #expect(taken.value < 400 << 20)
      try await fit.live.waitForLog("where its work allows")
      // An empty part costs more memory than bytes, and what comes between two looks of the guard depends on the machine.
      try await fit.expectUnharmed(
        by: "endless parts of \(partBytes) bytes from a worker", cost,
        within: (partBytes == 0 ? 2 : 1) * AttackedFit.mostGrowth_bytes)
    }

    @Test func whoAsksForDataAndReadsNothingIsGivenLittle() async throws {
      let folder = try TemporaryFolder()
      let fit = try await AttackedFit(
        Examples.breastCancer, settings: LiveFit.often + setting("data.transport=stream"), in: folder)
      let endpoint = fit.endpoint
      let hello = try FakeWorker.hello(for: fit.live.files.path)
      let designs = folder("cache/isomix/designs")
      let names = FileManager.default.enumerator(atPath: designs)?.compactMap { $0 as? String } ?? []
      let file = try #require(names.first { $0.contains("features") })
      let content = try Data(contentsOf: URL(fileURLWithPath: "\(designs)/\(file)"))
      let digest = Digest.of(Array(content)).bytes
      let asked = Tally()
      let cost = try await fit.endure {
        for number in 0..<4 {
          let peer = try HostileWorker(endpoint, hello: hello, name: "hostile-\(number)")
          try peer.register(isReady: false)
          for round in 0..<10_000 {
            // Every other time with a ticket that it can't know, for a place where no part begins, or another file.
            peer.say(.shardReceived(ticket: UInt64(round)))
            let other = round % 5 == 0 ? [UInt8](repeating: UInt8(round % 251), count: 32) : digest
            let offset = round % 7 == 0 ? UInt64.max - UInt64(round) : 0
            guard peer.say(.shardRequest(ShardRequest(digest: other, offset: offset))) else { break }
            asked.add(1)
          }
        }
      }
      #expect(content.count > 60_000 && asked.value > 10_000, "\(content.count), \(asked.value)")
      let summary = try await fit.expectUnharmed(
        by: "\(asked.value) requests for data", cost, within: 20 << 20)
      let bytes = try #require(summary["bytes_streamed"] as? Int)
      #expect(bytes < 100 * content.count && bytes > content.count, "\(bytes)")
    }

    /// More numbers than its work has, and more than can be, over and over.
    @Test func largestResultsAgainAndAgainAreLeftAway() async throws {
      let folder = try TemporaryFolder()
      let fit = try await HostilePeers.busyFit(dimension: 300, components: 60, in: folder)
      let endpoint = fit.endpoint
      let hello = try FakeWorker.hello(for: fit.live.files.path)
      let sent = Tally()
      let cost = try await fit.endure {
        let frame = WireLimits.frameBytes
        for name in 0..<5 {
          let peer = try HostileWorker(endpoint, hello: hello, name: "hostile-\(name)")
          try peer.register(isReady: true)
          let work = try peer.receiveWork()
          // Slowly enough to be read, so that it is not cut off for what it has under way.
          for number in 0..<200 {
            let isTaken = peer.sendPart(
              of: work, part: UInt32(number), bulkBytes: UInt64(WireLimits.bulkBytes), frameBytes: frame,
              body: number == 0 ? [UInt8](repeating: 0, count: 8) : [])
            guard isTaken else { break }
            sent.add(frame)
            usleep(1_000)
          }
        }
      }
      #expect(sent.value > 50 << 20)
      try await fit.expectUnharmed(by: "\(sent.value >> 20) MB of a result that is too large", cost)
    }

    /// Somebody who says that it gets on, and reads nothing of what it is given: it has two assignments and one state
    /// at most, until it is lost.
    @Test func workerThatReadsNothingIsKeptLittle() async throws {
      let folder = try TemporaryFolder()
      let fit = try await HostilePeers.busyFit(dimension: 500, components: 400, in: folder)
      let endpoint = fit.endpoint
      let hello = try FakeWorker.hello(for: fit.live.files.path)
      let cost = try await fit.endure {
        let peer = try HostileWorker(endpoint, hello: hello)
        try peer.register(isReady: true)
        for _ in 0..<30 where peer.beat() { usleep(100_000) }
      }
      try await fit.expectUnharmed(by: "a worker that reads nothing of states of 1.6 MB", cost)
    }

    @Test(.enabled(if: Soak.isWanted, Soak.reason))
    func workerThatReadsNothingIsLostAndCutOff() async throws {
      let folder = try TemporaryFolder()
      let fit = try await HostilePeers.busyFit(dimension: 500, components: 400, in: folder)
      let endpoint = fit.endpoint
      let hello = try FakeWorker.hello(for: fit.live.files.path)
      let cost = try await fit.endure {
        for name in 0..<2 {
          let peer = try HostileWorker(endpoint, hello: hello, name: "hostile-\(name)")
          try peer.register(isReady: true)
          var beats = 0
          while peer.beat() {
            usleep(100_000)
            beats += 1
            guard beats < 300 else { throw TestKitError("the connection was never ended") }
          }
        }
      }
      let name = "lost worker \(FakeWorker.host)/\(FakeWorker.processID): work has not reached it"
      #expect(fit.live.countInLog(name) == 2, "\(fit.live.log)")
      try await fit.expectUnharmed(by: "two workers that read nothing of states of 1.6 MB", cost)
    }

    /// Somebody who claims to be a process of the coordinator itself, and to have failed.
    @Test func strangerIsNotTakenForAChild() async throws {
      let folder = try TemporaryFolder()
      let fit = try await AttackedFit(in: folder)
      let endpoint = fit.endpoint
      var hello = try FakeWorker.hello(for: fit.live.files.path)
      hello.isLocalChild = true
      hello.processID = Int(try #require(fit.live.run.workers.first))
      let claim = hello
      let cost = try await fit.endure {
        let peer = try HostileWorker(endpoint, hello: claim)
        try peer.register(isReady: false)
        peer.say(.failure(WorkerFailure(exitCode: 65, message: "these data are bad")))
        let other = try HostileWorker(endpoint, hello: claim, name: "other")
        try other.register(isReady: false)
        other.say(.ready(Ready(setupDigest: "", dataDigest: "")))
        usleep(500_000)
      }
      try await fit.expectUnharmed(by: "a worker that claims to be a child", cost)
    }
  }
}
