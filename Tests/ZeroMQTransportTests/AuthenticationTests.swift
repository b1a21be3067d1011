import Foundation
import TestKit
import Testing
import Wire
import ZeroMQTransport

extension Sockets {
  @Suite("Only workers with an authorized key get through an encrypted door", .serialized)
  struct AuthenticationTests {
    let keys: ExampleKeys

    init() throws { keys = try ExampleKeys() }

    private func door() throws -> (socket: CoordinatorSocket, endpoint: String) {
      let socket = try CoordinatorSocket(TransportContext(), security: keys.coordinator)
      return (socket, try socket.bind("tcp://127.0.0.1:0", encrypted: true))
    }

    /// What a worker that sends a message is told, and what the coordinator gets of it.
    private func attempt(
      _ security: WorkerSecurity?, on socket: CoordinatorSocket, _ endpoint: String, seconds: Double,
      until isDone: ([ConnectionRefusal]) -> Bool
    ) throws -> (refusals: [ConnectionRefusal], incoming: Int) {
      let worker = try WorkerSocket(TransportContext(), endpoint: endpoint, security: security)
      #expect(try worker.send(Examples.beat(1)))
      var refusals: [ConnectionRefusal] = []
      var incoming = 0
      let deadline = Date().addingTimeInterval(seconds)
      while Date() < deadline, !isDone(refusals) {
        usleep(5000)
        _ = try worker.drain { if case .refused(let refusal) = $0 { refusals.append(refusal) } }
        _ = try socket.drain(bulkLimit: { _ in 0 }) { _ in incoming += 1 }
      }
      // What was on its way would be here by now.
      usleep(100_000)
      _ = try socket.drain(bulkLimit: { _ in 0 }) { _ in incoming += 1 }
      worker.close(linger_ms: 0)
      return (refusals, incoming)
    }

    @Test("bulk of many frames travels both ways, encrypted")
    func bothWays() throws {
      let (coordinator, endpoint) = try door()
      let worker = try WorkerSocket(TransportContext(), endpoint: endpoint, security: keys.worker)
      // Who has not been heard may not send much.
      #expect(try worker.send(Examples.beat(1)))
      var isHeard = false
      for _ in 0..<2000 where !isHeard {
        usleep(5000)
        _ = try coordinator.drain(bulkLimit: { _ in 0 }) { _ in isHeard = true }
      }
      #expect(coordinator.guardConnections { _ in 4 << 20 }.isEmpty)
      let result = Examples.result((3 << 20) + 8, seed: 1)
      #expect(try worker.send(result))
      var peer: CoordinatorSocket.Peer?
      var received: [Message] = []
      for _ in 0..<2000 where peer == nil {
        usleep(5000)
        _ = try coordinator.drain(bulkLimit: { _ in 1 << 30 }) {
          if case .message(let from, let message) = $0 {
            peer = from
            received.append(message)
          }
        }
      }
      let isSame = received == [result]
      #expect(isSame)
      let number = try #require(peer)
      #expect(number >> 32 == 1)
      let work = Examples.work([UInt8](repeating: 7, count: (5 << 20) + 3))
      #expect(try coordinator.send(work, to: number))
      var answers: [Message] = []
      for _ in 0..<2000 where answers.isEmpty {
        usleep(5000)
        _ = try worker.drain { if case .message(let message) = $0 { answers.append(message) } }
      }
      let isWork = answers == [work]
      #expect(isWork)
    }

    @Test("a worker whose key is not on the list is told so, and so is the log")
    func unknownKey() throws {
      let (socket, endpoint) = try door()
      let stranger = try CurveKeyPair.generate()
      let outcome = try attempt(
        WorkerSecurity(keys: stranger, coordinator: keys.worker.coordinator), on: socket, endpoint,
        seconds: 10,
        until: { !$0.isEmpty })
      #expect(outcome.refusals.first?.cause == .keyNotAllowed && outcome.incoming == 0)
      #expect(outcome.refusals.first?.isFinal == true)
      #expect(outcome.refusals.first?.message.contains(stranger.public.text) == true)
      let notes = socket.guardConnections { _ in nil }
      #expect(notes.contains { $0.contains(stranger.public.text) && $0.contains("127.0.0.1") }, "\(notes)")
      #expect(socket.connectionStatistics.refusedKeys >= 1)
    }

    @Test("a worker without keys is told that the door wants them")
    func noKey() throws {
      let (socket, endpoint) = try door()
      let outcome = try attempt(nil, on: socket, endpoint, seconds: 30, until: { $0.last?.isFinal == true })
      #expect(outcome.refusals.last?.cause == .keysWanted && outcome.incoming == 0)
      #expect(outcome.refusals.allSatisfy { $0.message.contains("--keys") })
    }

    @Test("a worker with keys is told that the door takes none")
    func needlessKey() throws {
      let socket = try CoordinatorSocket(TransportContext())
      let endpoint = try socket.bind("tcp://127.0.0.1:0")
      let outcome = try attempt(
        keys.worker, on: socket, endpoint, seconds: 30, until: { $0.last?.isFinal == true })
      #expect(outcome.refusals.last?.cause == .keysNotWanted && outcome.incoming == 0)
    }

    @Test("a worker with another coordinator's key gets nowhere, and is told what can be told")
    func wrongServerKey() throws {
      let (socket, endpoint) = try door()
      let wrong = WorkerSecurity(keys: keys.worker.keys, coordinator: try CurveKeyPair.generate().public)
      let outcome = try attempt(wrong, on: socket, endpoint, seconds: 20, until: { !$0.isEmpty })
      #expect(outcome.refusals.first?.cause == .handshakeBroken && outcome.incoming == 0)
      #expect(outcome.refusals.first?.isFinal == false)
      #expect(outcome.refusals.first?.message.contains("coordinator.public") == true)
    }

