import Foundation

/// Bytes on their way in one direction, each with the time before which it may not arrive.
struct ProxyQueue {
  private let direction: TCPProxy.Direction
  private var chunks: [(bytes: ArraySlice<UInt8>, due: ContinuousClock.Instant)] = []
  private var count = 0
  /// Who sends has said that nothing more comes.
  private var isComplete = false
  /// Everything has arrived, and so has the end.
  private(set) var hasEnded = false
  /// Bytes that may go now, by the throttle.
  private var credit = 0.0
  /// Bytes that were taken so far.
  private var taken = 0
  private var credited: ContinuousClock.Instant?

  /// More than this is not taken: who sends has to wait, as on a real network.
  private static let capacity = 65_536
  /// What is on its way on a long line counts too.
  private static let delayedCapacity = 1 << 23
  /// How many seconds' worth of credit can be saved up, and how many make a piece.
  private static let burst_s = 0.05
  private static let piece_s = 0.01

  init(_ direction: TCPProxy.Direction) { self.direction = direction }

  func canTake(_ settings: ProxyControl.Settings) -> Bool {
    !isComplete
      && count < (settings.delay_ms > 0 ? ProxyQueue.delayedCapacity : ProxyQueue.capacity)
  }

  /// Milliseconds until there is something to hand on; nil when there is nothing.
  func due_ms(_ settings: ProxyControl.Settings, now: ContinuousClock.Instant) -> Int32? {
    guard let first = chunks.first else { return isComplete && !hasEnded ? 0 : nil }
    if first.due > now { return ProxyQueue.roundedUp_ms((first.due - now) / .seconds(1)) }
    guard let rate = settings.bytesPerSecond else { return 0 }
    let missing =
      max(1, min(Double(count), Double(rate) * ProxyQueue.piece_s)) - credit(rate: rate, now: now)
    return missing <= 0 ? 0 : ProxyQueue.roundedUp_ms(missing / Double(max(1, rate)))
  }

  private static func roundedUp_ms(_ seconds: Double) -> Int32 { Int32(min(1000, seconds * 1000 + 1)) }

  /// Reads and writes what can be read and written now.
  ///
  /// - Parameter forwarded: is told how many bytes went on.
  /// - Returns: false when the connection is broken.
  mutating func move(
    from source: Int32, to sink: Int32, _ settings: ProxyControl.Settings, now: ContinuousClock.Instant,
    forwarded: (Int) -> Void
  ) -> Bool {
    guard take(from: source, settings, now: now) else { return false }
    while let first = chunks.first, first.due <= now {
      var allowed = first.bytes.count
      if let rate = settings.bytesPerSecond {
        credit = credit(rate: rate, now: now)
        credited = now
        allowed = min(allowed, Int(credit))
      }
      guard allowed > 0 else { return true }
      switch ProxySocket.write(first.bytes.prefix(allowed), to: sink) {
      case .bytes(let written):
        forwarded(written)
        count -= written
        if settings.bytesPerSecond != nil { credit -= Double(written) }
        chunks[0].bytes = first.bytes.dropFirst(written)
        if chunks[0].bytes.isEmpty { chunks.removeFirst() }
      case .wouldBlock: return true
      case .end, .broken: return false
      }
    }
    if chunks.isEmpty, isComplete, !hasEnded {
      ProxySocket.end(sink)
      hasEnded = true
    }
    return true
  }

  private mutating func take(
    from source: Int32, _ settings: ProxyControl.Settings, now: ContinuousClock.Instant
  ) -> Bool {
    var buffer = [UInt8](repeating: 0, count: ProxyQueue.capacity)
    while canTake(settings) {
      switch ProxySocket.read(source, into: &buffer) {
      case .bytes(let read):
        for place in settings.altered[direction] ?? [] where place >= taken && place < taken + read {
          buffer[place - taken] ^= 0x10
        }
        taken += read
        count += read
        chunks.append((buffer[..<read], now.advanced(by: .milliseconds(settings.delay_ms))))
      case .wouldBlock: return true
      case .end: isComplete = true
      case .broken: return false
      }
    }
    return true
  }

  private func credit(rate: Int, now: ContinuousClock.Instant) -> Double {
    guard let credited else { return 1 }
    let earned = (now - credited) / .seconds(1) * Double(rate)
    return min(credit + earned, max(1, Double(rate) * ProxyQueue.burst_s))
  }
}
