import NumericsKit

/// A job with what has been handed out and what has been reduced.
struct RunningJob: Sendable {
  /// Tiles that workers have and that are not reduced yet.
  struct Piece: Sendable {
    /// The portion that it is part of.
    let portion: UInt64
    var holders: [PeerID] = []
    /// Whether more than one worker has ever had it.
    var isCopied = false
  }

  /// A worker that was lost while it computed some tiles.
  struct Suspect: Sendable {
    let tiles: Range<Int>
    /// The number of the assignment, and of the next one when the worker was lost: who was given the tiles before
    /// another one's loss may have died with it, of the same cause.
    let given: UInt64
    let lost: UInt64
    /// The worker's own name, to know it again.
    let worker: String
    let story: String
    /// Whether it may only have been cut off, so that its coming back shows that it lived.
    let maybeAlive: Bool
  }

  let number: UInt64
  let job: Job
  /// Whether the job was begun as a whole: it ends with its one portion.
  let isWhole: Bool
  /// When something of it was handed out first; nil before.
  private(set) var startedAt: Instant?
  /// When a worker had done last what it was given when the job began.
  var initialDoneAt: Instant?
  /// The workers that take part; nil for all.
  var crew: Set<PeerID>?
  /// Pieces in workers' hands, by number.
  var pieces: [UInt64: Piece] = [:]
  /// Portions without their result, oldest first.
  private(set) var portions: [Portion] = []
  private(set) var suspects: [Suspect] = []
  /// The number of the assignment that came next when some tiles were doubted last: workers that have not been heard of
  /// since may be dead already, and get nothing. Nil while nothing is doubted.
  private(set) var doubtedAt: UInt64?

  /// - Parameter isWhole: whether all of it is wanted, as one portion.
  init(number: UInt64, job: Job, isWhole: Bool) {
    self.number = number
    self.job = job
    self.isWhole = isWhole
    if isWhole { portions = [Portion(number: 0, subtrees: nil, of: job.shape)].compactMap { $0 } }
  }

  /// Adds a portion.
  mutating func add(_ portion: Portion) { portions.append(portion) }

  /// Whether some portions have not been opened to workers yet.
  var hasWaitingPortions: Bool { portions.contains { $0.queue == nil } }

  /// Whether anything of it has been handed out.
  var hasStarted: Bool { startedAt != nil }

  /// Whether a worker takes part.
  func employs(_ peer: PeerID) -> Bool { crew?.contains(peer) ?? true }

  /// Estimated cost of the portions that have not been opened.
  var waitingCost: Double {
    portions.reduce(0) { $0 + ($1.queue == nil ? job.shape.cost(of: $1.tiles) : 0) }
  }

  /// Opens all portions that are not open yet.
  mutating func start(
    _ workers: [(peer: PeerID, strength: Strength)], firstShare: Double, minimumCost: Double, now: Instant
  ) {
    startedAt = startedAt ?? now
    for place in portions.indices where portions[place].queue == nil {
      portions[place].start(
        workers, shape: job.shape, firstShare: firstShare, minimumCost: minimumCost)
    }
  }

  /// Whether every tile has been handed out.
  var isHandedOut: Bool { portions.allSatisfy(\.isHandedOut) }

  /// Whether so little is left that a worker that has something to do should not get more of it yet.
  var isNearlyHandedOut: Bool { portions.allSatisfy(\.isNearlyHandedOut) }

  /// Takes the next tiles for a worker, and the portion that they are of; nil when nothing is left for it.
  mutating func take(for peer: PeerID, foreign: WorkQueue.Foreign) -> (tiles: Range<Int>, portion: UInt64)? {
    for source in foreign == .nothing ? [.nothing] : [WorkQueue.Foreign.nothing, foreign] {
      for place in portions.indices {
        // Where more waits for it, there is nothing to keep for others.
        let isLast = !portions.dropFirst(place + 1).contains { $0.hasHome(peer) }
        let tiles = portions[place].take(for: peer, foreign: source, isLast: isLast)
        if !tiles.isEmpty { return (tiles, portions[place].number) }
      }
    }
    return nil
  }

