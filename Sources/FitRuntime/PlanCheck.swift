import Inference

extension Plan {
  /// Checks that the numbers of a plan that came over the network fit each other, so that arithmetic with them
  /// can't trap.
  /// - Throws: ``FitError``.
  package func check() throws {
    let jobs: [(plan: JobPlan, kind: JobKind, rows: Int)] =
      [(gradient, .gradient, problem.rows), (objective, .objective, problem.rows)]
      + (prediction.map { [($0, .prediction, problem.testRows)] } ?? [])
    guard version == Plan.currentVersion, problem.isPlausible,
      jobs.allSatisfy({ $0.plan.isPlausible(kind: $0.kind, rows: $0.rows, problem: problem) })
    else { throw FitError(.software, "the coordinator's plan makes no sense") }
  }
}

/// Far more than any count in a plan, and small enough that products of two stay far from overflow.
private let largestCount = 1 << 31

extension ProblemSize {
  fileprivate var isPlausible: Bool {
    let counts = [rows, testRows, rowsPerShard, testRowsPerShard, columns]
    return [components, dimension, samples].allSatisfy { (1...largestCount).contains($0) }
      && counts.allSatisfy { (0...largestCount << 8).contains($0) }
  }
}

extension JobPlan {
  fileprivate func isPlausible(kind: JobKind, rows: Int, problem: ProblemSize) -> Bool {
    self.kind == kind && self.rows == rows && components == problem.components
      && gradientWidth == problem.dimension + 2 && (1...largestCount).contains(samples)
      && (1...components).contains(componentsPerBlock) && (1...samples).contains(samplesPerTile)
      && (1...largestCount).contains(rowsPerTile)
  }
}
