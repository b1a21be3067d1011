import Foundation
import NumericsKit

/// Every bound of this module, in one place. Memory never grows with the size of the input beyond these.
public enum DatasetLimits {
  /// Bytes read from a file at a time.
  public static let readBufferBytes = 1 << 20
  /// Bytes of one CSV field at most.
  public static let fieldBytes = 1 << 16
  /// Bytes of one CSV record at most.
  public static let recordBytes = 1 << 24
  /// Bytes of CSV text in which a place must be found where a record ends, for threads to read records at once.
  public static let chunkBytes = 1 << 25
  /// Bytes of a column name or of a category's text at most.
  public static let nameBytes = 1 << 10
  /// Columns of a table at most.
  public static let columns = 1 << 16
  /// Different values of one categorical column at most.
  public static let categories = 1 << 16
  /// Bytes of the texts of all categories of a table at most.
  public static let categoryBytes = 1 << 26
  /// Classes of a response at most.
  public static let classes = 1000
  /// Bytes of an NPY header at most.
  public static let npyHeaderBytes = 1 << 16
  /// Bytes of a manifest at most.
  public static let manifestBytes = 1 << 26
  /// Shards of a table at most.
  public static let shards = 1 << 20
  /// Rows of a table at most: row numbers stay exact in a `Double`.
  public static let rows = 1 << 52
  /// Bytes that a shard is made to have, about.
  public static let shardBytes = 1 << 25
  /// Bytes of a shard at most, when the number of rows a shard is chosen by the user.
  public static let chosenShardBytes = 1 << 30
  /// Bytes of a design's shards that a process keeps mapped at once, about; `ISOMIX_MAPPED_LIMIT` says otherwise.
  public static let mappedBytes =
    ProcessInfo.processInfo.environment["ISOMIX_MAPPED_LIMIT"].flatMap { ByteSize($0)?.bytes } ?? 1 << 30
  /// Files of one source at most.
  public static let files = 1 << 16
  /// Files that are kept open to be sent to workers at most.
  public static let servedFiles = 32
  /// Entries of the cache's index of digests at most.
  public static let indexEntries = 1 << 14

  /// Rows a shard: the largest power of two with which a shard stays within `shardBytes`.
  static func rowsPerShard(bytesPerRow: Int) -> Int {
    let rows = max(1, shardBytes / max(1, bytesPerRow))
    return 1 << (Int.bitWidth - 1 - rows.leadingZeroBitCount)
  }
}
