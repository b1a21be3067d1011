import Testing

import Coordination

@Suite struct WorkerTimelineTests {
  private func at(_ seconds: Double) -> Instant {
    Instant(nanoseconds: 1_000_000_000 + UInt64(seconds * 1e9))
  }

  @Test("Computing is counted once, in the bins that it falls into")
  func bins() {
    var timeline = WorkerTimeline()
    timeline.begin(now: at(0))
    timeline.joined(worker: "a", name: "a", threads: 1, now: at(0))
    timeline.computed(worker: "a", seconds: 0.05, now: at(0.05))
    // Claims more than the time since: only that is counted.
    timeline.computed(worker: "a", seconds: 10, now: at(0.1))
    timeline.computed(worker: "a", seconds: .nan, now: at(0.2))
    timeline.computed(worker: "stranger", seconds: 0.1, now: at(0.2))
    #expect(abs(timeline.rows[0].busy.reduce(0, +) - 0.1) < 1e-9)
    #expect(timeline.rows[0].busy.allSatisfy { $0 <= timeline.binWidth + 1e-12 })
  }

  @Test("A long run keeps a bounded number of bins and every second of computing")
  func merging() {
    var timeline = WorkerTimeline()
    timeline.begin(now: at(0))
    for name in ["a", "b"] { timeline.joined(worker: name, name: name, threads: 1, now: at(0)) }
    for step in 1...20_000 {
      timeline.computed(worker: "a", seconds: 0.25, now: at(Double(step) * 0.5))
      if step == 10 { timeline.computed(worker: "b", seconds: 1, now: at(5)) }
    }
    #expect(timeline.rows.allSatisfy { $0.busy.count <= CoordinationLimits.timelineBins })
    #expect(abs(timeline.rows[0].busy.reduce(0, +) - 5000) < 1e-6)
    #expect(abs(timeline.rows[1].busy.reduce(0, +) - 1) < 1e-9)
    #expect(timeline.binWidth * Double(CoordinationLimits.timelineBins) > 10_000)
    #expect(abs(timeline.length - 10_000) < 1e-6)
  }

  @Test("Workers that come and go keep a bounded number of stays, and losses are told from leaving")
  func stays() {
    var timeline = WorkerTimeline()
    timeline.begin(now: at(0))
    for step in 0..<100 {
      timeline.joined(worker: "a", name: "a", threads: 1, now: at(Double(step)))
      timeline.ended(worker: "a", isLost: step % 2 == 0, now: at(Double(step) + 0.5))
    }
    for number in 0..<1000 { timeline.joined(worker: "\(number)", name: "", threads: 1, now: at(1)) }
    #expect(timeline.rows.count == CoordinationLimits.timelineWorkers)
    #expect(timeline.leftOut == 1001 - CoordinationLimits.timelineWorkers)
    #expect(timeline.rows[0].stays.count == CoordinationLimits.timelineStays)
    let first = timeline.rows[0].stays[0]
    #expect(first.from == 0 && first.until == 0.5 && first.isLost)
    #expect(timeline.rows[0].stays[1].isLost == false)
  }
}
