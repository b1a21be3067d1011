import NumericsKit

/// A job with what has been handed out and what has been reduced.
struct RunningJob: Sendable {
  let number: UInt64
  let job: Job
  /// Nil until the job has been started.
  var queue: WorkQueue?
  private var reducers: [TreeReducer]
  private var openBlocks: Int

  init(number: UInt64, job: Job) {
    self.number = number
    self.job = job
    self.reducers = job.shape.blocks.indices.map { TreeReducer(tree: job.shape.tree(of: $0)) }
    self.openBlocks = job.shape.blocks.count
  }

  /// Opens the queue for workers with the given shares.
  mutating func start(shares: [Int], minimumCost: Double) {
    queue = WorkQueue(shape: job.shape, shares: shares, minimumCost: minimumCost)
  }

  /// Whether every block has its root.
  var isComplete: Bool { openBlocks == 0 }

  /// The sums of all blocks once the job is complete.
  var sums: [[Double]] { reducers.compactMap(\.result) }

  /// Adds an assignment's sums, which have been checked to have the assignment's width.
  mutating func reduce(_ assignment: Assignment, sums: [UInt8]) {
    sums.withUnsafeBytes { bytes in
      var offset = 0
      for subtree in assignment.subtrees {
        let block = Int(subtree.block)
        let width = job.shape.blocks[block].width
        let values = Float64Bytes.decode(bytes, from: offset, count: width)
        offset += Float64Bytes.width * width
        let wasComplete = reducers[block].result != nil
        reducers[block].insert(
          values, at: TreeNode(level: Int(subtree.level), index: Int(subtree.index)))
        if !wasComplete, reducers[block].result != nil { openBlocks -= 1 }
      }
    }
  }
}
