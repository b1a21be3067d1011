/// Writes the journal of an import as its shards are completed.
struct ImportLog {
  private struct Point {
    let mark: CSVMark
    let statistics: ColumnStatistics.Snapshot
  }

  private let key: String
  private let rowsPerShard: Int
  private let isKept: Bool
  /// Shards that the journal tells of.
  private var shards: Int
  /// The last place from which reading can go on.
  private var last: Point?
  /// The one before the end of each shard that is on its way to the disk.
  private var ends: [Point?] = []

  /// - Parameter shards: how many there are already.
  init(key: String, rowsPerShard: Int, isKept: Bool, shards: Int) {
    self.key = key
    self.rowsPerShard = rowsPerShard
    self.isKept = isKept
    self.shards = shards
  }

  /// Remembers a place from which reading can go on.
  mutating func pass(_ mark: CSVMark?, _ statistics: borrowing ColumnStatistics) {
    guard isKept else { return }
    last = mark.map { Point(mark: $0, statistics: statistics.snapshot()) }
  }

  /// Takes note of a row that went to `writer`, the `rows`-th of all; writes the journal once another shard is written.
  mutating func endRow(
    _ rows: Int, _ writer: borrowing ShardWriter, _ folder: borrowing StagedFolder
  ) throws {
    guard isKept, rows & (rowsPerShard - 1) == 0 else { return }
    ends.append(last)
    while shards < writer.files.count {
      shards += 1
      let end = ends.removeFirst()
      // Only the last one matters.
      guard shards == writer.files.count, let end else { continue }
      try write(end.mark, end.statistics, writer, scratch: nil, isRead: false, folder)
    }
  }

  /// Writes the journal.
  func write(
    _ mark: CSVMark, _ statistics: ColumnStatistics.Snapshot, _ writer: borrowing ShardWriter,
    scratch: inout ScratchRows, isRead: Bool, _ folder: borrowing StagedFolder
  ) throws {
    let kept = ImportJournal.Scratch(rows: scratch.count, sha256: try scratch.synchronize().description)
    try write(mark, statistics, writer, scratch: kept, isRead: isRead, folder)
  }

  private func write(
    _ mark: CSVMark, _ statistics: ColumnStatistics.Snapshot, _ writer: borrowing ShardWriter,
    scratch: ImportJournal.Scratch?, isRead: Bool, _ folder: borrowing StagedFolder
  ) throws {
    try ImportJournal(
      key: key, mark: mark, statistics: statistics,
      shards: writer.files.map { .init(file: $0.name, rows: $0.rows, sha256: $0.sha256) }, scratch: scratch,
      isRead: isRead
    ).write(folder)
  }
}
