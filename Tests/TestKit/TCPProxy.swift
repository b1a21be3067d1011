import Foundation
import Synchronization

/// A TCP proxy with faults: it stands between two programs and makes the network slow, silent or broken.
///
///     let proxy = try TCPProxy(to: port)
///     proxy.throttle(bytesPerSecond: 100_000)
///     proxy.partition()      // nothing gets through, nobody is told
///     proxy.heal()           // everything gets through, in order
///
/// It listens on a free port of 127.0.0.1. Its controls hold for connections that are open and for new ones, and
/// have taken effect when they return. It ends when it is let go.
public final class TCPProxy: Sendable {
  /// Which way bytes go: `up` from who connects to the target, `down` back.
  public enum Direction: Int, Sendable, CaseIterable {
    case up, down
  }

  /// Where to connect to instead of the target.
  public let port: UInt16
  private let shared: ProxyControl

  /// The address as `isomix worker --connect` takes it.
  public var endpoint: String { "tcp://127.0.0.1:\(port)" }

  /// Starts a proxy for a port of this machine.
  public init(to target: UInt16) throws {
    let listener = try ProxySocket.listening(on: 0)
    port = try ProxySocket.port(of: listener)
    shared = try ProxyControl(target: target)
    let thread = Thread { [shared, port] in
      ProxyLoop(control: shared, listener: listener, port: port).run()
    }
    thread.name = "TCPProxy"
    thread.start()
  }

  /// Starts a proxy for an endpoint like `tcp://127.0.0.1:5555`.
  public convenience init(to endpoint: String) throws {
    guard let port = endpoint.split(separator: ":").last.flatMap({ UInt16($0) }) else {
      throw TestKitError("\(endpoint) has no port")
    }
    try self.init(to: port)
  }

  deinit { shared.change(waiting: false) { $0.isEnded = true } }

  /// Lets so many bytes a second through, each way of each connection; nil: as many as there are.
  public func throttle(bytesPerSecond: Int?) { shared.change { $0.bytesPerSecond = bytesPerSecond } }

  /// Holds every byte back for a time before it goes on, each way.
  public func delay(milliseconds: Int) { shared.change { $0.delay_ms = milliseconds } }

  /// Flips a bit of some bytes of each connection, by their places from the connection's beginning.
  public func alter(_ places: [Int], _ direction: Direction) {
    shared.change { $0.altered[direction] = places }
  }

  /// Resets all connections and refuses new ones, until ``heal()``. What was under way is lost.
  public func cut() { shared.change { $0.isCut = true } }

  /// Lets nothing through, one way or both, until ``heal()``. Connections stay open, new ones are taken and held;
  /// nothing is lost. Who closes a connection meanwhile is not heard.
  public func partition(_ directions: Set<Direction> = Set(Direction.allCases)) {
    shared.change { $0.silenced.formUnion(directions) }
  }

  /// Ends ``cut()`` and ``partition(_:)``.
  public func heal() {
    shared.change {
      $0.isCut = false
      $0.silenced = []
    }
  }

  /// Bytes that got through so far.
  public func bytesForwarded(_ direction: Direction) -> Int { shared.bytesForwarded(direction) }

  /// Connections taken so far.
  public var connectionsAccepted: Int { shared.accepted.load(ordering: .relaxed) }

  /// Connections that are open.
  public var connectionsOpen: Int { shared.open.load(ordering: .relaxed) }
}

/// What the proxy's thread and its controls share.
final class ProxyControl: Sendable {
  struct Settings: Sendable {
    var bytesPerSecond: Int?
    var delay_ms = 0
    var silenced: Set<TCPProxy.Direction> = []
    var altered: [TCPProxy.Direction: [Int]] = [:]
    var isCut = false
    var isEnded = false
    /// Raised with every change.
    var version = 0
  }

  let target: UInt16
  /// Readable when there is a change to look at.
  let wakeUpDescriptor: Int32
  private let wakeUpSender: Int32
  let accepted = Atomic<Int>(0)
  let open = Atomic<Int>(0)
  /// The newest version of the settings that has taken effect.
  let applied = Atomic<Int>(0)
  private let up = Atomic<Int>(0)
  private let down = Atomic<Int>(0)
  private let current = Mutex(Settings())

  /// A thread that is never given the processor is not waited for without end.
  private static let patience_ms = 10_000

  init(target: UInt16) throws {
    self.target = target
    var ends: [Int32] = [0, 0]
    guard pipe(&ends) == 0 else { throw TestKitError("pipe: \(Spawn.reason())") }
    for end in ends { ProxySocket.makeNonBlocking(end) }
    wakeUpDescriptor = ends[0]
    wakeUpSender = ends[1]
  }

  deinit {
    close(wakeUpDescriptor)
    close(wakeUpSender)
  }

  /// Takes note of a change: the descriptor is not readable any more.
  func hearWakeUp() {
    var buffer = [UInt8](repeating: 0, count: 64)
    while read(wakeUpDescriptor, &buffer, buffer.count) == buffer.count {}
  }

  var settings: Settings { current.withLock { $0 } }

  /// Changes the settings, wakes the thread up, and waits until it has acted on them.
  func change(waiting: Bool = true, _ body: (inout Settings) -> Void) {
    let version = current.withLock { settings in
      body(&settings)
      settings.version += 1
      return settings.version
    }
    write(wakeUpSender, [1], 1)
    guard waiting else { return }
    for _ in 0..<ProxyControl.patience_ms where applied.load(ordering: .acquiring) < version { usleep(1_000) }
  }

  func count(_ bytes: Int, _ direction: TCPProxy.Direction) {
    switch direction {
    case .up: up.wrappingAdd(bytes, ordering: .relaxed)
    case .down: down.wrappingAdd(bytes, ordering: .relaxed)
    }
  }

  func bytesForwarded(_ direction: TCPProxy.Direction) -> Int {
    switch direction {
    case .up: up.load(ordering: .relaxed)
    case .down: down.load(ordering: .relaxed)
    }
  }
}