  /// Whether something of a worker's home is left.
  func hasHome(_ peer: PeerID) -> Bool { portions.contains { $0.hasHome(peer) } }

  /// Whether some tiles are suspected of killing workers.
  var isDoubtful: Bool { !suspects.isEmpty || doubtedAt != nil }

  /// Takes back the tiles of a piece that nobody has any more.
  mutating func putBack(_ tiles: Range<Int>, portion number: UInt64) {
    guard let place = portions.firstIndex(where: { $0.number == number }) else { return }
    portions[place].putBack(tiles)
  }

  /// Lets portions go that nobody wants any more. Who computes for them answers for nothing.
  mutating func cancel(_ numbers: [UInt64]) {
    portions.removeAll { numbers.contains($0.number) }
    pieces = pieces.filter { !numbers.contains($0.value.portion) }
  }

  /// Adds the sums of a piece, which have been checked to have the assignment's width.
  ///
  /// - Parameter threadSeconds: how long they took, times the threads that computed them.
  /// - Returns: the portion, if it is complete now; it is not part of the job any more.
  mutating func reduce(_ assignment: Assignment, sums: [UInt8], threadSeconds: Double) -> Portion? {
    let done = (assignment.gathered ?? [assignment.piece]).compactMap { pieces.removeValue(forKey: $0) }
    guard let number = done.first?.portion,
      let place = portions.firstIndex(where: { $0.number == number })
    else { return nil }
    portions[place].threadSeconds += threadSeconds
    let shape = job.shape
    let values = Float64Bytes.decode(
      sums, counts: assignment.subtrees.map { shape.blocks[Int($0.block)].width })
    for (subtree, value) in zip(assignment.subtrees, values) {
      let block = Int(subtree.block)
      let node = TreeNode(level: Int(subtree.level), index: Int(subtree.index))
      portions[place].insert(
        value, block: block, node: node, firstTile: shape.firstTiles[block] + node.index << node.level)
    }
    return portions[place].result == nil ? nil : portions.remove(at: place)
  }

  /// A worker that was lost is there again: the tiles that it had did not kill it.
  mutating func acquit(worker: String) { suspects.removeAll { $0.worker == worker && $0.maybeAlive } }

  /// Remembers that a worker was lost over some tiles. From the second loss on, the tiles in question are handed out
  /// one by one, so that others of them get done and a deadly one stands alone.
  ///
  /// Losses count one after the other: a rack that goes down takes all its workers, and what the first of them had would
  /// be handed to the next ones before these are missed.
  ///
  /// - Returns: a tile over which too many were lost, and their stories.
  mutating func suspect(_ suspect: Suspect) -> (tile: Int, stories: [String])? {
    let others = suspects.filter { $0.tiles.overlaps(suspect.tiles) }
    for other in others {
      for place in portions.indices { portions[place].doubt(other.tiles.clamped(to: suspect.tiles)) }
    }
    if !others.isEmpty { doubtedAt = suspect.lost }
    // Where ranges overlap most, one of them begins.
    for other in others {
      let tile = other.tiles.clamped(to: suspect.tiles).lowerBound
      var guilty: [Suspect] = []
      for next in others + [suspect] where next.tiles.contains(tile) && next.given >= guilty.last?.lost ?? 0 {
        guilty.append(next)
      }
      if guilty.count >= CoordinationLimits.deathsPerTile { return (tile, guilty.map(\.story)) }
    }
    if suspects.count < CoordinationLimits.suspects { suspects.append(suspect) }
    return nil
  }

  /// Whether a worker gets work that is known to have lived until an assignment came next.
  func trusts(heardUpTo number: UInt64) -> Bool { doubtedAt.map { number > $0 } ?? true }
}
