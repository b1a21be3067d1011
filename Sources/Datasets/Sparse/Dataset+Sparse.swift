import NumericsKit

/// A row of a sparse table, borrowed from its shard.
struct SparseTableRow {
  let places: UnsafePointer<Int32>
  let numbers: UnsafePointer<Double>
  let count: Int
}

extension Dataset {
  var isSparse: Bool { manifest.nonzeros != nil }

  /// Maps a sparse shard and checks it.
  func mapSparseShard(_ index: Int) throws -> SparseShard {
    let shard = manifest.shards[index]
    let mapped = try SparseShard(
      try MappedFile(path: folder + "/" + shard.file), rows: shard.rows, precision: .float64)
    try mapped.check(sha256: shard.sha256, rows: shard.rows, columns: manifest.columns.count)
    return mapped
  }

  /// Calls `body` with every row of a sparse table and its number from 0: in order, or in the pseudo-random order of a
  /// seed. A shuffle maps all shards at once; what is resident of them the kernel takes back when it needs memory.
  /// - Throws: `DatasetError.changed` if a shard is not what was imported; what `body` throws.
  func forEachSparseRow(
    shuffledBy seed: UInt64? = nil, _ body: (SparseTableRow, Int) throws -> Void
  ) throws {
    func row(_ shard: SparseShard, _ index: Int) -> SparseTableRow {
      let start = Int(shard.offsets[index])
      return SparseTableRow(
        places: shard.places + start,
        numbers: shard.numbers.assumingMemoryBound(to: Double.self) + start,
        count: Int(shard.offsets[index + 1]) - start)
    }
    if let seed {
      let shards = try manifest.shards.indices.map { try mapSparseShard($0) }
      let permutation = RowPermutation(count: manifest.rows, seed: seed)
      for position in 0..<manifest.rows {
        let source = permutation.source(of: position)
        let shard = shards[source / manifest.rowsPerShard]
        try withExtendedLifetime(shard) { try body(row(shard, source % manifest.rowsPerShard), source) }
      }
      return
    }
    var number = 0
    for (index, rows) in manifest.shards.map(\.rows).enumerated() {
      let shard = try mapSparseShard(index)
      for place in 0..<rows {
        try withExtendedLifetime(shard) { try body(row(shard, place), number) }
        number += 1
      }
    }
  }

  /// Calls `body` with every row of a sparse table made dense.
  func forEachRowMadeDense(_ body: (UnsafePointer<Double>, Int) throws -> Void) throws {
    let columns = manifest.columns.count
    let values = UnsafeMutablePointer<Double>.allocate(capacity: columns)
    defer { values.deallocate() }
    values.update(repeating: 0, count: columns)
    try forEachSparseRow { row, number in
      for index in 0..<row.count { values[Int(row.places[index])] = row.numbers[index] }
      try body(values, number)
      for index in 0..<row.count { values[Int(row.places[index])] = 0 }
    }
  }
}