    @Test("without the authenticator nobody gets through, not even an authorized worker")
    func authenticatorGone() throws {
      let (socket, endpoint) = try door()
      let before = try attempt(keys.worker, on: socket, endpoint, seconds: 0.5, until: { _ in false })
      #expect(before.incoming == 1)
      socket.stopAuthenticator()
      let after = try attempt(keys.worker, on: socket, endpoint, seconds: 3, until: { _ in false })
      #expect(after.incoming == 0)
      #expect(after.refusals.allSatisfy { !$0.isFinal }, "\(after.refusals)")
    }

    @Test("an encrypted door without keys is refused")
    func encryptedWithoutKeys() throws {
      let socket = try CoordinatorSocket(TransportContext())
      #expect(throws: TransportError.self) { try socket.bind("tcp://127.0.0.1:0", encrypted: true) }
    }

    @Test("peers of both doors are served at the same time, under different numbers")
    func twoDoors() throws {
      let place = try SocketPlace()
      let (socket, encrypted) = try door()
      let plain = try socket.bind(place.endpoint)
      let context = try TransportContext()
      let workers = try [
        WorkerSocket(context, endpoint: plain),
        WorkerSocket(context, endpoint: encrypted, security: keys.worker),
      ]
      for (index, worker) in workers.enumerated() { #expect(try worker.send(Examples.beat(UInt64(index)))) }
      var peers: [UInt64: CoordinatorSocket.Peer] = [:]
      for _ in 0..<2000 where peers.count < 2 {
        usleep(5000)
        _ = try socket.drain(bulkLimit: { _ in 0 }) {
          if case .message(let peer, let message) = $0, case .beat(let beat) = message.content {
            peers[beat.progress] = peer
          }
        }
      }
      let numbers = try (0..<2).map { try #require(peers[UInt64($0)]) }
      #expect(numbers[0] >> 32 == 0 && numbers[1] >> 32 == 1)
      for (index, worker) in workers.enumerated() {
        #expect(try socket.send(Examples.beat(UInt64(index) + 10), to: numbers[index]))
        var answers: [Message] = []
        for _ in 0..<2000 where answers.isEmpty {
          usleep(5000)
          _ = try worker.drain { if case .message(let message) = $0 { answers.append(message) } }
        }
        #expect(answers == [Examples.beat(UInt64(index) + 10)])
      }
      #expect(try !socket.send(Examples.beat(1), to: 7 << 32 | 1))
    }

    @Test("a busy door does not keep the other one waiting")
    func fairness() throws {
      let place = try SocketPlace()
      let (socket, encrypted) = try door()
      let plain = try socket.bind(place.endpoint)
      let context = try TransportContext()
      let busy = try WorkerSocket(context, endpoint: plain)
      let quiet = try WorkerSocket(context, endpoint: encrypted, security: keys.worker)
      #expect(try quiet.send(Examples.beat(7)))
      for number in 0..<3000 { #expect(try busy.send(Examples.beat(1000 + UInt64(number)))) }
      usleep(500_000)
      var position: Int?
      var count = 0
      _ = try socket.drain(bulkLimit: { _ in 0 }) {
        if case .message(_, let message) = $0, message == Examples.beat(7) { position = count }
        count += 1
      }
      #expect(try #require(position) < 10)
    }

    @Test("the last word before a normal end arrives; an abandoned one leaves nothing")
    func lastWord() throws {
      let (socket, endpoint) = try door()
      let context = try TransportContext()
      for number in 1...20 as ClosedRange<UInt64> {
        // Connected before, so that the word has somewhere to go.
        let worker = try WorkerSocket(context, endpoint: endpoint, security: keys.worker)
        #expect(try worker.send(Examples.beat(number)))
        worker.close()
        #expect(try !worker.send(Examples.beat(0)))
        #expect(worker.pollHandles.isEmpty)
        var received: [Message] = []
        for _ in 0..<1000 where received.isEmpty {
          usleep(2000)
          _ = try socket.drain(bulkLimit: { _ in 0 }) {
            if case .message(_, let message) = $0 { received.append(message) }
          }
        }
        #expect(received == [Examples.beat(number)])
      }
      let start = Date()
      for _ in 0..<200 {
        let worker = try WorkerSocket(
          TransportContext(), endpoint: "tcp://127.0.0.1:1", security: keys.worker)
        #expect(try worker.send(Examples.beat(0)))
        worker.close(linger_ms: 0)
      }
      #expect(Date().timeIntervalSince(start) < 20)
    }

    @Test("coordinators and workers that come and go leave no thread and no descriptor")
    func noLeak() throws {
      func once() throws {
        let (socket, endpoint) = try door()
        let worker = try WorkerSocket(TransportContext(), endpoint: endpoint, security: keys.worker)
        #expect(try worker.send(Examples.beat(1)))
        var count = 0
        for _ in 0..<2000 where count == 0 {
          usleep(1000)
          _ = try socket.drain(bulkLimit: { _ in 0 }) { _ in count += 1 }
        }
        #expect(count == 1)
      }
      try once()
      let (threads, descriptors) = (ProcessUsage.threads(), ProcessUsage.descriptors())
      for _ in 0..<40 { try once() }
      #expect(ProcessUsage.threads() < threads + 20 && ProcessUsage.descriptors() < descriptors + 40)
    }
  }
}
