import Foundation
import Inference

/// How progress is shown.
public enum ProgressStyle: String, Sendable, CaseIterable {
  case auto
  case bar
  case plain
  case json
  case none

  /// `auto` made definite: a bar on a terminal, plain lines elsewhere.
  public var resolved: ProgressStyle {
    guard self == .auto else { return self }
    let isTerminal = isatty(STDERR_FILENO) == 1 && ProcessInfo.processInfo.environment["TERM"] != "dumb"
    return isTerminal ? .bar : .plain
  }
}

/// Shows how a fit is getting on: one changing line, plain lines, or JSON lines.
public final class ProgressReporter {
  private let style: ProgressStyle
  private let iterations: Int
  private var lastShown = -Double.infinity
  private var lastRow: TraceRow?
  private var barIsOpen = false

  /// Seconds between two updates.
  private static let barInterval = 0.1
  private static let plainInterval = 2.0

  public init(style: ProgressStyle, iterations: Int) {
    self.style = style.resolved
    self.iterations = iterations
  }

  /// A sentence about what is going on.
  public func note(_ text: String) {
    switch style {
    case .bar, .plain, .auto:
      closeBar()
      emit(text + "\n")
    case .json: emitJSON(["event": "note", "message": text])
    case .none: break
    }
  }

  /// A step was taken.
  public func step(iteration: Int, seconds: Double) {
    guard style == .bar, seconds - lastShown >= ProgressReporter.barInterval, let row = lastRow else {
      return
    }
    show(row, iteration: iteration, seconds: seconds)
  }

  /// The objective was evaluated.
  public func evaluated(_ row: TraceRow, seconds: Double) {
    lastRow = row
    switch style {
    case .bar, .auto:
      if seconds - lastShown >= ProgressReporter.barInterval {
        show(row, iteration: row.iteration, seconds: seconds)
      }
    case .plain:
      let isLast = row.iteration == iterations
      if seconds - lastShown >= ProgressReporter.plainInterval || isLast || row.iteration == 0 {
        show(row, iteration: row.iteration, seconds: seconds)
      }
    case .json:
      var fields: [String: Any] = [
        "event": "progress", "iteration": row.iteration, "iterations": iterations, "seconds": seconds,
        "elbo": row.objective.elbo, "elbo_se": row.objective.standardError,
      ]
      if let kl = row.kl { fields["kl"] = kl }
      if let step = row.stepSize { fields["step_size"] = step }
      emitJSON(fields)
    case .none: break
    }
  }

  /// Ends the changing line.
  public func finish(iteration: Int, seconds: Double) {
    if style == .bar, let row = lastRow { show(row, iteration: iteration, seconds: seconds) }
    closeBar()
  }

  private func show(_ row: TraceRow, iteration: Int, seconds: Double) {
    lastShown = seconds
    let rate = seconds > 0 ? Double(iteration) / seconds : 0
    var parts = ["iteration \(iteration)/\(iterations)"]
    if let kl = row.kl {
      parts.append(String(format: "KL %.4f ± %.4f", kl, row.objective.standardError))
    } else {
      parts.append(String(format: "ELBO %.3f ± %.3f", row.objective.elbo, row.objective.standardError))
    }
    if let step = row.stepSize { parts.append(String(format: "step %.3g", step)) }
    if iteration > 0 {
      parts.append(String(format: rate >= 100 ? "%.0f it/s" : "%.2f it/s", rate))
      parts.append(
        iteration < iterations ? "\(duration(Double(iterations - iteration) / rate)) left" : duration(seconds)
      )
    }
    let line = parts.joined(separator: "  ")
    if style == .bar {
      emit("\r\u{1B}[K" + bar(Double(iteration) / Double(max(iterations, 1))) + line)
      barIsOpen = true
    } else {
      emit(line + "\n")
    }
  }

  private func bar(_ fraction: Double) -> String {
    let width = 20
    let filled = min(width, Int(fraction * Double(width)))
    return "[" + String(repeating: "#", count: filled) + String(repeating: "·", count: width - filled) + "] "
  }

  private func closeBar() {
    if barIsOpen { emit("\n") }
    barIsOpen = false
  }

  private func emit(_ text: String) { StandardStream.error.offer(text) }

  private func emitJSON(_ fields: [String: Any]) {
    guard let data = try? JSONSerialization.data(withJSONObject: fields, options: [.sortedKeys]) else {
      return
    }
    StandardStream.output.offer(String(decoding: data, as: UTF8.self) + "\n")
  }
}

/// A time span as people write it: `0:07`, `12:30`, `3:04:05`.
public func duration(_ seconds: Double) -> String {
  guard seconds.isFinite, seconds < 1e9 else { return "?" }
  let total = Int(seconds.rounded())
  let (hours, minutes, rest) = (total / 3600, total / 60 % 60, total % 60)
  return hours > 0
    ? String(format: "%d:%02d:%02d", hours, minutes, rest) : String(format: "%d:%02d", minutes, rest)
}
