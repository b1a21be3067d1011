import Foundation
import Mixtures
import NumericsKit
import Posteriors
import Specification

/// What a fit wants evaluated next.
public struct FitJob: Sendable, Hashable {
  public var kind: JobKind
  /// The iteration whose noise is used.
  public var iteration: Int

  package init(kind: JobKind, iteration: Int) {
    self.kind = kind
    self.iteration = iteration
  }
}

/// The course of a fit: which pass comes next, and what its sums do to the mixture.
///
/// A pure state machine. `next` names the job whose sums it waits for, `take` receives them; where and by whom
/// the sums were computed makes no difference. A fit finds a start, warms up (coordinates are learned and components moved, at the
/// end of windows of iterations), then goes through stages of smaller and smaller steps until their averages no longer
/// get better, and is judged at its end; with given steps and `stop: iterations` it does what the spec says and no more.
public struct Fit: Sendable {
  public let plan: Plan
  /// The mixture after `iteration` steps, in the metric's coordinates; where coordinates have mixtures of their own, N·d
  /// components of one dimension (``coordinateMixture``).
  public internal(set) var mixture: IsotropicMixture
  /// Lower factors of full covariances, row-major `[N, d, d]`; empty for an isotropic fit.
  public internal(set) var factors: [Double] = []
  /// The coordinates.
  public internal(set) var metric: Metric
  /// Counts the changes of coordinates, and of the control variate.
  var metricNumber: UInt64 = 1
  /// Steps taken so far.
  public internal(set) var iteration = 0
  /// The last evaluation of the objective.
  public internal(set) var lastRow: TraceRow?
  /// Scores on test data, once they are known.
  public internal(set) var testScores: TestScores?
  /// How good the finished fit is, once it has been judged.
  public internal(set) var judgement: Judgement?
  /// `log q + V` at the draws of the judgement, `[components, draws]`; empty before.
  public internal(set) var judgedIntegrands: [Double] = []
  /// How settled the average is that the fit ends with; nil when it ends with its last iterate.
  public internal(set) var iterates: IterateSummary?
  /// The step size of the step taken last.
  public internal(set) var lastStepSize: Double?
  /// What ended the iterations, in words; nil while they go on.
  public internal(set) var ending: Ending?
  /// What happened that a user should know; whoever runs the fit takes them.
  public var notes: [String] = []

  /// Why a fit takes no more steps.
  public struct Ending: Sendable, Hashable, Codable {
    public var reason: String
    /// Whether the stopping rule found it converged; nil when none was applied.
    public var hasConverged: Bool?
  }

  let settings: InferenceSpecification
  let initial: InitialSpecification
  let earlier: StartingMixture?
  let noise: Noise
  /// Iterations at which the windows of the warm-up end as planned.
  let plannedWindows: [Int]
  /// Windows added since.
  var extraWindows = 0
  let objectiveInterval: Int
  private let logNormalizer: Double?
  private let isClassification: Bool
  let priorMoments: PriorMoments?
  /// Whether the target may reject points.
  let mayReject: Bool

  /// Where all rows' gradients were computed last; nil without a control variate, and where one has to be made.
  var reference: Reference?
  var activity = Activity.stepping
  var isStarted = false
  var gradientNorm: Double?
  var evaluatedAt: Int?
  var previousGradient: [Double] = []
  var control = StepControl()
  var stage = Stage()
  var stagesDone = 0
  var best: Average?
  var windowsClosed = 0
  var refuge: Refuge?
  var divergences = 0
  /// What a given step size is multiplied by after divergences.
  var stepFactor = 1.0
  /// The state before the activity that is under way, when that takes more than one job.
  var anchor: FitSnapshot?

  /// An averaged iterate and `log q + V` at the draws by which averages are compared.
  struct Average: Sendable, Equatable {
    var mixture: IsotropicMixture
    var integrands: [Double]
    var summary: IterateSummary?
  }

