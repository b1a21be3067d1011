/// What each worker did over the run: a strip each, dark where it computed, pale where it waited, with a mark where it was
/// lost.
package struct WorkerTimelinePlot {
  let activity: WorkerActivity

  private static let mostRows = 32
  private static let levels = 8
  private static let rowHeight = 16.0

  func markup() -> Markup {
    let workers = activity.workers.prefix(WorkerTimelinePlot.mostRows)
    guard !workers.isEmpty, activity.seconds > 0 else {
      return Blocks.absent("No worker had computed when this was written, so there is no time line.")
    }
    let end = activity.seconds
    var plot = Plot(
      x: Scale(0, end), y: Scale(Double(workers.count), 0), width: 940,
      height: 46 + WorkerTimelinePlot.rowHeight * Double(workers.count), left: 150, top: 6)
    // The first worker stands at the top.
    plot.y.from = plot.top
    plot.y.to = plot.height - plot.bottom
    plot.drawHorizontalAxis("seconds since the first job", ticks: 8)
    for (row, worker) in workers.enumerated() {
      plot.write(
        WorkerTimelinePlot.shortened(worker.name, 22), x: 144, y: plot.y(Double(row)) + 12, "tick end")
      draw(worker, row: Double(row), end: end, &plot)
    }
    let share = WorkerTimelinePlot.busyShare(activity)
    return .element(
      "figure", ["class": "wide"],
      [
        .element("h3", text: "Workers over time"),
        .element(
          "div", ["class": "scroll flat", "tabindex": "0", "role": "region", "aria-label": "Time line"],
          [
            plot.drawing(
              title: "Time line of the workers",
              description:
                "\(NumberText.count(workers.count, "worker", "workers")), busy \(NumberText.percent(share)) of their time.",
              kind: "plot timeline")
          ]),
        Blocks.legend([
          ("swatch busy", "computing (the darker, the more of the time)"),
          ("swatch waiting", "there, waiting"),
          ("swatch lost", "lost"),
        ]), .element("figcaption", text: caption(shown: workers.count, share: share)),
      ])
  }

  private func caption(shown: Int, share: Double) -> String {
    var text =
      "Computing took \(NumberText.percent(share)) of the time in which workers were there. Good: dark throughout. Pale "
      + "stretches are waiting for the coordinator, for other workers or for an evaluation; with many workers and little "
      + "work there is always some. A mark is where a worker was lost, whose work others did again."
    let hidden = activity.workers.count - shown + activity.leftOut
    if hidden > 0 { text += " \(NumberText.count(hidden, "more worker is", "more workers are")) not drawn." }
    if activity.secondsBefore > 0 {
      text +=
        " The fit was resumed after \(NumberText.duration(activity.secondsBefore)); this is its last sitting alone."
    }
    return text
  }

  private func draw(_ worker: WorkerActivity.Worker, row: Double, end: Double, _ plot: inout Plot) {
    for stay in worker.stays {
      let until = min(stay.until ?? end, end)
      plot.box(stay.from, until, row + 0.16, row + 0.84, "waiting")
    }
    var start = 0
    func level(_ bin: Int) -> Int {
      bin < worker.busy.count
        ? Int((min(max(worker.busy[bin], 0), 1) * Double(WorkerTimelinePlot.levels)).rounded()) : 0
    }
    // Neighbouring bins of one shade are one rectangle.
    while start < worker.busy.count {
      var next = start + 1
      while next < worker.busy.count, level(next) == level(start) { next += 1 }
      let (from, until) = (Double(start) * activity.binSeconds, min(Double(next) * activity.binSeconds, end))
      if level(start) > 0, until > from {
        let mean = worker.busy[start..<next].reduce(0, +) / Double(next - start)
        plot.box(
          from, until, row + 0.16, row + 0.84, "busy b\(level(start))",
          title:
            "\(worker.name): busy \(NumberText.percent(mean)) from \(NumberText.short(from, digits: 3)) s to "
            + "\(NumberText.short(until, digits: 3)) s")
      }
      start = next
    }
    for stay in worker.stays where stay.isLost {
      guard let until = stay.until else { continue }
      plot.dot(
        min(until, end), row + 0.5, radius: 5, "lost",
        title: "\(worker.name) was lost at \(NumberText.short(until, digits: 3)) s")
    }
  }

  /// Computing time over the time in which workers were there.
  package static func busyShare(_ activity: WorkerActivity) -> Double {
    var (busy, there) = (0.0, 0.0)
    for worker in activity.workers {
      busy += worker.busy.reduce(0) { $0 + $1 * activity.binSeconds }
      there += worker.stays.reduce(0) {
        $0 + max(0, min($1.until ?? activity.seconds, activity.seconds) - $1.from)
      }
    }
    return there > 0 ? min(1, busy / there) : 0
  }

  private static func shortened(_ text: String, _ most: Int) -> String {
    text.count <= most ? text : "…" + text.suffix(most - 1)
  }
}
