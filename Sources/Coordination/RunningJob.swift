import NumericsKit

/// A job with what has been handed out and what has been reduced.
struct RunningJob: Sendable {
  /// Tiles that workers have and that are not reduced yet.
  struct Piece: Sendable {
    var holders: [PeerID]
    /// Whether more than one worker has ever had it.
    var isCopied = false
  }

  /// A worker that was lost while it computed some tiles.
  struct Suspect: Sendable {
    let tiles: Range<Int>
    /// The worker's own name, to know it again.
    let worker: String
    let story: String
    /// Whether it may only have been cut off, so that its coming back shows that it lived.
    let maybeAlive: Bool
  }

  let number: UInt64
  let job: Job
  /// Nil until the job has been started.
  var queue: WorkQueue?
  /// Pieces in workers' hands, by number.
  var pieces: [UInt64: Piece] = [:]
  private(set) var suspects: [Suspect] = []
  private var reducers: [TreeReducer]
  private var openBlocks: Int

  init(number: UInt64, job: Job) {
    self.number = number
    self.job = job
    self.reducers = job.shape.blocks.indices.map { TreeReducer(tree: job.shape.tree(of: $0)) }
    self.openBlocks = job.shape.blocks.count
  }

  /// Opens the queue: a home for each of the given shares.
  mutating func start(shares: [Double], minimumCost: Double) {
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

  /// A worker that was lost is there again: the tiles that it had did not kill it.
  mutating func acquit(worker: String) { suspects.removeAll { $0.worker == worker && $0.maybeAlive } }

  /// Remembers that a worker was lost over some tiles. From the second loss on, the tiles in question are handed out
  /// one by one, so that others of them get done and a deadly one stands alone.
  ///
  /// - Returns: a tile over which too many were lost, and their stories.
  mutating func suspect(_ suspect: Suspect) -> (tile: Int, stories: [String])? {
    let others = suspects.filter { $0.tiles.overlaps(suspect.tiles) }
    for other in others { queue?.doubt(other.tiles.clamped(to: suspect.tiles)) }
    // Where ranges overlap most, one of them begins.
    for other in others {
      let tile = other.tiles.clamped(to: suspect.tiles).lowerBound
      let guilty = others.filter { $0.tiles.contains(tile) } + [suspect]
      if guilty.count >= CoordinationLimits.deathsPerTile { return (tile, guilty.map(\.story)) }
    }
    if suspects.count < CoordinationLimits.suspects { suspects.append(suspect) }
    return nil
  }
}
