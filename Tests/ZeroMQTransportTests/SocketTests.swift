import Foundation
import Testing
import Wire
import ZeroMQTransport

extension Sockets {
  @Suite("Coordinator and workers over real sockets", .serialized)
  struct SocketTests {
    /// How often a wait of 10 ms is repeated before a test gives up.
    private static let patience = 1000

    /// Drains the coordinator until `isDone`, collecting what came.
    private func drain(
      _ socket: CoordinatorSocket, limit: Int = WireLimits.bulkBytes,
      until isDone: ([CoordinatorSocket.Incoming]) -> Bool
    ) throws -> [CoordinatorSocket.Incoming] {
      var incoming: [CoordinatorSocket.Incoming] = []
      var poller = Poller([.socket(socket.pollHandles[0])])
      for _ in 0..<Self.patience where !isDone(incoming) {
        guard try poller.wait(timeout_ms: 10)[0] else { continue }
        while try socket.drain(bulkLimit: { _ in limit }, { incoming.append($0) }) {}
      }
      return incoming
    }

    private func messages(_ incoming: [CoordinatorSocket.Incoming]) -> [(
      peer: CoordinatorSocket.Peer, message: Message
    )] {
      incoming.compactMap { if case .message(let peer, let message) = $0 { (peer, message) } else { nil } }
    }

    private func errors(_ incoming: [CoordinatorSocket.Incoming]) -> [(
      peer: CoordinatorSocket.Peer, error: WireError
    )] {
      incoming.compactMap { if case .malformed(let peer, let error) = $0 { (peer, error) } else { nil } }
    }

    /// The next `count` messages that a worker gets.
    private func receive(_ socket: WorkerSocket, _ count: Int = 1) throws -> [Message] {
      var received: [Message] = []
      var poller = Poller([.socket(socket.pollHandles[0])])
      for _ in 0..<Self.patience where received.count < count {
        guard try poller.wait(timeout_ms: 10)[0] else { continue }
        _ = try socket.drain { if case .message(let message) = $0 { received.append(message) } }
      }
      return received
    }

    private func listen(_ endpoint: String) throws -> (socket: CoordinatorSocket, endpoint: String) {
      let socket = try CoordinatorSocket(TransportContext())
      return (socket, try socket.bind(endpoint))
    }

