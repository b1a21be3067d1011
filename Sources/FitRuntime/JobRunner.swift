import Coordination
import Inference
import Reporting

/// Whoever evaluates one job over all tiles: worker processes, or this process itself.
protocol JobRunner: AnyObject {
  /// Evaluates a job; returns the sums of its blocks, in order.
  /// - Throws: ``RunFailure`` when the run can't go on.
  func run(_ job: Job) throws -> [[Double]]

  /// Tells everyone that the run is over and waits until nothing of it is left.
  func end(exitCode: Int32, message: String)

  /// Why the target last rejected a point, in its own words; nil when it has not, or it is not known.
  var rejection: String? { get }

  /// Counters for the summary.
  var statistics: RunStatistics { get }

  /// Who takes part and what is handed out now.
  var view: CoordinatorView { get }

  /// Called now and then while a job runs, on the thread that runs it.
  var whileRunning: (() -> Void)? { get set }
}

extension JobRunner {
  var rejection: String? { nil }
}

/// What a runner counts.
struct RunStatistics: Sendable {
  var workers = 0
  var lostWorkers = 0
  /// Workers that take part now.
  var readyWorkers = 1
  var redispatchedTiles = 0
  var bytesSent: UInt64 = 0
  var bytesReceived: UInt64 = 0
  var assignments = 0
  /// Bytes that one worker or relay gets, and sends, in an iteration, on average; nil where nothing travels.
  var bytesPerIteration: BytesPerIteration?
  /// Bytes of the data's files that were sent to workers and relays; nil where they share a folder.
  var bytesStreamed: Int?
  /// What each worker did over time.
  var timeline = WorkerTimeline()
  /// What the machines warned of, the first few.
  var warnings: [String] = []
}

extension JobShape {
  /// The shape of one kind of job in a plan.
  init(_ plan: JobPlan, problem: ProblemSize) {
    let costs = CostModel(problem)
    self.init(
      blocks: (0..<plan.blockCount).map {
        Block(tileCount: plan.tilesPerBlock, width: plan.width(ofBlock: $0))
      },
      costs: (0..<plan.blockCount).flatMap { block in
        (0..<plan.tilesPerBlock).map {
          costs.cost(of: plan.tile(block: block, leaf: $0), kind: plan.kind)
        }
      })
  }
}
