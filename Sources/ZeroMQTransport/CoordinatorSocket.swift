import CZeroMQ
import Glibc
import Wire

/// The coordinator's end: a ROUTER that workers connect to.
///
/// Belongs to the thread that made it.
public final class CoordinatorSocket {
  /// A peer as this socket numbers it: the routing id that libzmq gave it.
  public typealias Peer = UInt64

  /// What came in.
  public enum Incoming {
    case message(Peer, Message)
    /// A part of a message that is not complete yet.
    case part(Peer)
    /// More bulk than the peer may send now; it was left away.
    case unwanted(Peer)
    case malformed(Peer, WireError)
  }

  private let socket: Socket
  private var assemblers: [Peer: MessageAssembler] = [:]
  private var dropped: Set<Peer> = []
  /// The same peers, oldest first.
  private var droppedOrder: [Peer] = []
  private var sharedBulk: (bytes: [UInt8], frames: [SharedFrame])?
  public private(set) var bytesSent: UInt64 = 0
  public private(set) var bytesReceived: UInt64 = 0

  public init(_ context: TransportContext) throws {
    socket = try Socket(context, type: ZMQ_ROUTER)
    try socket.set(ZMQ_ROUTER_MANDATORY, 1)
  }

  /// Listens on an endpoint and returns it with the port that the system chose.
  ///
  /// - Throws: ``TransportError``; a path too long for a socket is named as such.
  public func bind(_ endpoint: String) throws -> String {
    if endpoint.hasPrefix("ipc://"), endpoint.utf8.count - 6 > TransportLimits.ipcPath_bytes {
      throw TransportError(
        message: "the socket path \(endpoint.dropFirst(6)) is over \(TransportLimits.ipcPath_bytes) bytes: "
          + "set TMPDIR to a shorter path", number: ENAMETOOLONG)
    }
    try socket.bind(endpoint)
    return try socket.lastEndpoint()
  }

  /// For `poll`.
  public var pollHandle: UnsafeMutableRawPointer { socket.pointer }

  /// Reads what has arrived, up to a limit a turn; returns whether there may be more.
  ///
  /// - Parameter bulkLimit: bytes of bulk that a peer may send in one message now.
  public func drain(bulkLimit: (Peer) -> Int, _ body: (Incoming) -> Void) throws -> Bool {
    for _ in 0..<TransportLimits.messagesPerTurn {
      var incoming: Incoming?
      let received = try socket.receive(
        { frames, count in incoming = accept(frames, count: count, bulkLimit: bulkLimit) },
        keeping: WireLimits.framesPerMessage + 1)
      guard received else { return false }
      if let incoming { body(incoming) }
    }
    return true
  }

  private func accept(_ frames: [UnsafeRawBufferPointer], count: Int, bulkLimit: (Peer) -> Int) -> Incoming? {
    bytesReceived += frames.reduce(0) { $0 + UInt64($1.count) }
    // libzmq's own routing ids are a zero byte and a 32-bit number; only a foreign program sets another.
    guard let identity = frames.first, identity.count == 5, identity[0] == 0 else { return nil }
    let peer = Peer(UInt32(bigEndian: identity.loadUnaligned(fromByteOffset: 1, as: UInt32.self)))
    guard !dropped.contains(peer) else { return nil }
    do throws(WireError) {
      guard count == WireLimits.framesPerMessage + 1 else {
        throw WireError(
          .malformed, "a message has \(WireLimits.framesPerMessage) frames, this one \(count - 1)")
      }
      guard assemblers[peer] != nil || assemblers.count < WireLimits.peers else { return nil }
      let limit = bulkLimit(peer)
      assemblers[peer, default: MessageAssembler(bulkLimit: limit)].bulkLimit = limit
      guard let message = try assemblers[peer]?.accept(Array(frames.dropFirst())) else { return .part(peer) }
      return .message(peer, message)
    } catch {
      if error.code == .unwanted { return .unwanted(peer) }
      assemblers.removeValue(forKey: peer)
      return .malformed(peer, error)
    }
  }

  /// Takes nothing more from a peer and forgets its stream.
  public func drop(_ peer: Peer) {
    assemblers.removeValue(forKey: peer)
    guard dropped.insert(peer).inserted else { return }
    droppedOrder.append(peer)
    if droppedOrder.count > WireLimits.peers { dropped.remove(droppedOrder.removeFirst()) }
  }

  /// Sends a message without waiting. A bulk that is the same array as the one before is not copied again.
  ///
  /// - Returns: false when the peer can't be reached or does not take what is sent.
  public func send(_ message: Message, to peer: Peer) throws -> Bool {
    let encoded = message.encoded()
    let shared = try frames(of: encoded.bulk)
    for part in 0..<encoded.partCount {
      var identity: [UInt8] = [0]
      withUnsafeBytes(of: UInt32(truncatingIfNeeded: peer).bigEndian) { identity.append(contentsOf: $0) }
      guard identity.withUnsafeBytes({ socket.send($0, more: true) }) == 0 else { return false }
      let header = encoded.header(part: part).encoded()
      let body = part == 0 ? encoded.body : []
      var status = header.withUnsafeBytes { socket.send($0, more: true) }
      if status == 0 { status = body.withUnsafeBytes { socket.send($0, more: true) } }
      if status == 0 {
        if let shared {
          status = socket.send(shared[part], more: false)
        } else {
          status = encoded.bulk.withUnsafeBytes { bytes in
            socket.send(UnsafeRawBufferPointer(rebasing: bytes[encoded.bulkRange(part: part)]), more: false)
          }
        }
      }
      guard status == 0 else { return false }
    }
    bytesSent += UInt64(encoded.byteCount)
    return true
  }

  /// The bulk's frames in shared memory when it is large enough for that to pay.
  private func frames(of bulk: [UInt8]) throws -> [SharedFrame]? {
    guard bulk.count > CoordinatorSocket.sharedFrom_bytes else { return nil }
    if let sharedBulk, sharedBulk.bytes.count == bulk.count, CoordinatorSocket.same(sharedBulk.bytes, bulk) {
      return sharedBulk.frames
    }
    var frames: [SharedFrame] = []
    try bulk.withUnsafeBytes { bytes in
      for first in stride(from: 0, to: bytes.count, by: WireLimits.frameBytes) {
        let end = min(first + WireLimits.frameBytes, bytes.count)
        frames.append(try SharedFrame(UnsafeRawBufferPointer(rebasing: bytes[first..<end])))
      }
    }
    sharedBulk = (bulk, frames)
    return frames
  }

  /// Whether two arrays are the same storage (holding one of them keeps it alive and unchanged).
  private static func same(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    left.withUnsafeBytes { left in right.withUnsafeBytes { left.baseAddress == $0.baseAddress } }
  }

  /// Smaller bulks are copied: that is cheaper than reference counting.
  private static let sharedFrom_bytes = 4096
}