  /// The best state evaluated so far, to step back to.
  struct Refuge: Sendable, Equatable {
    var mixture: IsotropicMixture
    var metric: Metric
    var iteration: Int
    var objective: ObjectiveEstimate
    var factors: [Double] = []
  }

  /// What the fit is doing between two jobs.
  enum Activity: Sendable {
    /// Looking for the size of the box to start in.
    case searchingStart(StartSearch)
    /// Looking for the modes to start at.
    case locatingModes(ModeSearch)
    case stepping
    /// Computing the control variate at the mixture as it stands.
    case refreshing
    /// Evaluating the mixture as it stands.
    case evaluating
    /// Ending a window of the warm-up.
    case closingWindow(WindowClosing)
    /// Evaluating a stage's average.
    case comparing(IsotropicMixture)
    /// Drawing from the finished mixture: the integrands so far.
    case judging([[Double]])
    case predicting
    case finished
  }

  /// A fit at its start.
  /// - Parameter earlier: the fit that `mixture.initial: {file: …}` names.
  /// - Throws: ``FitError`` when the fit can't start as the spec asks.
  public init(_ problem: Problem, from earlier: StartingMixture? = nil) throws {
    let specification = problem.specification
    plan = problem.plan
    settings = specification.inference
    initial = specification.mixture.initial
    self.earlier = earlier
    noise = Noise(seed: specification.inference.seed)
    plannedWindows = Fit.windows(specification.inference)
    objectiveInterval = Fit.objectiveInterval(specification.inference, plan: plan)
    logNormalizer = problem.target.logNormalizer
    priorMoments = problem.target.priorMoments
    mayReject = problem.target is any ForeignDensity
    if case .classes = problem.target.predictedResponse {
      isClassification = true
    } else {
      isClassification = false
    }
    metric = Metric(problem.plan.problem.metric, dimension: problem.target.dimension)
    mixture = Fit.origin(plan.problem)
    startFactors()
    stage = newStage
    try begin()
  }

  /// Iterations between evaluations: as asked, or so that they cost about a tenth of the fit.
  public static func objectiveInterval(_ settings: InferenceSpecification, plan: Plan) -> Int {
    if let interval = settings.objectiveInterval { return interval }
    if let interval = batchedObjectiveInterval(settings, plan) { return interval }
    let drawsPerSample = Double(plan.objective.samples) / Double(plan.gradient.samples)
    return max(1, settings.iterations / 100, Int((10 * drawsPerSample).rounded(.up)))
  }

  /// The job that comes next; nil when the fit is finished.
  public var next: FitJob? {
    switch activity {
    case .searchingStart, .locatingModes: FitJob(kind: .points, iteration: 0)
    case .stepping: FitJob(kind: .gradient, iteration: iteration)
    case .refreshing: FitJob(kind: .reference, iteration: iteration)
    case .evaluating: FitJob(kind: .objective, iteration: iteration)
    case .closingWindow(let closing): closing.job(at: iteration)
    case .comparing: FitJob(kind: .objective, iteration: NoiseIterations.comparison)
    case .judging(let rounds): FitJob(kind: .objective, iteration: NoiseIterations.judgement + rounds.count)
    case .predicting: FitJob(kind: .prediction, iteration: iteration)
    case .finished: nil
    }
  }

  /// Iterations of the noise that no step has.
  enum NoiseIterations {
    static let comparison = 1 << 31
    static let judgement = 1 << 31 + 1
  }

  /// The state that the workers need for the next job.
  public var state: [UInt8] {
    switch activity {
    case .searchingStart(let search):
      JobState.encode(points: startDraws(scale: search.scale), dimension: dimension)
    case .locatingModes(let search): JobState.encode(points: positions(search), dimension: dimension)
    case .closingWindow(let closing):
      closing.search.map { JobState.encode(points: positions($0), dimension: mixture.dimension) }
        ?? JobState.encode(mixture)
    case .comparing(let average): JobState.encode(average)
    case .refreshing: JobState.encode(points: positions, dimension: mixture.dimension)
    default: JobState.encode(mixture, factors: factors)
    }
  }

