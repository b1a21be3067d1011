import CZeroMQ
import Glibc
import Synchronization

/// Answers libzmq's question whether a client may connect, on a thread of its own.
///
/// Everything about it fails closed: doors are told to let nobody in whom it has not allowed, so no connection
/// comes about before it runs, when it has ended, or when it makes a mistake.
final class Authenticator: Sendable {
  /// Names the doors that this authenticator looks after.
  static let domain = "isomix"
  /// `ZMQ_ZAP_ENFORCE_DOMAIN`, which the header hides without draft options: without an authenticator, nobody is
  /// let in.
  static let enforceDomain: Int32 = 93
  private static let endpoint = "inproc://zeromq.zap.01"
  private static let mostNotes = 64

  private struct State {
    var thread: TransportThread?
    var refused = 0
    var notes: [String] = []
  }

  private let wake: WakePipe
  private let state = Mutex(State())

  /// Starts to answer. To be done before any encrypted door is bound.
  init(_ context: TransportContext, workers: [CoordinatorSecurity.AuthorizedWorker]) throws {
    guard workers.count <= TransportLimits.authorizedKeys else {
      throw TransportError(
        message:
          "\(workers.count) worker keys are more than the \(TransportLimits.authorizedKeys) that are possible",
        number: E2BIG)
    }
    wake = try WakePipe()
    let users = Dictionary(
      workers.map { ($0.key.bytes, $0.name.isEmpty ? $0.key.text : $0.name) },
      uniquingKeysWith: { first, _ in first })
    let socket = try Socket(context, type: ZMQ_REP)
    try socket.set(ZMQ_LINGER, 0)
    try socket.bind(Authenticator.endpoint)
    // The socket moves to its thread for good; starting a thread is the memory barrier that libzmq asks for.
    nonisolated(unsafe) let moved = socket
    let thread = try TransportThread(name: "isomix-zap") { [self] in answer(moved, users: users) }
    state.withLock { $0.thread = thread }
  }

  /// Ends the thread. From here on nobody is let in.
  func stop() {
    guard let thread = state.withLock({ $0.thread.take() }) else { return }
    wake.wake()
    thread.join()
  }

  /// How many were refused.
  var refusedCount: Int { state.withLock { $0.refused } }

  /// Sentences about those that were refused since the last call.
  func takeNotes() -> [String] {
    state.withLock { state in
      defer { state.notes = [] }
      return state.notes
    }
  }

  private func answer(_ socket: Socket, users: [[UInt8]: String]) {
    var poller = Poller([.socket(socket.pointer), .descriptor(wake.readEnd)])
    while true {
      do {
        let ready = try poller.wait(timeout_ms: -1)
        if ready[1] { return }
        guard ready[0] else { continue }
        var frames: [[UInt8]] = []
        guard
          try socket.receive(keeping: ZAPRequest.framesKept, { frames = $0.frames.map { Array($0) } })
        else { continue }
        let request = ZAPRequest(frames: frames, domain: Authenticator.domain, users: users)
        note(request.verdict)
        let reply = request.reply
        for (index, frame) in reply.enumerated() {
          guard frame.withUnsafeBytes({ socket.send($0, more: index + 1 < reply.count) }) == 0 else { return }
        }
      } catch {
        // Without a thread that answers nobody is let in.
        return
      }
    }
  }

  private func note(_ verdict: ZAPRequest.Verdict) {
    state.withLock { state in
      switch verdict {
      case .allowed: return
      case .unknownKey(let key, let address):
        state.refused += 1
        guard state.notes.count < Authenticator.mostNotes else { return }
        state.notes.append(
          "refused a worker from \(address): its key \(key.text) is not in authorized_workers")
      case .malformed: state.refused += 1
      }
    }
  }
}
