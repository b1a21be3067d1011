import CPlatform
import Foundation

/// Ends connections that take too long, send too much, read too slowly or are too many: the HTTP library bounds none of
/// these.
///
/// It looks at the connections of this process, which has no others, from a thread of its own. A descriptor may be closed
/// and used again between two calls of the system here; then a new connection ends in place of an old one, which its
/// owner has to be ready for anyway.
final class ConnectionWatch {
  private struct Seen {
    var peer: String
    var since: Double
    /// Since when something that was sent waits to be read.
    var blockedSince: Double?
  }

  private let hub: StatusHub
  private var seen: [Int32: Seen] = [:]

  init(hub: StatusHub) { self.hub = hub }

  /// Starts the thread.
  func start() {
    let watch = SendableWatch(watch: self)
    let thread = Thread {
      while true {
        usleep(UInt32(DashboardLimits.look_ms) * 1000)
        watch.watch.look(now: StatusHub.now)
      }
    }
    thread.name = "connections"
    thread.start()
  }

  /// Sendable: only the thread that `start` makes uses the watch after that.
  private struct SendableWatch: @unchecked Sendable { let watch: ConnectionWatch }

  /// Looks at all connections once.
  func look(now: Double) {
    var connections: [(descriptor: Int32, peer: String, received: Int64)] = []
    for descriptor in ConnectionWatch.descriptors() {
      let received = isomix_tcp_bytes_received(descriptor)
      guard received >= 0, let peer = ConnectionWatch.peer(of: descriptor) else { continue }
      connections.append((descriptor, peer, received))
    }
    let streams = hub.streamPeers
    var next: [Int32: Seen] = [:]
    var others: [(descriptor: Int32, since: Double)] = []
    for connection in connections {
      let descriptor = connection.descriptor
      var entry = seen[descriptor].flatMap { $0.peer == connection.peer ? $0 : nil }
      if entry == nil { ConnectionWatch.limitBuffer(of: descriptor) }
      var current = entry ?? Seen(peer: connection.peer, since: now)
      let isBlocked = ConnectionWatch.unread(descriptor) > 0
      current.blockedSince = isBlocked ? current.blockedSince ?? now : nil
      entry = current
      let isStream = streams.contains(connection.peer)
      let isTooSlow = current.blockedSince.map { now - $0 > DashboardLimits.slowReader_s } ?? false
      let isTooLong = !isStream && now - current.since > DashboardLimits.connection_s
      if connection.received > DashboardLimits.requestBytes || isTooSlow || isTooLong {
        isomix_shut_down_connection(descriptor)
        continue
      }
      next[descriptor] = current
      if !isStream { others.append((descriptor, current.since)) }
    }
    // The oldest: an honest request is answered in milliseconds.
    others.sort { ($0.since, $0.descriptor) < ($1.since, $1.descriptor) }
    for (descriptor, _) in others.dropLast(DashboardLimits.connections) {
      isomix_shut_down_connection(descriptor)
      next[descriptor] = nil
    }
    seen = next
  }

  /// Keeps the system from taking much from a connection before it is read: connections have their buffers from the
  /// socket that listens.
  static func limitListeners() {
    for descriptor in descriptors() {
      var listens: Int32 = 0
      var size = socklen_t(MemoryLayout<Int32>.size)
      guard getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0, listens != 0 else {
        continue
      }
      var bytes = DashboardLimits.receiveBuffer
      setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &bytes, socklen_t(MemoryLayout<Int32>.size))
    }
  }

  /// The open descriptors of this process.
  private static func descriptors() -> [Int32] {
    guard let folder = opendir("/proc/self/fd") else { return [] }
    defer { closedir(folder) }
    let own = dirfd(folder)
    var numbers: [Int32] = []
    while let entry = readdir(folder) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if let number = Int32(name), number != own, number > 2 { numbers.append(number) }
    }
    return numbers.sorted()
  }

  private static func peer(of descriptor: Int32) -> String? {
    var text = [CChar](repeating: 0, count: 64)
    guard isomix_peer_address(descriptor, &text, text.count) == 0 else { return nil }
    return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// Bytes that were sent and have not arrived.
  private static func unread(_ descriptor: Int32) -> Int32 {
    var count: Int32 = 0
    guard ioctl(descriptor, UInt(TIOCOUTQ), &count) == 0 else { return 0 }
    return count
  }

  private static func limitBuffer(of descriptor: Int32) {
    var bytes = DashboardLimits.sendBuffer
    setsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &bytes, socklen_t(MemoryLayout<Int32>.size))
  }
}