  /// The coordinates that the workers need for the next job and the control variate, if there is one: the same number, the
  /// same of both; nil for θ itself and nothing.
  public var context: (number: UInt64, metric: Metric, variate: ControlVariate?)? {
    metric.isUnit && reference == nil ? nil : (metricNumber, metric, reference?.variate)
  }

  func positions(_ search: ModeSearch) -> [Double] {
    metric.positions(of: search.proposals, count: search.proposals.count / max(1, dimension))
  }

  /// Takes the sums of the job that `next` named, block by block.
  ///
  /// - Returns: a row for the trace when the objective was evaluated.
  /// - Throws: ``FitError`` that names iteration and component when the fit has diverged.
  public mutating func take(_ sums: [[Double]]) throws -> TraceRow? {
    switch activity {
    case .finished: return nil
    case .searchingStart(var search):
      let values = pointValues(sums).values
      let isDone = search.take(values: values, dimension: dimension, mayReject: mayReject)
      if isDone { try start(scale: search.scale, values: values) } else { activity = .searchingStart(search) }
      return nil
    case .locatingModes(var search):
      let (values, gradients) = pointValues(sums)
      search.take(values: values, gradients: metric.gradients(of: gradients, count: values.count))
      if search.isDone { try start(at: search) } else { activity = .locatingModes(search) }
      return nil
    case .stepping:
      try step(sums)
      return nil
    case .refreshing:
      refresh(sums)
      return nil
    case .evaluating:
      return try evaluated(plan.objective.integrands(sums))
    case .closingWindow(let closing):
      return try close(closing, sums)
    case .comparing(let average):
      compare(average, plan.objective.integrands(sums))
      return nil
    case .judging(let rounds):
      return judge(rounds + [plan.objective.integrands(sums)])
    case .predicting:
      testScores = scores(sums)
      activity = .finished
      return nil
    }
  }

  /// What comes after a step or an evaluation.
  mutating func advance() {
    anchor = nil
    resume()
  }

  /// What comes next in the state as it is.
  mutating func resume() {
    let isStageOver =
      ending == nil && stage.isOver && windowsClosed == windows.count && iteration < settings.iterations
    if isStageOver, let average = stage.average(like: mixture) { return begin(.comparing(average)) }
    let isLast = iteration >= settings.iterations
    // The judgement evaluates the finished mixture.
    let isEvaluated = isEvaluationDue || (isLast && settings.diagnosisDraws == 0)
    if ending == nil, evaluatedAt != iteration, isEvaluated { return activity = .evaluating }
    if ending == nil, windowsClosed < windows.count, iteration >= windows[windowsClosed] {
      if isFactorized { return passWindow() }
      return begin(.closingWindow(WindowClosing(self)))
    }
    if isLast, ending == nil { return endAtLimit() }
    activity = ending == nil ? (needsReference ? .refreshing : .stepping) : afterIterations
  }

  private var isEvaluationDue: Bool {
    iteration % objectiveInterval == 0
      || (windowsClosed < windows.count && iteration == windows[windowsClosed])
  }

  /// Begins an activity of several jobs: a snapshot taken meanwhile is the one before it.
  mutating func begin(_ activity: Activity) {
    anchor = snapshot
    self.activity = activity
  }

  private var afterIterations: Activity {
    // An average has not been evaluated yet.
    if settings.diagnosisDraws > 0 || settings.stop == .converged, judgement == nil { return .judging([]) }
    return plan.prediction != nil && testScores == nil ? .predicting : .finished
  }

  mutating func end(_ reason: String, converged: Bool?) {
    ending = Ending(reason: reason, hasConverged: converged)
    anchor = nil
    activity = afterIterations
  }