    @Test(
      "messages travel both ways with bulk of many frames, over ipc and over tcp", arguments: [true, false])
    func bothWays(isLocal: Bool) throws {
      let place = try SocketPlace()
      let (coordinator, endpoint) = try listen(isLocal ? place.endpoint : "tcp://127.0.0.1:0")
      if !isLocal { #expect(endpoint.contains("127.0.0.1") && !endpoint.hasSuffix(":0")) }
      let context = try TransportContext()
      let workers = try (0..<3).map { _ in try WorkerSocket(context, endpoint: endpoint) }
      // Who has not been heard may not send much.
      for worker in workers { #expect(try worker.send(Examples.beat(99))) }
      let first = messages(try drain(coordinator) { messages($0).count == 3 })
      #expect(first.count == 3 && coordinator.guardConnections { _ in 16 << 20 }.isEmpty)
      for (index, worker) in workers.enumerated() {
        #expect(try worker.send(Examples.result((3 << 20) + 8 * index + 8, seed: UInt8(index))))
        #expect(try worker.send(Examples.beat(UInt64(index))))
      }
      let incoming = messages(try drain(coordinator) { messages($0).count == 6 })
      #expect(incoming.count == 6)
      let state = [UInt8](unsafeUninitializedCapacity: 5 << 20) { buffer, count in
        for index in buffer.indices { buffer[index] = UInt8(truncatingIfNeeded: index &* 7) }
        count = 5 << 20
      }
      let work = Examples.work(state)
      let peers = Dictionary(grouping: incoming, by: \.peer).mapValues { $0.map(\.message) }
      #expect(peers.count == 3)
      for (peer, received) in peers {
        guard case .beat(let beat) = received.last?.content else {
          Issue.record("the beat did not come last")
          continue
        }
        let index = Int(beat.progress)
        #expect(received.first == Examples.result((3 << 20) + 8 * index + 8, seed: UInt8(index)))
        #expect(try coordinator.send(work, to: peer))
        #expect(try coordinator.send(Examples.beat(beat.progress + 10), to: peer))
        #expect(try receive(workers[index], 2) == [work, Examples.beat(beat.progress + 10)])
      }
      #expect(coordinator.bytesSent > 15 << 20 && coordinator.bytesReceived > 9 << 20)
    }

    @Test("a state for many peers is held once")
    func sharedFrames() throws {
      let place = try SocketPlace()
      let (coordinator, endpoint) = try listen(place.endpoint)
      // They take next to nothing, so that the frames wait at the sender.
      let foreign = (0..<24).map { _ in ForeignPeer(endpoint, receiveLimit: 1) }
      for peer in foreign { peer.send(Examples.frames(Examples.beat(1))) }
      let peers = messages(try drain(coordinator) { messages($0).count == 24 }).map(\.peer)
      #expect(Set(peers).count == 24)
      let work = Examples.work([UInt8](repeating: 3, count: 32 << 20))
      let before = try residentBytes()
      for peer in peers { #expect(try coordinator.send(work, to: peer)) }
      // Copies for each of them would be 768 MiB. Other tests of this process may allocate, too.
      #expect(try residentBytes() - before < 400 << 20)
      withExtendedLifetime(foreign) {}
    }

    private func residentBytes() throws -> Int {
      let text = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8)
      return (Int(text.split(separator: " ")[1]) ?? 0) * 4096
    }

    @Test("another state is not taken for the one before, and a changed array not for itself")
    func changedState() throws {
      let place = try SocketPlace()
      let (coordinator, endpoint) = try listen(place.endpoint)
      let worker = try WorkerSocket(TransportContext(), endpoint: endpoint)
      #expect(try worker.send(Examples.beat(1)))
      let peer = try #require(messages(try drain(coordinator) { !$0.isEmpty }).first?.peer)
      var state = [UInt8](repeating: 0, count: 100_000)
      for round in 1...5 as ClosedRange<UInt8> {
        state[Int(round) * 1000] = round
        let work = Examples.work(state)
        #expect(try coordinator.send(work, to: peer))
        #expect(try coordinator.send(work, to: peer))
        #expect(try receive(worker, 2) == [work, work])
      }
    }

    @Test("nonsense is reported with its sender while others go on")
    func nonsense() throws {
      let place = try SocketPlace()
      let (coordinator, endpoint) = try listen(place.endpoint)
      let worker = try WorkerSocket(TransportContext(), endpoint: endpoint)
      let good = Examples.frames(Examples.beat(5))
      let bad: [[[UInt8]]] = [
        [[1, 2, 3]], [[]], [[], [], []], Array(good.prefix(2)), good + [[]],
        [[UInt8]](repeating: [0], count: 500), [good[0], [1], []], [[0] + good[0].dropFirst(), good[1], []],
      ]
      let foreign = bad.map { frames in
        let peer = ForeignPeer(endpoint)
        peer.send(frames)
        return peer
      }
      let incoming = try drain(coordinator) { errors($0).count == bad.count }
      #expect(errors(incoming).count == bad.count && Set(errors(incoming).map(\.peer)).count == bad.count)
      #expect(messages(incoming).isEmpty)
      #expect(errors(incoming).contains { $0.error.message == "a message has 3 frames, this one 500" })
      for (peer, _) in errors(incoming) { coordinator.drop(peer) }
      // Those that were dropped are not heard again, even when they make sense.
      for peer in foreign { peer.send(good) }
      #expect(try worker.send(Examples.beat(6)))
      let after = try drain(coordinator) { !$0.isEmpty }
      #expect(after.count == 1 && messages(after).first?.message == Examples.beat(6))
    }

    @Test("bulk over a peer's limit is left away, and the peer is heard on")
    func bulkLimit() throws {
      let place = try SocketPlace()
      let (coordinator, endpoint) = try listen(place.endpoint)
      let worker = try WorkerSocket(TransportContext(), endpoint: endpoint)
      #expect(try worker.send(Examples.result(800, seed: 0)))
      #expect(try worker.send(Examples.result(3 * WireLimits.frameBytes, seed: 0)))
      #expect(try worker.send(Examples.beat(7)))
      let incoming = try drain(coordinator, limit: 799) { !messages($0).isEmpty }
      #expect(incoming.count { if case .unwanted = $0 { true } else { false } } == 4)
      #expect(errors(incoming).isEmpty && messages(incoming).map(\.message) == [Examples.beat(7)])
    }

    @Test("a peer that names itself is ignored")
    func customRoutingID() throws {
      let place = try SocketPlace()
      let (coordinator, endpoint) = try listen(place.endpoint)
      let named = ForeignPeer(endpoint, routingID: Array("mallory".utf8))
      let imitator = ForeignPeer(endpoint, routingID: [1, 0, 0, 0, 1])
      for _ in 0..<3 {
        named.send(Examples.frames(Examples.beat(1)))
        imitator.send([[9]])
      }
      let worker = try WorkerSocket(TransportContext(), endpoint: endpoint)
      #expect(try worker.send(Examples.beat(2)))
      let incoming = try drain(coordinator) { !$0.isEmpty }
      // What the named ones sent has arrived before or arrives now; none of it is let through.
      let later = try drain(coordinator) { _ in coordinator.bytesReceived >= 3 * (72 + 7) + 72 + 5 + 3 * 6 }
      #expect(messages(incoming + later).map(\.message) == [Examples.beat(2)])
      #expect(errors(incoming + later).isEmpty)
    }

    @Test("a peer that is gone can't be sent to")
    func unreachable() throws {
      let place = try SocketPlace()
      let (coordinator, endpoint) = try listen(place.endpoint)
      let peer = ForeignPeer(endpoint)
      peer.send(Examples.frames(Examples.beat(1)))
      let number = try #require(messages(try drain(coordinator) { !$0.isEmpty }).first?.peer)
      #expect(try coordinator.send(Examples.beat(2), to: number))
      #expect(peer.receive() != nil)
      peer.close()
      var isReachable = true
      for _ in 0..<Self.patience where isReachable {
        isReachable = try coordinator.send(Examples.beat(3), to: number)
        usleep(5000)
      }
      #expect(!isReachable)
      #expect(try !coordinator.send(Examples.beat(3), to: 0xDEAD_BEEF))
      #expect(try !coordinator.send(Examples.work([UInt8](repeating: 0, count: 3 << 20)), to: 0xDEAD_BEEF))
      // The socket is in step afterwards.
      let worker = try WorkerSocket(TransportContext(), endpoint: endpoint)
      #expect(try worker.send(Examples.beat(4)))
      let next = try #require(messages(try drain(coordinator) { !$0.isEmpty }).first)
      #expect(next.message == Examples.beat(4))
      #expect(try coordinator.send(Examples.beat(5), to: next.peer))
      #expect(try receive(worker) == [Examples.beat(5)])
    }

    @Test("a path that is too long for a socket is named, with what to do")
    func longPath() throws {
      let socket = try CoordinatorSocket(TransportContext())
      let path = "/tmp/" + String(repeating: "x", count: 103)
      do {
        _ = try socket.bind("ipc://" + path)
        Issue.record("bound")
      } catch let error as TransportError {
        #expect(
          error.message.contains(path) && error.message.contains("107 bytes")
            && error.message.contains("TMPDIR"))
      }
    }

    @Test("a port in use, an address that is none, and a folder that is not there are named")
    func cannotBind() throws {
      let (first, endpoint) = try listen("tcp://127.0.0.1:0")
      let second = try CoordinatorSocket(TransportContext())
      for (endpoint, reason) in [
        (endpoint, "in use"), ("tcp://", ""), ("nonsense", ""),
        ("carrier://pigeon", ""),
        ("ipc:///nonexistent/folder/socket", ""),
      ] {
        do {
          _ = try second.bind(endpoint)
          Issue.record("bound to \(endpoint)")
        } catch let error as TransportError {
          #expect(error.message.hasPrefix("can't listen on \(endpoint): "))
          #expect(reason.isEmpty || error.message.contains(reason), "\(error.message)")
          #expect(error.number != 0)
        }
      }
      #expect(throws: TransportError.self) { try WorkerSocket(TransportContext(), endpoint: "nonsense") }
      withExtendedLifetime(first) {}
    }

    @Test("a message has three frames on the wire")
    func frames() throws {
      let place = try SocketPlace()
      let (coordinator, endpoint) = try listen(place.endpoint)
      let peer = ForeignPeer(endpoint)
      peer.send(Examples.frames(Examples.beat(1)))
      let number = try #require(messages(try drain(coordinator) { !$0.isEmpty }).first?.peer)
      // What the coordinator sends has three frames: the header of 64 bytes, the body, and empty bulk.
      #expect(try coordinator.send(Examples.beat(7), to: number))
      let frames = (0..<3).compactMap { _ in peer.receive() }
      #expect(frames == Examples.frames(Examples.beat(7)))
    }
  }
}
