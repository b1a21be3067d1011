import Foundation

/// The proxy's thread: waits with poll(2) for bytes to move and for changes of the settings.
final class ProxyLoop {
  private let control: ProxyControl
  private let port: UInt16
  /// Takes connections; while the network is cut, a socket that only holds the port.
  private var listener: Int32
  private var isListening = true
  private var connections: [ProxyConnection] = []

  /// How long to wait when nothing is due.
  private static let idle_ms: Int32 = 1_000

  init(control: ProxyControl, listener: Int32, port: UInt16) {
    self.control = control
    self.listener = listener
    self.port = port
  }

  func run() {
    while true {
      let settings = control.settings
      if settings.isEnded { break }
      apply(settings)
      turn(settings)
    }
    close(listener)
    for connection in connections { connection.reset() }
  }

  private func apply(_ settings: ProxyControl.Settings) {
    if settings.isCut {
      for connection in connections { connection.reset() }
      connections = []
    }
    if settings.isCut == isListening { replaceListener(listening: !settings.isCut) }
    control.open.store(connections.count, ordering: .relaxed)
    if settings.isCut != isListening { control.applied.store(settings.version, ordering: .releasing) }
  }

  private func replaceListener(listening: Bool) {
    close(listener)
    // A moment later another process could hold the port; then it is tried again in the next turn.
    listener = (try? listening ? ProxySocket.listening(on: port) : ProxySocket.bound(to: port)) ?? -1
    if listener >= 0 { isListening = listening }
  }

  private func turn(_ settings: ProxyControl.Settings) {
    let now = ContinuousClock.now
    var descriptors = [
      pollfd(fd: control.wakeUpDescriptor, events: Int16(POLLIN), revents: 0),
      pollfd(fd: isListening ? listener : -1, events: Int16(POLLIN), revents: 0),
    ]
    var wait_ms = settings.isCut != isListening ? ProxyLoop.idle_ms : 1
    for connection in connections {
      let wishes = connection.wishes(settings, now: now)
      descriptors += wishes.descriptors
      wait_ms = min(wait_ms, wishes.wait_ms)
    }
    _ = poll(&descriptors, nfds_t(descriptors.count), wait_ms)
    control.hearWakeUp()
    // Bytes must not move by settings that have changed meanwhile.
    guard control.settings.version == settings.version else { return }
    for connection in connections { connection.move(settings, now: .now, control: control) }
    connections.removeAll { $0.isClosed }
    if descriptors[1].revents != 0 { acceptAll() }
  }

  private func acceptAll() {
    while let client = ProxySocket.accepted(from: listener) {
      connections.append(ProxyConnection(client: client))
      control.accepted.wrappingAdd(1, ordering: .relaxed)
    }
  }
}

/// A connection through the proxy: two sockets, and a queue each way.
final class ProxyConnection {
  private let client: Int32
  /// The connection to the target, once the way there is open.
  private var server: Int32?
  private var up = ProxyQueue(.up)
  private var down = ProxyQueue(.down)
  private(set) var isClosed = false

  init(client: Int32) { self.client = client }

  /// What to wait for: descriptors with their events, and a time.
  func wishes(_ settings: ProxyControl.Settings, now: ContinuousClock.Instant)
    -> (descriptors: [pollfd], wait_ms: Int32)
  {
    guard let server else { return ([], settings.silenced.contains(.up) ? .max : 0) }
    var descriptors: [pollfd] = []
    var wait_ms = Int32.max
    for (direction, queue, source, sink) in [
      (TCPProxy.Direction.up, up, client, server), (.down, down, server, client),
    ] where !settings.silenced.contains(direction) {
      if queue.canTake(settings) { descriptors.append(pollfd(fd: source, events: Int16(POLLIN), revents: 0)) }
      guard let due_ms = queue.due_ms(settings, now: now) else { continue }
      if due_ms == 0 {
        descriptors.append(pollfd(fd: sink, events: Int16(POLLOUT), revents: 0))
      } else {
        wait_ms = min(wait_ms, due_ms)
      }
    }
    return (descriptors, wait_ms)
  }

  /// Moves what can be moved now.
  func move(
    _ settings: ProxyControl.Settings, now: ContinuousClock.Instant, control: ProxyControl
  ) {
    guard !isClosed else { return }
    if server == nil, !settings.silenced.contains(.up) {
      server = try? ProxySocket.connecting(to: control.target)
      if server == nil { return reset() }
    }
    guard let server else { return }
    for direction in TCPProxy.Direction.allCases where !settings.silenced.contains(direction) {
      let isWhole =
        direction == .up
        ? up.move(from: client, to: server, settings, now: now) { control.count($0, .up) }
        : down.move(from: server, to: client, settings, now: now) { control.count($0, .down) }
      // Who resets a connection resets it for both.
      if !isWhole { return reset() }
    }
    if up.hasEnded, down.hasEnded { closeAll() }
  }

  /// Resets both sides.
  func reset() {
    guard !isClosed else { return }
    isClosed = true
    ProxySocket.reset(client)
    if let server { ProxySocket.reset(server) }
  }

  private func closeAll() {
    isClosed = true
    close(client)
    if let server { close(server) }
  }
}
