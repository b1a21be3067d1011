import Mixtures

/// Everything that the next iteration needs: a fit restored from it goes on to the same bits.
///
/// Random numbers are a function of the iteration, so that no generator's state has to be kept.
public struct FitSnapshot: Sendable, Equatable {
  public var course: Course
  /// What is large: the mixture's means and variances first, then what ``Fit/snapshot`` puts there, in its order.
  public var numbers: [[Double]]

  /// All but the numbers.
  public struct Course: Sendable, Hashable, Codable {
    /// Steps taken.
    public var iteration: Int
    /// The iteration of the last evaluation of the objective.
    public var evaluatedAt: Int?
    public var isStarted: Bool
    public var windowsClosed: Int
    public var extraWindows: Int
    public var stagesDone: Int
    public var divergences: Int
    public var stepFactor: Double
    public var control: StepControl
    public var metricNumber: UInt64
    public var metricLogDeterminant: Double
    public var stage: StageCourse
    public var refuge: RefugeCourse?
    public var bestSummary: IterateSummary?
    public var hasBest: Bool
    public var iterates: IterateSummary?
    public var ending: Fit.Ending?
    public var lastRow: TraceRow?
    public var gradientNorm: Double?
    public var lastStepSize: Double?
    public var judgement: Judgement?
    public var testScores: TestScores?
    /// The iteration at which the control variate was computed.
    public var referenceIteration: Int? = nil

    public init(
      iteration: Int, evaluatedAt: Int? = nil, isStarted: Bool, windowsClosed: Int, extraWindows: Int = 0,
      stagesDone: Int,
      divergences: Int, stepFactor: Double, control: StepControl, metricNumber: UInt64,
      metricLogDeterminant: Double, stage: StageCourse, refuge: RefugeCourse? = nil,
      bestSummary: IterateSummary? = nil, hasBest: Bool, iterates: IterateSummary? = nil,
      ending: Fit.Ending? = nil, lastRow: TraceRow? = nil, gradientNorm: Double? = nil,
      lastStepSize: Double? = nil, judgement: Judgement? = nil, testScores: TestScores? = nil
    ) {
      self.iteration = iteration
      self.evaluatedAt = evaluatedAt
      self.isStarted = isStarted
      self.windowsClosed = windowsClosed
      self.extraWindows = extraWindows
      self.stagesDone = stagesDone
      self.divergences = divergences
      self.stepFactor = stepFactor
      self.control = control
      self.metricNumber = metricNumber
      self.metricLogDeterminant = metricLogDeterminant
      self.stage = stage
      self.refuge = refuge
      self.bestSummary = bestSummary
      self.hasBest = hasBest
      self.iterates = iterates
      self.ending = ending
      self.lastRow = lastRow
      self.gradientNorm = gradientNorm
      self.lastStepSize = lastStepSize
      self.judgement = judgement
      self.testScores = testScores
    }
  }

  public struct StageCourse: Sendable, Hashable, Codable {
    public var count: Int
    public var averaged: Int
    public var isAveraging: Bool
    public var isOver: Bool

    public init(count: Int, averaged: Int, isAveraging: Bool, isOver: Bool) {
      self.count = count
      self.averaged = averaged
      self.isAveraging = isAveraging
      self.isOver = isOver
    }
  }

  public struct RefugeCourse: Sendable, Hashable, Codable {
    public var iteration: Int
    public var objective: ObjectiveEstimate
    public var metricLogDeterminant: Double
  }

  public init(course: Course, numbers: [[Double]]) {
    self.course = course
    self.numbers = numbers
  }
}

extension Fit {
  /// The fit as it stands; between the jobs of one activity, as it stood before that.
  public var snapshot: FitSnapshot { anchor ?? currentSnapshot }

  private var currentSnapshot: FitSnapshot {
    var snapshot = FitSnapshot(
      course: FitSnapshot.Course(
        iteration: iteration, evaluatedAt: evaluatedAt, isStarted: isStarted, windowsClosed: windowsClosed,
        extraWindows: extraWindows, stagesDone: stagesDone, divergences: divergences, stepFactor: stepFactor,
        control: control,
        metricNumber: metricNumber, metricLogDeterminant: metric.logDeterminant,
        stage: FitSnapshot.StageCourse(
          count: stage.count, averaged: stage.averaged, isAveraging: stage.isAveraging,
          isOver: stage.isOver),
        refuge: refuge.map {
          FitSnapshot.RefugeCourse(
            iteration: $0.iteration, objective: $0.objective, metricLogDeterminant: $0.metric.logDeterminant)
        }, bestSummary: best?.summary, hasBest: best != nil, iterates: iterates, ending: ending,
        lastRow: lastRow, gradientNorm: gradientNorm, lastStepSize: lastStepSize, judgement: judgement,
        testScores: testScores),
      numbers: [
        mixture.means, mixture.variances, metric.center, metric.factor, metric.inverse, previousGradient,
        stage.sums, stage.tracked, best?.mixture.means ?? [], best?.mixture.variances ?? [],
        best?.integrands ?? [], refuge?.mixture.means ?? [], refuge?.mixture.variances ?? [],
        refuge?.metric.center ?? [], refuge?.metric.factor ?? [], refuge?.metric.inverse ?? [],
        factors, refuge?.factors ?? [], judgedIntegrands,
      ])
    keepReference(in: &snapshot)
    return snapshot
  }

