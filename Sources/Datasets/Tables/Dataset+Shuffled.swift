extension Dataset {
  /// Calls `body` with every row, `[columns]`, and its number from 0: in order, or in the pseudo-random order of a seed.
  ///
  /// Shuffled rows are written to a file in `folder` first, whose name is gone at once, so that memory stays that of a
  /// shard and each shard is mapped and checked once.
  /// - Throws: `DatasetError.changed` if a shard is not what was imported; what `body` throws.
  func forEachRow(
    shuffledBy seed: UInt64?, scratchFolder folder: String,
    _ body: (UnsafePointer<Double>, Int) throws -> Void
  ) throws {
    guard let seed else { return try forEachRow(body) }
    var scratch = try ScratchRows(folder: folder, columns: manifest.columns.count)
    try forEachRow { row, _ in try scratch.append(row) }
    try scratch.flush()
    let permutation = RowPermutation(count: scratch.count, seed: seed)
    let row = UnsafeMutablePointer<Double>.allocate(capacity: manifest.columns.count)
    defer { row.deallocate() }
    for position in 0..<scratch.count {
      let source = permutation.source(of: position)
      try scratch.read(source, into: row)
      try body(row, source)
    }
  }
}

extension DesignManifest {
  /// The row of the table that a row of the design was made from.
  public func sourceRow(of position: Int) -> Int {
    shuffleSeed.map { RowPermutation(count: rows, seed: $0).source(of: position) } ?? position
  }
}
