import CPlatform
import Glibc
import Synchronization

/// Keeps hostile connections from filling a coordinator's memory and descriptors.
///
/// A thread of its own reads what libzmq tells about the doors' connections, compares every few milliseconds what
/// each has received with what its peer may have under way, and shuts down those that ``ConnectionTable`` names.
///
/// Only TCP connections are watched: an ipc socket is in a folder that only this user can enter.
///
/// A descriptor may have been closed and used again before it is shut down here. That is harmless: `shutdown` of
/// something that is no connection fails, and an innocent connection that it hits is made anew by its peer.
final class ConnectionGuard: Sendable {
  private struct State {
    var table: ConnectionTable
    var statistics = ConnectionStatistics()
    var notes: [String] = []
    var thread: TransportThread?
  }

  private static let mostNotes = 16

  private let wake: WakePipe
  private let state: Mutex<State>

  init(limits: ConnectionTable.Limits) throws {
    wake = try WakePipe()
    state = Mutex(State(table: ConnectionTable(limits: limits)))
  }

  /// Starts the thread, which reads the monitors from here on. They have to be stopped before `stop`.
  func start(monitors: [SocketMonitor]) throws {
    // Handed over to the thread for reading; starting it is the memory barrier that libzmq asks for. Stopping a
    // monitor touches the watched socket alone, and is done by that socket's owner.
    nonisolated(unsafe) let moved = monitors
    let thread = try TransportThread(name: "isomix-guard") { [self] in watch(moved) }
    state.withLock { $0.thread = thread }
  }

  func stop() {
    guard let thread = state.withLock({ $0.thread.take() }) else { return }
    wake.wake()
    thread.join()
  }

  /// Tells that a message was delivered over a connection.
  func deliver(_ bytes: UInt64, from peer: UInt64?, over id: ConnectionTable.ID) {
    state.withLock { $0.table.deliver(bytes, from: peer, over: id) }
  }

  func set(_ allowance: Int?, for peer: UInt64) {
    state.withLock { $0.table.set(allowance, for: peer) }
  }

  /// Ends a peer's connection in a moment.
  func dismiss(_ peer: UInt64) { state.withLock { $0.table.dismiss(peer) } }

  /// Sets what each peer may have under way, and returns notes since the last call.
  func update(_ allowance: (UInt64) -> Int?) -> [String] {
    state.withLock { state in
      state.table.setAllowances(allowance)
      defer { state.notes = [] }
      return state.notes
    }
  }

  var statistics: ConnectionStatistics {
    state.withLock { state in
      var statistics = state.statistics
      statistics.accepted = state.table.acceptedCount
      statistics.open = state.table.openCount
      statistics.strangers = state.table.strangerCount
      return statistics
    }
  }

  private func watch(_ monitors: [SocketMonitor]) {
    var poller = Poller([.descriptor(wake.readEnd)] + monitors.map { .socket($0.pollHandle) })
    var lastCheck_ms: Int64 = 0
    var lastTrim_ms: Int64 = 0
    var isTrimDue = false
    while true {
      let (isIdle, strangers) = state.withLock { ($0.table.isEmpty && !isTrimDue, $0.table.strangerCount) }
      // A stranger may send as fast as it can, so few of them are looked at as often as possible.
      let isQuick = (1...TransportLimits.strangersWatchedClosely).contains(strangers)
      let turn_ms = isQuick ? TransportLimits.quickGuardTurn_ms : TransportLimits.guardTurn_ms
      guard let ready = try? poller.wait(timeout_ms: isIdle ? -1 : turn_ms) else { return }
      if ready[0] { return }
      for (door, monitor) in monitors.enumerated() where ready[door + 1] { read(monitor, door: door) }
      let now_ms = MonotonicTime.now_ms
      if now_ms - lastCheck_ms >= turn_ms {
        lastCheck_ms = now_ms
        if check() { isTrimDue = true }
      }
      if isTrimDue, now_ms - lastTrim_ms >= TransportLimits.trimInterval_ms {
        lastTrim_ms = now_ms
        isTrimDue = false
        isomix_trim_memory()
      }
    }
  }

