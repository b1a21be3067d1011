import Mixtures

/// Everything that the next iteration needs: a fit restored from it goes on to the same bits.
///
/// Random numbers are a function of the iteration, so that no generator's state has to be kept.
public struct FitSnapshot: Sendable, Equatable {
  public var mixture: IsotropicMixture
  public var course: Course

  /// All but the mixture.
  public struct Course: Sendable, Hashable, Codable {
    /// Steps taken.
    public var iteration: Int
    /// The iteration of the last evaluation of the objective.
    public var evaluatedAt: Int?
    public var lastRow: TraceRow?
    public var gradientNorm: Double?
    public var lastStepSize: Double?
    public var testScores: TestScores?
  }

  public init(mixture: IsotropicMixture, course: Course) {
    self.mixture = mixture
    self.course = course
  }
}

extension Fit {
  /// The fit as it stands.
  public var snapshot: FitSnapshot {
    FitSnapshot(
      mixture: mixture,
      course: FitSnapshot.Course(
        iteration: iteration, evaluatedAt: evaluatedAt, lastRow: lastRow, gradientNorm: gradientNorm,
        lastStepSize: lastStepSize, testScores: testScores))
  }

  /// Goes back to a snapshot of the same fit.
  /// - Throws: ``FitError`` when the snapshot is not one of this fit.
  public mutating func restore(_ snapshot: FitSnapshot) throws {
    let course = snapshot.course
    guard snapshot.mixture.componentCount == mixture.componentCount,
      snapshot.mixture.dimension == mixture.dimension, (0...iterations).contains(course.iteration),
      (0...course.iteration).contains(course.evaluatedAt ?? 0),
      snapshot.mixture.means.allSatisfy(\.isFinite),
      snapshot.mixture.variances.allSatisfy({ $0 > 0 && $0.isFinite })
    else { throw FitError(.badInput, "the checkpoint does not belong to this fit") }
    mixture = snapshot.mixture
    iteration = course.iteration
    evaluatedAt = course.evaluatedAt
    lastRow = course.lastRow
    gradientNorm = course.gradientNorm
    lastStepSize = course.lastStepSize
    testScores = course.testScores
  }
}
