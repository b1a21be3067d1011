import CZeroMQ
import Glibc
import Wire

/// One ROUTER socket of a coordinator.
final class Door {
  let socket: Socket
  /// In the high 32 bits of the numbers of its peers.
  let number: Int
  let isEncrypted: Bool
  /// The door of processes that the coordinator has started itself.
  static let localNumber = 2
  var isLocal: Bool { number == Door.localNumber }

  /// - Parameter keys: for an encrypted door; its authenticator has to answer already.
  init(_ context: TransportContext, number: Int, keys: CurveKeyPair?) throws {
    self.number = number
    isEncrypted = keys != nil
    socket = try Socket(context, type: ZMQ_ROUTER)
    try socket.set(ZMQ_ROUTER_MANDATORY, 1)
    guard let keys else { return }
    try socket.set(ZMQ_CURVE_SERVER, 1)
    try socket.set(ZMQ_CURVE_SECRETKEY, text: keys.secret.text)
    try socket.set(ZMQ_ZAP_DOMAIN, text: Authenticator.domain)
    // Without this a door whose authenticator is gone lets everybody in.
    do {
      try socket.set(Authenticator.enforceDomain, 1)
    } catch {
      throw TransportError(
        message:
          "this libzmq can't enforce authentication (option \(Authenticator.enforceDomain)): encrypted "
          + "connections need libzmq 4.3 or newer", number: EINVAL)
    }
  }

  /// The number of the peer with a routing id; nil for one that no door gives.
  func peer(_ identity: UnsafeRawBufferPointer) -> UInt64? {
    // libzmq's own routing ids are a zero byte and a 32-bit number; only a foreign program sets another.
    guard identity.count == 5, identity[0] == 0 else { return nil }
    let id = UInt32(bigEndian: identity.loadUnaligned(fromByteOffset: 1, as: UInt32.self))
    return UInt64(number) << 32 | UInt64(id)
  }

  /// Bytes of a message on the wire. The routing id in front of it is no part of what came.
  func wireBytes(_ received: Socket.Received) -> UInt64 {
    var identity = Traffic()
    identity.add(frameBytes: received.frames.first?.count ?? 0)
    return received.traffic.wireBytes(encrypted: isEncrypted) - identity.wireBytes(encrypted: isEncrypted)
  }

  /// Sends the parts of a message without waiting; false when the peer can't be reached or takes no more.
  func send(_ encoded: EncodedMessage, shared: [SharedFrame]?, to peer: UInt64) throws -> Bool {
    var identity: [UInt8] = [0]
    withUnsafeBytes(of: UInt32(truncatingIfNeeded: peer).bigEndian) { identity.append(contentsOf: $0) }
    for part in 0..<encoded.partCount {
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
    return true
  }
}
