import Foundation
import Inference
import Mixtures
import NumericsKit
import TestKit
import Testing

@Suite("Snapshots of an automatic fit")
struct SnapshotTests {
  init() { BLAS.prepare() }

  /// What a job's sums depend on.
  private struct Question: Hashable {
    let job: FitJob
    let state: [UInt8]
    let context: [UInt8]
  }

  /// Evaluates a job, or remembers.
  private func answer(_ fit: Fit, _ job: FitJob, _ problem: Problem, _ known: inout [Question: [[Double]]])
    throws
    -> [[Double]]
  {
    let question = Question(
      job: job, state: fit.state, context: fit.context.map { JobContext.encode($0.metric) } ?? [])
    if let sums = known[question] { return sums }
    let sums = try evaluate(problem, job, state: fit.state, metric: fit.context?.metric)
    known[question] = sums
    return sums
  }

  @Test(
    "restored after any job, a fit ends with the same bits and the same trace",
    arguments: [
      ("auto", "metric: dense"), ("auto", "metric: diagonal, sampling: sobol"), ("data", "metric: dense"),
      ("auto", "metric: unit, relocation: false"),
    ])
  func everyJob(initial: String, settings: String) throws {
    let problem = try Problem(
      Examples.build(
        Examples.target + """
          mixture: {components: 4, initial: \(initial)}
          inference:
            {\(settings), samples: 4, warmup: 60, iterations: 300, objective: {draws: 40, every: 25},
             diagnosis: {draws: 200}}
          """, folder: "/"))
    var known: [Question: [[Double]]] = [:]
    var whole = try Fit(problem)
    var rows: [TraceRow] = []
    var snapshots: [(snapshot: FitSnapshot, rows: Int, job: FitJob?)] = []
    while let job = whole.next {
      if let row = try whole.take(answer(whole, job, problem, &known)) { rows.append(row) }
      snapshots.append((whole.snapshot, rows.count, job))
    }
    #expect(whole.ending != nil && whole.judgement != nil && snapshots.count > 300)
    let evaluations = known.count
    for (snapshot, rowsBefore, job) in snapshots {
      var fit = try Fit(problem)
      try fit.restore(snapshot)
      #expect(fit.snapshot == snapshot, "a checkpoint right after a restart is where it began")
      var later: [TraceRow] = []
      while let job = fit.next {
        if let row = try fit.take(answer(fit, job, problem, &known)) { later.append(row) }
      }
      let same =
        fit.stateDigest == whole.stateDigest && fit.snapshot == whole.snapshot
        && Array(rows.prefix(rowsBefore)) + later == rows
      #expect(same, "after \(String(describing: job)), iteration \(snapshot.course.iteration)")
      guard same else { return }
    }
    #expect(known.count == evaluations, "nothing was asked that the whole fit had not asked")
  }

  @Test("a snapshot of another fit is refused")
  func foreign() throws {
    func problem(_ components: Int, _ metric: String) throws -> Problem {
      try Problem(
        Examples.build(
          Examples.target
            + "mixture: {components: \(components)}\ninference: {metric: \(metric), iterations: 300}\n",
          folder: "/"))
    }
    let snapshot = try Fit(problem(3, "dense")).snapshot
    for other in [try problem(4, "dense"), try problem(3, "diagonal"), try problem(3, "unit")] {
      var fit = try Fit(other)
      #expect(throws: FitError.self) { try fit.restore(snapshot) }
    }
    for place in snapshot.numbers.indices where !snapshot.numbers[place].isEmpty {
      var altered = snapshot
      altered.numbers[place].append(1)
      var fit = try Fit(problem(3, "dense"))
      #expect(throws: FitError.self, "array \(place)") { try fit.restore(altered) }
      altered.numbers[place] = snapshot.numbers[place].map { _ in .nan }
      #expect(throws: FitError.self, "array \(place)") { try fit.restore(altered) }
    }
  }
}
