import Foundation
import Reporting
import Synchronization

/// The newest status and the pages that are told of it. A page that reads slowly misses statuses; nothing waits for it and
/// nothing is queued for it but the newest one.
package final class StatusHub: Sendable {
  private struct State {
    /// The newest status as one line of JSON.
    var line: [UInt8] = []
    var receivedAt: Double?
    var streams: [Int: AsyncStream<[UInt8]>.Continuation] = [:]
    var peers: [Int: String] = [:]
    var next = 0
    var hasEnded = false
  }

  private let state = Mutex(State())

  package init() {}

  /// Seconds of a clock that only goes forward.
  static var now: Double { ProcessInfo.processInfo.systemUptime }

  /// Takes a status, as a line of JSON without its end, and sends it to all pages.
  package func publish(_ line: [UInt8]) {
    let frame = StatusHub.frame("status", line)
    state.withLock { state in
      state.line = line
      state.receivedAt = StatusHub.now
      for stream in state.streams.values { stream.yield(frame) }
    }
  }

  /// Sends pages a sign of life when no status has come for a while, so that those who have gone are noticed.
  func beat() {
    state.withLock { state in
      guard StatusHub.now - (state.receivedAt ?? 0) > DashboardLimits.beat_s else { return }
      for stream in state.streams.values { stream.yield(Array(": nothing new\n\n".utf8)) }
    }
  }

  /// Tells pages that the coordinator is gone without an end; a coordinator that ended has said so in its last status.
  func coordinatorIsGone() {
    let frame = StatusHub.frame("gone", Array("{}".utf8))
    state.withLock { state in for stream in state.streams.values { stream.yield(frame) } }
  }

  /// Lets every page read what it has been sent and ends its stream.
  package func end() {
    let streams = state.withLock { state in
      state.hasEnded = true
      return Array(state.streams.values)
    }
    for stream in streams { stream.finish() }
  }

  /// Opens a stream of events; nil when there are too many.
  /// - Parameter peer: the address of the other end.
  package func open(peer: String) -> AsyncStream<[UInt8]>? {
    let (stream, continuation) = AsyncStream.makeStream(
      of: [UInt8].self, bufferingPolicy: .bufferingNewest(1))
    let number = state.withLock { state -> Int? in
      guard state.streams.count < DashboardLimits.streams, !state.hasEnded else { return nil }
      state.next += 1
      state.streams[state.next] = continuation
      state.peers[state.next] = peer
      if !state.line.isEmpty { continuation.yield(StatusHub.frame("status", state.line)) }
      return state.next
    }
    guard let number else { return nil }
    continuation.onTermination = { [weak self] _ in
      self?.state.withLock { state in
        state.streams[number] = nil
        state.peers[number] = nil
      }
    }
    return stream
  }

  /// Open streams.
  package var streamCount: Int { state.withLock { $0.streams.count } }

  /// The other ends of the open streams.
  var streamPeers: Set<String> { state.withLock { Set($0.peers.values) } }

  /// The newest status and its age in seconds; nil before there is one.
  var newest: (line: [UInt8], age_s: Double)? {
    state.withLock { state in
      state.receivedAt.map { (state.line, StatusHub.now - $0) }
    }
  }

  /// An event as `text/event-stream` has it.
  private static func frame(_ name: String, _ line: [UInt8]) -> [UInt8] {
    Array("event: \(name)\ndata: ".utf8) + line + Array("\n\n".utf8)
  }
}
