/// What a worker is expected to do of a job, in units that all workers have in common.
struct Strength: Sendable {
  /// Of the tiles, in steps, so that homes stay what they are while speeds wobble.
  let share: Double
  /// How fast it is; above 0.
  let speed: Double
}

/// Which tiles of a job are still to be handed out, and to whom they go first.
///
/// Every worker has a *home*: a contiguous range of tiles in proportion to its share, the same in every
/// iteration, so that it keeps touching the same rows. A worker first takes most of what it can do of its home, going by its
/// speed, then ever smaller pieces; when it is used up it takes from the end of the home that has most left. What a lost worker had comes back as
/// a home of nobody's. Whatever the hand-out, results are reduced along the same tree.
struct WorkQueue: Sendable {
  /// What a worker may take besides its own home.
  enum Foreign: Sendable { case nothing, returned, all }

  private let shape: JobShape
  /// What is left of each worker's home, and after them what came back.
  private var homes: [Range<Int>]
  /// Tiles that are left in all homes, and their cost.
  private var left: Int
  private var leftCost: Double
  /// Homes that belong to a worker.
  private let owned: Int
  /// What of each worker's home is beyond what its speed lets it do, in floating-point operations.
  private let beyond: [Double]
  /// Whether a worker has taken its first piece.
  private var hasStarted: [Bool]
  /// Pieces are not made smaller than this, in floating-point operations.
  private let smallestPiece: Double
  /// Tiles over which several workers were lost: handed out one by one.
  private var doubtful: [Range<Int>] = []

  /// How much a worker takes first of what it can do of its home.
  private let firstShare: Double
  /// How much of what is left of that it takes then: not all, because a worker has two pieces at a time, which nobody else can
  /// take.
  private static let nextShare = 0.5
  /// Blocks from which on the pieces of a home cut few of them.
  private static let manyBlocks = 8

  /// Whether tiles are of so few blocks that the pieces of them cut most of these.
  static func cutsFewBlocks(_ tiles: Range<Int>, of shape: JobShape) -> Bool {
    shape.block(ofTile: tiles.upperBound - 1) - shape.block(ofTile: tiles.lowerBound) < manyBlocks
  }

  /// The smallest piece as a share of a home: each piece costs a message and its answer.
  private static let smallestShare = 0.04

  /// - Parameters:
  ///   - tiles: what is to be handed out.
  ///   - workers: the share of each worker's home, and its speed, in a fixed order.
  ///   - firstShare: how much a worker takes first of what it can do of its home.
  ///   - minimumCost: pieces aren't made smaller than this, so that messages don't dominate.
  init(shape: JobShape, tiles: Range<Int>, workers: [Strength], firstShare: Double, minimumCost: Double) {
    self.shape = shape
    self.firstShare = firstShare
    // Without workers the tiles wait for whoever comes.
    let workers = workers.isEmpty ? [Strength(share: 1, speed: 1)] : workers
    let shares = workers.map(\.share)
    let total = shares.reduce(0, +)
    let speed = workers.reduce(0) { $0 + $1.speed }
    let cost = shape.cost(of: tiles)
    let before = shape.cumulativeCosts[tiles.lowerBound]
    var homes: [Range<Int>] = []
    var first = tiles.lowerBound
    var sharesBefore = 0.0
    for share in shares {
      sharesBefore += share
      let isLast = homes.count == shares.count - 1
      let end =
        isLast
        ? tiles.upperBound
        : WorkQueue.rounded(
          shape.boundary(atCost: before + cost * sharesBefore / total, in: first..<tiles.upperBound),
          in: first..<tiles.upperBound, parts: 4, of: shape)
      homes.append(first..<end)
      first = end
    }
    self.homes = homes
    beyond = zip(homes, workers).map { max(0, shape.cost(of: $0) - cost * $1.speed / speed) }
    left = tiles.count
    leftCost = cost
    owned = homes.count
    hasStarted = homes.map { _ in false }
    smallestPiece = max(minimumCost, WorkQueue.smallestShare * cost / Double(shares.count))
  }

  /// Whether something of a worker's home is left.
  func hasHome(_ number: Int) -> Bool { number < owned && !homes[number].isEmpty }

  /// Whether every tile has been handed out.
  var isEmpty: Bool { left == 0 }

  /// Takes back tiles that were handed out and are not done.
  mutating func putBack(_ tiles: Range<Int>) {
    guard !tiles.isEmpty else { return }
    left += tiles.count
    leftCost += shape.cost(of: tiles)
    if let free = homes.indices.dropFirst(owned).first(where: { homes[$0].isEmpty }) {
      homes[free] = tiles
    } else {
      homes.append(tiles)
    }
  }

  /// Hands some tiles out one by one from now on.
  mutating func doubt(_ tiles: Range<Int>) {
    if doubtful.count < CoordinationLimits.suspects, !doubtful.contains(tiles) { doubtful.append(tiles) }
  }

