import Foundation
import Synchronization
import TestKit
import Testing
import Wire
import ZeroMQTransport

extension Sockets {
  @Suite("Hostile peers change nothing for honest ones", .serialized)
  struct HostileTests {
    /// What this process may grow by while 400 MB are thrown at it. Other tests run in it, too: a coordinator of its own
    /// is held to 50 MB, half-open connections included, by `HostilePeerTests`.
    static let mostGrowth_bytes = 150 << 20

    /// Runs something hostile on a thread of its own until it has ended.
    private func attack(
      _ exchange: Exchange, within seconds: Double = 60, _ body: @escaping @Sendable () throws -> Void
    ) throws {
      let isOver = Flag()
      let thread = Thread {
        do { try body() } catch { Issue.record("the attack failed: \(error)") }
        isOver.raise()
      }
      thread.start()
      let ended = try exchange.run(within: seconds) { isOver.isRaised }
      #expect(ended)
    }

    private final class Flag: Sendable {
      private let value = Atomic<Bool>(false)
      func raise() { value.store(true, ordering: .releasing) }
      var isRaised: Bool { value.load(ordering: .acquiring) }
    }

    @Test(
      "foreign greetings, old versions and garbage are turned away", arguments: [false, true], [UInt64(1), 2])
    func garbage(isEncrypted: Bool, seed: UInt64) throws {
      let exchange = try Exchange(keys: isEncrypted ? ExampleKeys() : nil)
      try exchange.expectAlive(20)
      var generator = SeededGenerator(seed: seed)
      var words: [[UInt8]] = [
        // ZMTP 1.0 anonymous greeting and a message; 2.0; 3.0 and 3.1 with every mechanism, as client and server.
        [1, 0, 3, 0, 0x41, 0x42], [0xFF, 0, 0, 0, 0, 0, 0, 0, 1, 0x7F, 1, 5, 0, 0, 0, 3, 1, 2, 3],
        HostileZMTP.greeting(minor: 0), HostileZMTP.greeting(minor: 9),
        HostileZMTP.greeting(mechanism: "PLAIN"), HostileZMTP.greeting(mechanism: "CURVE"),
        HostileZMTP.greeting(mechanism: "CURVE", asServer: true), HostileZMTP.greeting(mechanism: "GSSAPI"),
        HostileZMTP.greeting(mechanism: "\u{1}\u{2}"),
        HostileZMTP.greeting() + [4, 200] + [UInt8](repeating: 0xFF, count: 200),
        HostileZMTP.greeting() + HostileZMTP.ready(socketType: "PUB"),
        HostileZMTP.greeting() + HostileZMTP.ready(socketType: String(repeating: "X", count: 200)),
        HostileZMTP.greeting() + [6] + [UInt8](repeating: 0xFF, count: 8),
        HostileZMTP.greeting() + HostileZMTP.ready(socketType: "DEALER") + [2]
          + [UInt8](repeating: 0xFF, count: 8),
        HostileZMTP.greeting(mechanism: "CURVE") + [4, 200, 5] + Array("HELLO".utf8)
          + [UInt8](repeating: 1, count: 194),
        Array("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8), [0x16, 3, 1, 2, 0, 1, 0, 1, 0xFC, 3, 3],
      ]
      for _ in 0..<60 {
        // Garbage from the first byte, or from somewhere in a good beginning.
        let good =
          HostileZMTP.greeting(mechanism: isEncrypted ? "CURVE" : "NULL")
          + HostileZMTP.ready(socketType: "DEALER")
        let kept = Bool.random(using: &generator) ? Int.random(in: 0...good.count, using: &generator) : 0
        let noise = (0..<Int.random(in: 0...2000, using: &generator)).map { _ in
          UInt8.random(in: 0...255, using: &generator)
        }
        words.append(Array(good.prefix(kept)) + noise)
      }
      let endpoint = exchange.endpoint
      let said = words
      try attack(exchange) {
        var connections: [HostileTCP] = []
        for word in said {
          let connection = try HostileTCP(endpoint)
          connection.send(word)
          connections.append(connection)
          usleep(2000)
        }
        usleep(300_000)
      }
      try exchange.expectAlive()
      let good = exchange.others.filter { if case .message = $0 { true } else { false } }
      #expect(good.isEmpty)
      #expect(exchange.growth < Self.mostGrowth_bytes, "grew by \(exchange.growth >> 20) MiB")
      #expect(exchange.refusals.isEmpty)
    }

    @Test(
      "a message of endless parts from a peer that has not registered is cut off",
      arguments: [WireLimits.frameBytes, 100_000, 200, 0])
    func endlessFromStranger(partBytes: Int) throws {
      let exchange = try Exchange()
      try exchange.expectAlive()
      let endpoint = exchange.endpoint
      let taken = Atomic64()
      try attack(exchange) {
        for _ in 0..<3 {
          taken.add(try HostileZMTP(endpoint).sendEndlessParts(partBytes: partBytes, totalBytes: 400 << 20))
        }
      }
      try exchange.expectAlive()
      #expect(taken.value < 300 << 20, "\(taken.value >> 20) MiB were taken")
      #expect(exchange.growth < Self.mostGrowth_bytes, "grew by \(exchange.growth >> 20) MiB")
      #expect(exchange.coordinator.connectionStatistics.closedForExcess >= 3)
      #expect(exchange.notes.contains { $0.contains("without registering") }, "\(exchange.notes)")
      print("parts of \(partBytes): grew by \(exchange.growth >> 20) MiB, took \(taken.value >> 10) KiB")
    }

    @Test(
      "a message of endless parts from a registered peer is cut off",
      arguments: [WireLimits.frameBytes, 200])
    func endlessFromRegistered(partBytes: Int) throws {
      let exchange = try Exchange()
      exchange.registersOthers = 1 << 20
      try exchange.expectAlive()
      let endpoint = exchange.endpoint
      let taken = Atomic64()
      try attack(exchange) {
        let peer = try HostileZMTP(endpoint)
        peer.send(Examples.frames(Examples.beat(1)))
        usleep(400_000)
        taken.add(peer.sendEndlessParts(partBytes: partBytes, totalBytes: 400 << 20))
      }
      try exchange.expectAlive()
      #expect(exchange.registered.count == 2)
      #expect(taken.value > 1 << 20 && taken.value < 200 << 20, "\(taken.value >> 20) MiB were taken")
      #expect(exchange.growth < Self.mostGrowth_bytes, "grew by \(exchange.growth >> 20) MiB")
      #expect(exchange.notes.contains { $0.contains("where its work allows") }, "\(exchange.notes)")
      print(
        "registered, parts of \(partBytes): grew by \(exchange.growth >> 20) MiB, took \(taken.value >> 10) KiB"
      )
    }

    @Test("a registered peer may send what its work allows, again and again")
    func honestBulk() throws {
      let exchange = try Exchange()
      exchange.registersOthers = 8 << 20
      try exchange.expectAlive()
      let endpoint = exchange.endpoint
      let results = exchange.results
      try attack(exchange) {
        let worker = try WorkerSocket(TransportContext(), endpoint: endpoint)
        guard try worker.send(Examples.beat(1)) else { throw TestKitError("the beat was not taken") }
        usleep(400_000)
        let result = Examples.result(8 << 20, seed: 3)
        for number in 1...30 {
          guard try worker.send(result) else { throw TestKitError("a result was not taken") }
          // The next one comes when the coordinator has this one, as with assignments.
          for _ in 0..<1000 where results.value < number { usleep(5000) }
        }
      }
      #expect(results.value == 30)
      #expect(exchange.coordinator.connectionStatistics.closedForExcess == 0)
    }

    @Test("a peer with an authorized key that sends nonsense is reported", arguments: [UInt64(3), 4])
    func nonsenseWithKey(seed: UInt64) throws {
      let keys = try ExampleKeys()
      let exchange = try Exchange(keys: keys)
      try exchange.expectAlive()
      let endpoint = exchange.endpoint
      try attack(exchange) {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<20 {
          let peer = try HostileDealer(endpoint, keys: keys.hostile)
          for _ in 0..<20 {
            let frames = (0..<Int.random(in: 1...6, using: &generator)).map { _ in
              (0..<Int.random(in: 0...300, using: &generator)).map { _ in
                UInt8.random(in: 0...255, using: &generator)
              }
            }
            peer.send(frames)
          }
          usleep(50_000)
        }
      }
      try exchange.expectAlive()
      let malformed = exchange.others.count { if case .malformed = $0 { true } else { false } }
      #expect(malformed > 100 && malformed == exchange.others.count)
    }

    @Test("an authorized peer's huge message of many parts never arrives")
    func hugeWithKey() throws {
      let keys = try ExampleKeys()
      let exchange = try Exchange(keys: keys)
      exchange.registersOthers = 0
      try exchange.expectAlive()
      let endpoint = exchange.endpoint
      try attack(exchange) {
        let peer = try HostileDealer(endpoint, keys: keys.hostile)
        peer.send(Examples.frames(Examples.beat(1)))
        usleep(400_000)
        peer.send([[UInt8]](repeating: [UInt8](repeating: 1, count: 100_000), count: 600))
        usleep(2_000_000)
      }
      try exchange.expectAlive()
      #expect(exchange.others.count == 1)
      #expect(exchange.coordinator.connectionStatistics.closedForExcess >= 1)
    }

    @Test(
      "10,000 half-open connections cost little memory and few descriptors",
      arguments: [[], Array(HostileZMTP.greeting().prefix(11)), HostileZMTP.greeting()])
    func halfOpen(saying bytes: [UInt8]) throws {
      let count = 10_000
      let limit = HostileFlood.raiseDescriptorLimit()
      // The test's own ends and the coordinator's are in one process.
      guard limit >= 8_000 else {
        print("skipped: the hard limit of open files is \(limit), and 8000 are needed")
        return
      }
      let keeping = min(count, limit - 6_000)
      let exchange = try Exchange()
      try exchange.expectAlive()
      let endpoint = exchange.endpoint
      let flood = HostileFlood()
      let before = ProcessUsage.descriptors()
      try attack(exchange, within: 120) { flood.open(count, to: endpoint, saying: bytes, keeping: keeping) }
      let statistics = exchange.coordinator.connectionStatistics
      try exchange.expectAlive()
      #expect(flood.made > count * 9 / 10)
      #expect(statistics.strangers <= 512 && statistics.closedAsTooMany > UInt64(count) / 2)
      let most = exchange.mostDescriptors - before - keeping
      #expect(most < 4_000, "\(most) descriptors")
      print(
        "half-open saying \(bytes.count) bytes: grew by \(exchange.growth >> 20) MiB, \(most) descriptors at most, "
          + "\(exchange.rounds) rounds, \(statistics)")
      flood.close()
      try exchange.expectAlive()
      // Others can still join.
      let worker = try WorkerSocket(TransportContext(), endpoint: endpoint)
      #expect(try worker.send(Examples.beat(77)))
      let hasJoined = try exchange.run(within: 20) { !exchange.others.isEmpty }
      #expect(hasJoined)
    }

    @Test("a new worker joins while connections pour in")
    func joinDuringFlood() throws {
      guard HostileFlood.raiseDescriptorLimit() >= 8_000 else { return }
      let exchange = try Exchange()
      try exchange.expectAlive()
      let endpoint = exchange.endpoint
      let isOver = Flag()
      let hasEnded = DispatchSemaphore(value: 0)
      let thread = Thread {
        let flood = HostileFlood()
        while !isOver.isRaised { flood.open(50, to: endpoint, saying: [0xFF], keeping: 2_000) }
        hasEnded.signal()
      }
      thread.start()
      defer {
        isOver.raise()
        hasEnded.wait()
      }
      try exchange.run(within: 1) { false }
      let worker = try WorkerSocket(TransportContext(), endpoint: endpoint)
      #expect(try worker.send(Examples.beat(77)))
      let hasJoined = try exchange.run(within: 30) { !exchange.others.isEmpty }
      #expect(hasJoined)
      try exchange.expectAlive()
    }
  }
}

/// A number that threads add to.
final class Atomic64: Sendable {
  private let number = Atomic<Int>(0)
  func add(_ value: Int) { number.wrappingAdd(value, ordering: .relaxed) }
  var value: Int { number.load(ordering: .relaxed) }
}
