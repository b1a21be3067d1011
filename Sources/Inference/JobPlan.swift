import NumericsKit
import Mixtures
import Posteriors

/// One tile: some components' samples, over the base of the target or over some rows.
public struct Tile: Hashable, Sendable {
  public enum Part: Hashable, Sendable {
    /// The mixture's own score and density, and the target's part without data.
    case base
    /// Rows of the data set.
    case rows(Range<Int>)
  }

  public var components: Range<Int>
  public var samples: Range<Int>
  public var part: Part
}

/// How one kind of job is cut into blocks and tiles.
///
/// *Blocks* are groups of components (for the objective: of components × samples) whose sums are reduced
/// together; the tiles of a block are the leaves of its reduction tree, ordered by components, then samples, then base
/// before rows. A curvature has one block; of points, each is a component with one sample. Predicted rows are not
/// summed: each block is one tile.
///
/// Where coordinates have mixtures of their own, a sample belongs to no component: "components" × samples are N places in each
/// of B blocks of samples, and a gradient has one block of sums, to which every tile adds.
public struct JobPlan: Sendable, Hashable, Codable {
  public var kind: JobKind
  /// Components, N; for points their number.
  public var components: Int
  /// Samples of each component (prediction, rows: draws in all; curvature: pairs).
  public var samples: Int
  /// Rows of the data set; 0 without data. Of predicted rows those of one job.
  public var rows: Int
  /// Numbers in the sums of a component: d + 2 (full covariances: d + d² + 1; coordinates with mixtures of their own:
  /// 2d), or of a point: d + 1; of a curvature as a whole; of a predicted row.
  public var unitWidth: Int
  public var factorization: Factorization
  public var componentsPerBlock: Int
  public var samplesPerTile: Int
  public var rowsPerTile: Int
  /// Rows that a gradient is estimated from, about: a whole number of tiles, drawn anew in each iteration. Nil: all rows.
  public var batchRows: Int? = nil

  /// Whether the cut is one of a problem's components into pieces of at least one.
  func isCut(of problem: ProblemSize) -> Bool {
    (kind == .points ? problem.searchPoints : problem.components) == components
      && (kind == .rows || unitWidth == JobPlan.unitWidth(kind, problem))
      && factorization == problem.factorization
      && [components, samples, unitWidth, componentsPerBlock, samplesPerTile, rowsPerTile].allSatisfy {
        (1...JobPlan.largestCount).contains($0)
      } && (0...JobPlan.mostRows).contains(rows) && (1...max(1, rows)).contains(batchRows ?? 1)
  }

  static func unitWidth(_ kind: JobKind, _ problem: ProblemSize) -> Int {
    switch kind {
    case .curvature:
      problem.metric == .dense ? problem.dimension * problem.dimension : problem.dimension
    case .points, .reference: problem.dimension + 1
    case _ where problem.factorization == .coordinates: 2 * problem.dimension
    default:
      problem.fullCovariances
        ? problem.dimension * (problem.dimension + 1) + 1 : problem.dimension + 2
    }
  }

  /// More than any fit has; keeps products of two far from overflow.
  private static let largestCount = 1 << 31
  private static let mostRows = 1 << 40

  /// Whether all tiles of the job are the leaves of one tree.
  private var hasOneTree: Bool {
    kind == .curvature || (factorization == .coordinates && (kind == .gradient || kind == .empty))
  }

  private var componentBlocks: Int { ceilingDivision(components, componentsPerBlock) }
  private var sampleTiles: Int { ceilingDivision(samples, samplesPerTile) }
  /// Tiles of the data set's rows.
  var rowTiles: Int { ceilingDivision(rows, rowsPerTile) }

  /// Tiles of a gradient that evaluate the base of the target.
  var baseTiles: Int { componentBlocks * sampleTiles }

  /// Number of blocks.
  public var blockCount: Int {
    switch kind {
    case .empty, .gradient, .points, .reference: hasOneTree ? 1 : componentBlocks
    case .objective: componentBlocks * sampleTiles
    case .prediction, .curvature: 1
    case .rows: rowTiles
    }
  }

  /// Tiles of every block: the leaves of its reduction tree.
  public var tilesPerBlock: Int {
    switch kind {
    case .empty, .gradient: (hasOneTree ? componentBlocks : 1) * sampleTiles * (1 + drawnTiles)
    case .curvature: componentBlocks * sampleTiles * (1 + rowTiles)
    case .objective, .points: 1 + rowTiles
    case .prediction, .reference: rowTiles
    case .rows: 1
    }
  }

  /// The components of a block.
  public func components(ofBlock block: Int) -> Range<Int> {
    switch kind {
    case .empty, .gradient, .points, .reference:
      hasOneTree ? 0..<components : part(block, of: components, by: componentsPerBlock)
    case .objective: part(block / sampleTiles, of: components, by: componentsPerBlock)
    case .prediction, .curvature, .rows: 0..<components
    }
  }

  /// Numbers that a block's sums have.
  public func width(ofBlock block: Int) -> Int {
    switch kind {
    case .empty, .gradient, .points, .reference: components(ofBlock: block).count * unitWidth
    case .curvature: unitWidth
    case .objective:
      components(ofBlock: block).count
        * part(block % sampleTiles, of: samples, by: samplesPerTile).count
    case .prediction: PredictiveScores.width
    case .rows: rowsPerTile * unitWidth
    }
  }

  /// The tile at a leaf of a block's tree; of a minibatch's tiles, the one that stands at its place when the first ones
  /// are drawn.
  public func tile(block: Int, leaf: Int) -> Tile {
    switch kind {
    case .empty where !hasOneTree, .gradient where !hasOneTree:
      return Tile(
        components: components(ofBlock: block),
        samples: part(leaf / (1 + drawnTiles), of: samples, by: samplesPerTile),
        part: tilePart(leaf % (1 + drawnTiles)))
    case .empty, .gradient, .curvature:
      let rowTiles = kind == .curvature ? rowTiles : drawnTiles
      let place = leaf / (1 + rowTiles)
      return Tile(
        components: part(place / sampleTiles, of: components, by: componentsPerBlock),
        samples: part(place % sampleTiles, of: samples, by: samplesPerTile),
        part: tilePart(leaf % (1 + rowTiles)))
    case .objective:
      return Tile(
        components: components(ofBlock: block),
        samples: part(block % sampleTiles, of: samples, by: samplesPerTile), part: tilePart(leaf))
    case .points:
      return Tile(components: components(ofBlock: block), samples: 0..<1, part: tilePart(leaf))
    case .reference:
      return Tile(components: components(ofBlock: block), samples: 0..<1, part: tilePart(leaf + 1))
    case .prediction:
      return Tile(components: 0..<components, samples: 0..<samples, part: tilePart(leaf + 1))
    case .rows:
      return Tile(components: 0..<components, samples: 0..<samples, part: tilePart(block + 1))
    }
  }

  /// The samples of a block of the objective.
  public func samples(ofObjectiveBlock block: Int) -> Range<Int> {
    part(block % sampleTiles, of: samples, by: samplesPerTile)
  }

  /// The base at place 0, then tiles of rows in their order.
  func tilePart(_ place: Int) -> Tile.Part {
    place == 0 ? .base : .rows(part(place - 1, of: rows, by: rowsPerTile))
  }

  private func part(_ index: Int, of count: Int, by size: Int) -> Range<Int> {
    index * size..<min((index + 1) * size, count)
  }
}

/// `⌈numerator / denominator⌉` for a positive denominator.
func ceilingDivision(_ numerator: Int, _ denominator: Int) -> Int {
  (numerator + denominator - 1) / denominator
}
