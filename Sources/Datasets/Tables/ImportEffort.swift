/// With what an import works; its result does not depend on it.
public struct ImportEffort: Sendable {
  /// Threads that read records; with one they are read by the calling thread.
  public var threads: Int
  /// Whether what an import wrote stays when its process is killed, for the next one to go on.
  public var isResumable: Bool
  /// Told what is worth telling.
  public var progress: (@Sendable (String) -> Void)?
  /// Bytes of CSV text that a thread reads at once, about.
  package var chunkBytes = DatasetLimits.readBufferBytes
  /// Bytes of CSV text at most in which a place must be found where a record ends.
  package var chunkLimit = DatasetLimits.chunkBytes
  /// Bytes of rows between two entries of the journal where no shards are completed.
  package var journalBytes = ImportJournal.intervalBytes

  /// - Parameter threads: nil for as many as this process may use cores.
  public init(
    threads: Int? = nil, isResumable: Bool = true, progress: (@Sendable (String) -> Void)? = nil
  ) {
    self.threads = threads ?? WorkerThreads.usual
    self.isResumable = isResumable
    self.progress = progress
  }
}

/// The rows that an interrupted import left are not what it wrote.
struct UnusableScratch: Error {}
