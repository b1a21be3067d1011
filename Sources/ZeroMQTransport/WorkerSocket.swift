import CZeroMQ
import Glibc
import Wire

/// The worker's end: a DEALER that connects to one coordinator.
///
/// Belongs to the thread that made it.
public final class WorkerSocket {
  /// What came in.
  public enum Incoming {
    case message(Message)
    /// A part of a message that is not complete yet.
    case part
    case malformed(WireError)
  }

  private let socket: Socket
  private var assembler = MessageAssembler(bulkLimit: WireLimits.bulkBytes)

  /// Connects to an endpoint; the connection is made in the background.
  public init(_ context: TransportContext, endpoint: String) throws {
    socket = try Socket(context, type: ZMQ_DEALER)
    try socket.connect(endpoint)
  }

  /// For `poll`.
  public var pollHandle: UnsafeMutableRawPointer { socket.pointer }

  /// Reads what has arrived, up to a limit a turn; returns whether there may be more.
  public func drain(_ body: (Incoming) -> Void) throws -> Bool {
    for _ in 0..<TransportLimits.messagesPerTurn {
      var incoming: Incoming?
      let received = try socket.receive(
        { frames, count in
          do throws(WireError) {
            guard count == WireLimits.framesPerMessage else {
              throw WireError(
                .malformed, "a message has \(WireLimits.framesPerMessage) frames, this one \(count)")
            }
            incoming = try assembler.accept(frames).map { .message($0) } ?? .part
          } catch {
            incoming = .malformed(error)
          }
        }, keeping: WireLimits.framesPerMessage)
      guard received else { return false }
      if let incoming { body(incoming) }
    }
    return true
  }

  /// Sends a message; each of its parts waits a little while the queue is full.
  ///
  /// - Returns: false when nobody takes it.
  public func send(_ message: Message) throws -> Bool {
    let encoded = message.encoded()
    for part in 0..<encoded.partCount {
      var attempts = 0
      while !send(encoded, part: part) {
        attempts += 1
        guard attempts < TransportLimits.sendAttempts else { return false }
        usleep(TransportLimits.sendPause_us)
      }
    }
    return true
  }

  /// Sends one part without waiting. A full queue shows at the first frame, so that a part is sent whole or not
  /// at all.
  private func send(_ encoded: EncodedMessage, part: Int) -> Bool {
    let header = encoded.header(part: part).encoded()
    let body = part == 0 ? encoded.body : []
    var status = header.withUnsafeBytes { socket.send($0, more: true) }
    if status == 0 { status = body.withUnsafeBytes { socket.send($0, more: true) } }
    if status == 0 {
      status = encoded.bulk.withUnsafeBytes { bytes in
        socket.send(UnsafeRawBufferPointer(rebasing: bytes[encoded.bulkRange(part: part)]), more: false)
      }
    }
    return status == 0
  }
}