  /// Takes the next piece for a worker; empty when nothing is left for it.
  ///
  /// - Parameters:
  ///   - home: the worker's place in the order of `shares`; nil for one without a home.
  ///   - foreign: what it may take when its own home is used up: nothing, only what came back, or of others' homes, too.
  ///   - isLast: whether no home waits for it elsewhere; with one, it takes all that it can do of this one.
  mutating func take(for home: Int?, foreign: Foreign, isLast: Bool) -> Range<Int> {
    if let number = home, number < owned, !homes[number].isEmpty {
      let home = homes[number]
      let cost = shape.cost(of: home)
      let share = !isLast ? 1 : hasStarted[number] ? WorkQueue.nextShare : firstShare
      hasStarted[number] = true
      let wanted = atLeastSmallest((cost - beyond[number]) * share, of: cost)
      let piece = limited(front(of: home, cost: wanted), keepingEnd: false)
      homes[number] = piece.upperBound..<home.upperBound
      count(piece)
      return piece
    }
    guard foreign != .nothing else { return 0..<0 }
    var victim: Int?
    var most = 0.0
    for (index, home) in homes.enumerated() where !home.isEmpty && (foreign == .all || index >= owned) {
      let cost = shape.cost(of: home)
      if cost > most {
        most = cost
        victim = index
      }
    }
    guard let victim else { return 0..<0 }
    let home = homes[victim]
    let wanted = atLeastSmallest(most / 2, of: most)
    let kept = front(of: home, cost: most - wanted, allowEmpty: true)
    let piece = limited(kept.upperBound..<home.upperBound, keepingEnd: true)
    homes[victim] = home.lowerBound..<piece.lowerBound
    count(piece)
    return piece
  }

  /// The cost of a piece of what a home has left: not smaller than the smallest piece, and all of it where little more than
  /// that is left.
  private func atLeastSmallest(_ cost: Double, of left: Double) -> Double {
    left <= 1.5 * smallestPiece ? left : max(cost, smallestPiece)
  }

  private mutating func count(_ taken: Range<Int>) {
    left -= taken.count
    leftCost -= shape.cost(of: taken)
  }

  /// Whether so little is left that it is best kept for whoever is done first: less than a smallest piece for each worker.
  var isNearlyEmpty: Bool { leftCost < smallestPiece * Double(owned) }

  /// As much of a piece as one message and its answer carry: whole blocks are left away at one end; and a doubtful
  /// tile goes alone.
  private func limited(_ piece: Range<Int>, keepingEnd: Bool) -> Range<Int> {
    var piece = piece
    for tiles in doubtful where tiles.overlaps(piece) {
      if keepingEnd {
        let last = piece.upperBound - 1
        piece = max(piece.lowerBound, tiles.contains(last) ? last : tiles.upperBound)..<piece.upperBound
      } else {
        let first = piece.lowerBound
        piece = first..<min(piece.upperBound, tiles.contains(first) ? first + 1 : tiles.lowerBound)
      }
    }
    let first = shape.block(ofTile: piece.lowerBound)
    let last = shape.block(ofTile: piece.upperBound - 1)
    var block = keepingEnd ? last : first
    var blocks = 1
    var numbers = shape.blocks[block].width
    while block != (keepingEnd ? first : last) {
      block += keepingEnd ? -1 : 1
      blocks += 1
      numbers += shape.blocks[block].width
      guard blocks <= CoordinationLimits.blocksPerAssignment,
        numbers <= CoordinationLimits.numbersPerAssignment
      else {
        return keepingEnd
          ? shape.firstTiles[block + 1]..<piece.upperBound : piece.lowerBound..<shape.firstTiles[block]
      }
    }
    return piece
  }

  /// The first tiles of a range with about the given cost; at least one tile unless `allowEmpty`.
  private func front(of tiles: Range<Int>, cost: Double, allowEmpty: Bool = false) -> Range<Int> {
    let target = shape.cumulativeCosts[tiles.lowerBound] + cost
    let end = WorkQueue.rounded(shape.boundary(atCost: target, in: tiles), in: tiles, parts: 2, of: shape)
    if allowEmpty { return tiles.lowerBound..<min(end, tiles.upperBound - 1) }
    return tiles.lowerBound..<max(end, tiles.lowerBound + 1)
  }

  /// A piece's end nearby, where few subtrees cover the piece: each of them is a sum on its way back.
  ///
  /// - Parameter parts: of which power of two of parts of the piece, rounded down, the end is a multiple.
  private static func rounded(_ end: Int, in tiles: Range<Int>, parts: Int, of shape: JobShape) -> Int {
    let count = end - tiles.lowerBound
    guard count >= 2 << parts, end < tiles.upperBound else { return end }
    let unit = 1 << (Int.bitWidth - 1 - parts - count.leadingZeroBitCount)
    let block = shape.block(ofTile: end)
    let first = shape.firstTiles[block]
    let last = min(tiles.upperBound, first + shape.blocks[block].tileCount)
    return min(first + (end - first + unit / 2) / unit * unit, last)
  }
}