  private static let snapshotArrays = 19

  /// Goes back to a snapshot of the same fit.
  /// - Throws: ``FitError`` when the snapshot is not one of this fit.
  public mutating func restore(_ snapshot: FitSnapshot) throws {
    let failure = FitError(.badInput, "the checkpoint does not belong to this fit")
    let course = snapshot.course
    let numbers = snapshot.numbers
    guard numbers.count == Fit.snapshotArrays + referenceArrays,
      (0...settings.iterations).contains(course.iteration),
      (0...course.iteration).contains(course.evaluatedAt ?? 0),
      (0...Fit.mostExtraWindows).contains(course.extraWindows),
      (0...plannedWindows.count + course.extraWindows).contains(course.windowsClosed), course.stagesDone >= 0,
      let mixture = checked(numbers[0], numbers[1]),
      let metric = checked(numbers[2], numbers[3], numbers[4], course.metricLogDeterminant),
      isFactors(numbers[16]), course.refuge == nil || isFactors(numbers[17]),
      numbers[5].isEmpty || numbers[5].count == mixture.means.count,
      numbers[18].isEmpty == (course.judgement == nil),
      numbers[18].count % (plan.objective.samples * mixture.componentCount) == 0,
      let stage = Stage(
        count: course.stage.count, averaged: course.stage.averaged, isAveraging: course.stage.isAveraging,
        isOver: course.stage.isOver,
        sums: numbers[6], tracked: numbers[7], of: mixture, mostAveraged: newStage.mostAveraged)
    else { throw failure }
    best = nil
    if course.hasBest {
      guard let mixture = checked(numbers[8], numbers[9]),
        numbers[10].count == plan.objective.samples * components
      else { throw failure }
      best = Average(mixture: mixture, integrands: numbers[10], summary: course.bestSummary)
    }
    refuge = nil
    if let kept = course.refuge {
      guard let mixture = checked(numbers[11], numbers[12]),
        let metric = checked(numbers[13], numbers[14], numbers[15], kept.metricLogDeterminant)
      else { throw failure }
      refuge = Refuge(
        mixture: mixture, metric: metric, iteration: kept.iteration, objective: kept.objective,
        factors: numbers[17])
    }
    guard isReference(snapshot, from: Fit.snapshotArrays) else { throw failure }
    restoreReference(from: snapshot, at: Fit.snapshotArrays)
    self.mixture = mixture
    factors = numbers[16]
    self.metric = metric
    self.stage = stage
    previousGradient = numbers[5]
    iteration = course.iteration
    evaluatedAt = course.evaluatedAt
    isStarted = course.isStarted
    windowsClosed = course.windowsClosed
    extraWindows = course.extraWindows
    stagesDone = course.stagesDone
    divergences = course.divergences
    stepFactor = course.stepFactor
    control = course.control
    metricNumber = course.metricNumber
    iterates = course.iterates
    ending = course.ending
    lastRow = course.lastRow
    gradientNorm = course.gradientNorm
    lastStepSize = course.lastStepSize
    judgement = course.judgement
    judgedIntegrands = numbers[18]
    testScores = course.testScores
    // What this fit was doing before does not matter any more.
    anchor = nil
    if isStarted { resume() } else { try begin() }
  }

  private func checked(_ means: [Double], _ variances: [Double]) -> IsotropicMixture? {
    guard means.count == mixture.means.count, variances.count == mixture.componentCount,
      means.allSatisfy(\.isFinite), variances.allSatisfy({ $0 > 0 && $0.isFinite })
    else { return nil }
    return IsotropicMixture(
      componentCount: mixture.componentCount, dimension: mixture.dimension, means: means,
      variances: variances)
  }

  private func checked(
    _ center: [Double], _ factor: [Double], _ inverse: [Double], _ logDeterminant: Double
  ) -> Metric? {
    guard center.count == dimension else { return nil }
    return Metric(
      metric.kind, center: center, factor: factor, inverse: inverse, logDeterminant: logDeterminant)
  }
}
