import Coordination
import StanModels

/// What models in worker processes print, and what their workers say about them, on its way to the run's log.
struct ModelVoice {
  private var throttle: LogThrottle
  private var warned: Set<String> = []
  /// Why the model last rejected a point, in its own words.
  private(set) var rejection: String?

  /// Lines that pass at once, and then a second.
  private static let burst = 40.0
  private static let rate = 0.2
  /// Warnings that are told apart.
  private static let mostWarnings = 20

  init(now: Instant) { throttle = LogThrottle(now: now, burst: ModelVoice.burst, rate: ModelVoice.rate) }

  /// The messages for the log that a line of a worker's output is worth.
  mutating func hear(_ line: String, now: Instant) -> [(LogLevel, String)] {
    let output = WorkerOutput(line: line)
    let text: String
    switch output.kind {
    case .warning:
      // Every worker says the same.
      guard warned.count < ModelVoice.mostWarnings, warned.insert(output.text).inserted else { return [] }
      return [(.warning, output.text)]
    case .rejection:
      rejection = output.text
      text = "the model rejects points: \(output.text)"
    case .printed:
      text = "the model printed: \(output.text)"
    }
    return throttle.pass(text, now: now).map { (.info, $0) }
  }
}