  /// V `[count]` and its gradient in θ `[count, d]` at points.
  func pointValues(_ sums: [[Double]]) -> (values: [Double], gradients: [Double]) {
    var values: [Double] = []
    var gradients: [Double] = []
    for block in sums {
      for place in 0..<block.count / (dimension + 1) {
        let row = place * (dimension + 1)
        values.append(block[row])
        gradients += block[(row + 1)..<(row + 1 + dimension)]
      }
    }
    return (values, gradients)
  }

  /// A row of the trace for the mixture as it stands.
  func row(_ objective: ObjectiveEstimate) -> TraceRow {
    let scales = metric.isUnit ? [1] : metric.scales
    let (least, most) = (scales.min() ?? 1, scales.max() ?? 1)
    return TraceRow(
      iteration: iteration, objective: objective, kl: logNormalizer.map { $0 - objective.elbo },
      gradientNorm: gradientNorm, stepSize: lastStepSize,
      varianceMinimum: (mixture.variances.min() ?? .nan) * least * least,
      varianceMaximum: (mixture.variances.max() ?? .nan) * most * most)
  }

  /// Takes one round of draws of the finished mixture; the last one makes the judgement.
  private mutating func judge(_ rounds: [[Double]]) -> TraceRow? {
    if rounds.count == 1, let refuge, isUnfit(rounds[0]) {
      notes.append(
        "diverged at iteration \(iteration): the fit ends with the state of iteration \(refuge.iteration), the best one"
      )
      restore(refuge)
      iterates = nil
      self.refuge = nil
      if let ended = ending {
        ending = Ending(reason: ended.reason, hasConverged: ended.hasConverged.map { _ in false })
      }
      activity = .judging([])
      return nil
    }
    let perRound = plan.objective.samples * components
    guard rounds.count * perRound >= settings.diagnosisDraws else {
      activity = .judging(rounds)
      return nil
    }
    let draws = plan.objective.samples
    let joined = (0..<components).flatMap { component in
      rounds.flatMap { $0[component * draws..<(component + 1) * draws] }
    }
    let result = plan.problem.judgement(joined, mayReject: mayReject)
    if let rejected = result.objective.rejectedDraws, rejected > 0 {
      notes.append(
        "rejected: the target has no density at \(rejected) of \(result.draws) draws of the finished fit; the ELBO is over "
          + "the others, and these have no importance weight")
    }
    judgement = result
    judgedIntegrands = joined
    let row = row(result.objective)
    lastRow = row
    activity = afterIterations
    defer { evaluatedAt = iteration }
    return evaluatedAt == iteration ? nil : row
  }

  /// Whether draws of the finished mixture show that it is not finite, or has collapsed since its best state.
  private func isUnfit(_ integrands: [Double]) -> Bool {
    let objective = estimate(integrands)
    guard objective.elbo.isFinite, let refuge else { return !objective.elbo.isFinite }
    return hasCollapsed(objective, since: refuge.objective)
  }

  private func scores(_ sums: [[Double]]) -> TestScores {
    let values = sums.first ?? [0, 0, 0, 0]
    let rows = max(values[0], 1)
    return TestScores(
      rows: Int(values[0]), logPredictiveDensity: values[1] / rows,
      accuracy: isClassification ? values[2] / rows : nil,
      rmse: isClassification ? nil : (values[3] / rows).squareRoot())
  }

  /// The mixture's means in θ, `[N, d]`.
  public var positions: [Double] { metric.positions(of: mixture.means, count: components) }

  /// SHA-256 of the means in θ, then the variances (full covariances: Σ, row-major `[N, d, d]`; coordinates with mixtures
  /// of their own: `[N, d]`), as little-endian float64.
  public var stateDigest: Digest {
    var builder = DigestBuilder()
    builder.update(positions)
    builder.update(fullMixture?.covariances ?? mixture.variances)
    return builder.finalize()
  }
}
