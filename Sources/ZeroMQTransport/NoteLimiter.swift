/// Lets a few notes a minute through and counts the rest, so that no peer can fill a log.
package struct NoteLimiter: Sendable {
  package static let window_ms: Int64 = 60_000

  private let mostPerWindow: Int
  private var windowStart_ms: Int64?
  private var inWindow = 0
  private var suppressed = 0

  package init(mostPerWindow: Int = 6) { self.mostPerWindow = mostPerWindow }

  /// The notes that may be shown now; says how many were not shown before.
  package mutating func admit(_ notes: [String], now_ms: Int64) -> [String] {
    var admitted: [String] = []
    if let start = windowStart_ms, now_ms - start < NoteLimiter.window_ms {
    } else {
      if suppressed > 0 { admitted.append("\(suppressed) more notes about connections were left out") }
      (windowStart_ms, inWindow, suppressed) = (now_ms, 0, 0)
    }
    for note in notes {
      if inWindow < mostPerWindow {
        inWindow += 1
        admitted.append(note)
      } else {
        suppressed += 1
      }
    }
    return admitted
  }
}
