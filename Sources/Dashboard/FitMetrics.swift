import Foundation
import Reporting

/// A status as metrics: base units, counters that end in `_total`.
package struct FitMetrics {
  private let status: LiveStatus
  /// Seconds since the status came.
  private let age_s: Double
  /// Open pages.
  private let streams: Int

  package init(status: LiveStatus, age_s: Double, streams: Int) {
    self.status = status
    self.age_s = age_s
    self.streams = streams
  }

  /// The metrics page.
  package var text: String {
    var text = PrometheusText()
    addRun(to: &text)
    addProgress(to: &text)
    addWorkers(to: &text)
    return text.text
  }

  private func addRun(to text: inout PrometheusText) {
    text.add(
      "isomix_run_info", .gauge, "What is fitted; always 1.",
      [
        (
          [
            ("run", status.run ?? ""), ("version", status.version), ("family", status.model.family),
            ("host", status.coordinator.host),
          ], 1
        )
      ])
    text.add(
      "isomix_state", .gauge, "1 for the state that the fit is in, 0 for the others.",
      LiveStatus.State.allCases.map { ([("state", $0.rawValue)], $0 == status.state ? 1 : 0) })
    text.add(
      "isomix_exit_code", .gauge, "Exit code of a fit that has ended.", status.exitCode.map(Double.init))
    text.add(
      "isomix_status_timestamp_seconds", .gauge, "When the coordinator last said how it is, as Unix time.",
      LiveStatus.date(status.updatedAt)?.timeIntervalSince1970)
    text.add("isomix_status_age_seconds", .gauge, "Seconds since the coordinator last said how it is.", age_s)
    text.add("isomix_dashboard_pages", .gauge, "Open dashboard pages.", Double(streams))
    text.add("isomix_warnings", .gauge, "Warnings so far, the first ones.", Double(status.warnings.count))
  }

  private func addProgress(to text: inout PrometheusText) {
    text.add("isomix_iterations_total", .counter, "Iterations done.", Double(status.iteration))
    text.add("isomix_iterations_limit", .gauge, "Iterations at most.", Double(status.iterations))
    text.add(
      "isomix_iterations_per_second", .gauge, "Iterations a second over the last seconds.",
      status.iterationsPerSecond)
    text.add(
      "isomix_fit_seconds_total", .counter, "Seconds of fitting, over all its sittings.", status.seconds)
    text.add(
      "isomix_time_left_seconds", .gauge, "Seconds to the last iteration at the present rate.",
      status.secondsLeft)
    text.add("isomix_elbo_nats", .gauge, "Last estimate of the evidence lower bound, in nats.", status.elbo)
    text.add(
      "isomix_elbo_standard_error_nats", .gauge, "Standard error of the last estimate of the ELBO, in nats.",
      status.elboSe)
    text.add("isomix_sent_bytes_total", .counter, "Bytes sent to workers.", Double(status.bytesSent))
    text.add(
      "isomix_received_bytes_total", .counter, "Bytes received from workers.", Double(status.bytesReceived))
    text.add("isomix_tiles_in_flight", .gauge, "Tiles in workers' hands.", Double(status.tilesInFlight))
    text.add(
      "isomix_tiles_redispatched_total", .counter, "Tiles handed out again after a loss or as a copy.",
      Double(status.redispatchedTiles))
  }

  private func addWorkers(to text: inout PrometheusText) {
    let ready = status.workers.count { $0.state != .preparing }
    text.add(
      "isomix_workers", .gauge, "Workers that take part, and those that prepare.",
      [
        ([("state", "ready")], Double(ready + status.workersLeftOut)),
        ([("state", "preparing")], Double(status.workers.count - ready)),
      ])
    text.add(
      "isomix_workers_seen_total", .counter, "Different worker processes so far.", Double(status.workersSeen))
    text.add("isomix_workers_lost_total", .counter, "Workers lost so far.", Double(status.lostWorkers))
    func samples(_ value: (LiveWorker) -> Double?) -> [(labels: [(String, String)], value: Double?)] {
      status.workers.map { ([("worker", $0.name), ("host", $0.host)], value($0)) }
    }
    text.add(
      "isomix_worker_tiles_total", .counter, "Tiles whose sums a worker has sent since it registered.",
      samples { Double($0.tilesDone) })
    text.add(
      "isomix_worker_tiles_in_flight", .gauge, "Tiles in a worker's hands.", samples { Double($0.tilesHeld) })
    text.add("isomix_worker_threads", .gauge, "A worker's compute threads.", samples { Double($0.threads) })
    text.add(
      "isomix_worker_busy_ratio", .gauge, "Share of the last seconds in which a worker computed.",
      samples { $0.busy })
    text.add(
      "isomix_worker_relative_speed_ratio", .gauge,
      "Speed of one of a worker's threads against the median of the others'.", samples { $0.relativeSpeed })
    text.add(
      "isomix_worker_silence_seconds", .gauge, "Seconds since a worker was last heard.",
      samples { $0.lastSeenSeconds })
  }
}
