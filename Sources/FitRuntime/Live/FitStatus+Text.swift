import Foundation
import Report
import Reporting

extension FitStatus {
  /// The status in lines to read.
  public var text: String {
    ([headline, model] + progress + workerLines + warningLines + [source]).joined(separator: "\n")
  }

  /// The status on one line.
  public var line: String {
    var parts = [word, "iteration \(status.iteration)/\(status.iterations)"]
    if let elbo { parts.append(elbo) }
    if let rate = status.iterationsPerSecond { parts.append("\(NumberText.short(rate, digits: 3)) it/s") }
    if let left = status.secondsLeft { parts.append("\(duration(left)) left") }
    parts.append("\(ready) worker(s)")
    if status.lostWorkers > 0 { parts.append("\(status.lostWorkers) lost") }
    return parts.joined(separator: "  ")
  }

  private var word: String {
    switch liveness {
    case .gone: return "gone"
    case .silent: return isStopped ? "stopped" : "silent"
    case .alive, .ended:
      return status.state.rawValue.replacing("_", with: " ")
    }
  }

  private var headline: String {
    let age = ageSeconds.map { NumberText.duration($0) } ?? "an unknown time"
    switch liveness {
    case .gone:
      return
        "Gone: the coordinator, process \(status.coordinator.pid), ended without saying so; nothing has come for "
        + "\(age). Go on with the same command and --resume"
    case .silent:
      return isStopped
        ? "Stopped: the coordinator, process \(status.coordinator.pid), is stopped (SIGCONT lets it go on); nothing "
          + "has come for \(age)"
        : "Silent: nothing has come from the coordinator \(status.coordinator.host)/\(status.coordinator.pid) for "
          + "\(age): it hangs, has much to do (\(status.phase)), or is gone"
    case .alive:
      return word.prefix(1).uppercased() + word.dropFirst() + ": \(status.phase)"
    case .ended:
      return word.prefix(1).uppercased() + word.dropFirst()
        + (status.message.map { ": \($0)" } ?? "") + (status.state == .finished ? "" : " (exit \(exitCode))")
    }
  }

  private var model: String {
    var parts = [status.model.family]
    if let dimension = status.model.dimension {
      parts.append(NumberText.count(dimension, "parameter", "parameters"))
    }
    parts.append(NumberText.count(status.model.components, "component", "components"))
    return "  model      " + parts.joined(separator: ", ")
  }

  private var elbo: String? {
    status.elbo.map { elbo in
      String(format: "ELBO %.3f", elbo) + (status.elboSe.map { String(format: " ± %.3f", $0) } ?? "")
    }
  }

  private var progress: [String] {
    let share = Double(status.iteration) / Double(max(1, status.iterations))
    var parts = [
      "\(status.iteration) of \(status.mayStopEarly ? "at most " : "")\(status.iterations)"
        + (liveness == .ended ? "" : " (\(String(format: "%.0f", 100 * share)) %)")
    ]
    if let rate = status.iterationsPerSecond { parts.append("\(NumberText.short(rate, digits: 3)) a second") }
    parts.append("\(duration(status.seconds)) so far")
    if let left = status.secondsLeft {
      parts.append("\(duration(left)) left" + (status.mayStopEarly ? " at most" : ""))
    }
    var lines = ["  iterations " + parts.joined(separator: ", ")]
    if let elbo { lines.append("  objective  \(elbo) nats") }
    if status.bytesSent + status.bytesReceived > 0 {
      let rate = status.bytesPerSecond.map { String(format: ", %.3g MB/s", $0 * 1e-6) } ?? ""
      lines.append(
        String(
          format: "  traffic    %.3g MB sent, %.3g MB received", Double(status.bytesSent) * 1e-6,
          Double(status.bytesReceived) * 1e-6) + rate)
    }
    return lines
  }

  private var ready: Int {
    status.workers.count { $0.state != .preparing } + status.workersLeftOut
  }

  private var workerLines: [String] {
    let preparing = status.workers.count - status.workers.count { $0.state != .preparing }
    var parts = [liveness == .ended ? "\(status.workersSeen) took part" : "\(ready) ready"]
    if preparing > 0 { parts.append("\(preparing) preparing") }
    if status.lostWorkers > 0 { parts.append("\(status.lostWorkers) lost") }
    if status.tilesInFlight > 0 { parts.append("\(status.tilesInFlight) tiles in flight") }
    var lines = ["  workers    " + parts.joined(separator: ", ")]
    let width = status.workers.map(\.name.count).max() ?? 0
    for worker in status.workers where liveness != .ended {
      var cells = [
        worker.name.padding(toLength: width, withPad: " ", startingAt: 0),
        worker.isSlow ? "slow" : worker.state.rawValue, NumberText.count(worker.threads, "thread", "threads"),
        NumberText.count(worker.tilesDone, "tile", "tiles"),
      ]
      if let busy = worker.busy { cells.append(String(format: "%.0f %% busy", 100 * busy)) }
      if let speed = worker.relativeSpeed { cells.append(String(format: "speed %.0f %%", 100 * speed)) }
      cells.append(String(format: "seen %.1f s before", worker.lastSeenSeconds))
      lines.append("    " + cells.joined(separator: "  "))
    }
    if status.workersLeftOut > 0 { lines.append("    and \(status.workersLeftOut) more") }
    for worker in status.lost {
      lines.append(
        "    \(worker.name.padding(toLength: width, withPad: " ", startingAt: 0))  lost: \(worker.reason)")
    }
    return lines
  }

  private var warningLines: [String] { status.warnings.map { "  warning    \($0)" } }

  private var source: String {
    let age = ageSeconds.map { String(format: "%.1f s ago", $0) } ?? status.updatedAt
    return "  as of      \(liveness == .ended ? status.updatedAt : age), coordinator "
      + "\(status.coordinator.host)/\(status.coordinator.pid)"
      + (liveness == .alive ? status.dashboard.map { ", dashboard \($0)" } ?? "" : "")
  }
}
