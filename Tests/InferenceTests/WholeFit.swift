import Inference
import Mixtures
import NumericsKit
import Specification
import Testing

/// A fit that was run to its end in this process.
struct WholeFit {
  var fit: Fit
  var rows: [TraceRow] = []
  let problem: Problem

  /// Runs a spec of an analytic target.
  init(_ yaml: String) throws {
    BLAS.prepare()
    problem = try Problem(Examples.build(yaml, folder: "/"))
    fit = try Fit(problem)
    while let job = fit.next {
      let sums = try evaluate(problem, job, state: fit.state, metric: fit.context?.metric)
      if let row = try fit.take(sums) { rows.append(row) }
    }
  }

  /// KL(q ‖ π) by the judgement's draws.
  var kl: Double { rows.last?.kl ?? .nan }
  var standardError: Double { rows.last?.objective.standardError ?? .nan }
  var khat: Double { fit.judgement?.khat ?? .nan }
  var hasConverged: Bool { fit.ending?.hasConverged == true }

  /// The share of components whose mean in θ is nearest to each of some points.
  func shares(of points: [[Double]]) -> [Double] {
    let d = fit.mixture.dimension
    let positions = fit.positions
    var counts = [Double](repeating: 0, count: points.count)
    for i in 0..<fit.mixture.componentCount {
      let distances = points.map { point in
        (0..<d).reduce(0.0) { $0 + (positions[i * d + $1] - point[$1]) * (positions[i * d + $1] - point[$1]) }
      }
      let nearest = distances.indices.min { distances[$0] < distances[$1] } ?? 0
      counts[nearest] += 1 / Double(fit.mixture.componentCount)
    }
    return counts
  }
}
