import NumericsKit

extension Problem {
  /// Shards of the data, by their places, ascending.
  public struct Shards: Hashable, Sendable {
    public var train: [Int] = []
    public var test: [Int] = []
  }

  /// The shards whose rows some nodes of a job's trees read.
  ///
  /// - Parameters:
  ///   - kind: of the job, as it is on the wire.
  ///   - nodes: blocks, and nodes of their trees.
  /// - Throws: ``FitError`` for what is no part of this run's plan.
  public func shards(kind rawKind: UInt8, iteration: Int, nodes: [(block: Int, node: TreeNode)]) throws
    -> Shards
  {
    guard let kind = JobKind(rawValue: rawKind), let plan = plan.job(kind) else {
      throw FitError(.software, "the coordinator asks for a job of kind \(rawKind), which this run has not")
    }
    // New rows are predicted by a coordinator's own workers, which have them.
    let readsTest = kind == .prediction
    guard kind != .empty, kind != .rows, let design = readsTest ? test : train else { return Shards() }
    let (batch, _) = try TileJob.batch(of: self, plan, kind: kind, iteration: iteration, variate: nil)
    let tree = ReductionTree(leafCount: plan.tilesPerBlock)
    let size = design.manifest.rowsPerShard
    var isRead = [Bool](repeating: false, count: design.manifest.shards.count)
    for (block, node) in nodes {
      guard (0..<plan.blockCount).contains(block), tree.contains(node) else {
        throw FitError(.software, "the coordinator asks for a subtree that this run's plan has not")
      }
      for leaf in tree.leaves(of: node) {
        guard case .rows(let rows) = TileJob.tile(plan, batch: batch, block: block, leaf: leaf).part,
          !rows.isEmpty
        else { continue }
        for shard in rows.lowerBound / size...(rows.upperBound - 1) / size
        where isRead.indices.contains(shard) {
          isRead[shard] = true
        }
      }
    }
    let places = isRead.indices.filter { isRead[$0] }
    return readsTest ? Shards(test: places) : Shards(train: places)
  }
}