  /// Takes what a monitor has to say, a bounded number of events at a time.
  private func read(_ monitor: SocketMonitor, door: Int) {
    for _ in 0..<TransportLimits.messagesPerTurn {
      guard let event = try? monitor.next() else { return }
      state.withLock { state in
        switch event {
        case .accepted(let descriptor):
          // Not a TCP connection, or gone already.
          guard isomix_tcp_bytes_received(descriptor) >= 0 else { return }
          let closings = state.table.accept(ConnectionTable.ID(door: door, descriptor: descriptor))
          ConnectionGuard.shutDown(closings, &state)
        case .disconnected(let descriptor):
          state.table.remove(ConnectionTable.ID(door: door, descriptor: descriptor))
        case .handshakeRefused, .handshakeFailed, .handshakeBroken: state.statistics.failedHandshakes += 1
        case .connected, .handshakeSucceeded, .stopped, .other: break
        }
      }
    }
  }

  /// Whether anything was closed.
  private func check() -> Bool {
    state.withLock { state in
      // Asked while the lock is held, so that everything delivered so far has been told before.
      let closings = state.table.check(registered: TransportLimits.guardedPerTurn) { id in
        let bytes = isomix_tcp_bytes_received(id.descriptor)
        return bytes < 0 ? nil : UInt64(bytes)
      }
      ConnectionGuard.shutDown(closings, &state)
      defer { state.statistics.closedSinceTrim = 0 }
      return state.statistics.closedSinceTrim > 0
    }
  }

  private static func shutDown(_ closings: [ConnectionTable.Closing], _ state: inout State) {
    for closing in closings {
      state.statistics.count(closing.reason)
      if closing.reason != .dismissed, state.notes.count < mostNotes {
        state.notes.append(note(closing.reason, address: address(closing.connection.descriptor)))
      }
      _ = isomix_shut_down_connection(closing.connection.descriptor)
    }
  }

  private static func note(_ reason: ConnectionTable.Reason, address: String) -> String {
    switch reason {
    case .tooManyStrangers:
      "closed a connection from \(address): too many that have not registered"
    case .dismissed: "closed a connection from \(address), which was turned away"
    case .tooManyConnections: "closed a connection from \(address): there are too many"
    case .strangerSentTooMuch(let bytes):
      "closed a connection from \(address) that sent \(bytes / 1000) kB without registering"
    case .strangersSentTooMuch(let bytes):
      "closed a connection from \(address): those that have not registered sent \(bytes / 1000) kB together"
    case .peerSentTooMuch(let bytes, let allowed):
      "closed a connection from \(address) that sent \(bytes / 1000) kB where its work allows \(allowed / 1000) kB"
    }
  }

  private static func address(_ descriptor: Int32) -> String {
    var text = [CChar](repeating: 0, count: 64)
    guard isomix_peer_address(descriptor, &text, text.count) == 0 else { return "somewhere" }
    return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}

/// What a coordinator's doors have seen.
public struct ConnectionStatistics: Hashable, Sendable {
  /// TCP connections that were accepted.
  public internal(set) var accepted: UInt64 = 0
  /// Those that are open, and those of them whose peers have not registered.
  public internal(set) var open = 0
  public internal(set) var strangers = 0
  /// Handshakes that failed, by a wrong protocol, a wrong key, or an end in between.
  public internal(set) var failedHandshakes: UInt64 = 0
  /// Handshakes that failed because the key is not among the authorized ones.
  public internal(set) var refusedKeys = 0
  /// Connections that were closed because there were too many.
  public internal(set) var closedAsTooMany: UInt64 = 0
  /// Connections that were closed because they sent more than they may.
  public internal(set) var closedForExcess: UInt64 = 0
  var closedSinceTrim = 0

  mutating func count(_ reason: ConnectionTable.Reason) {
    closedSinceTrim += 1
    switch reason {
    case .dismissed: break
    case .tooManyStrangers, .tooManyConnections: closedAsTooMany += 1
    case .strangerSentTooMuch, .strangersSentTooMuch, .peerSentTooMuch: closedForExcess += 1
    }
  }
}
