import Foundation
import Reporting

/// Writes and scores predictions on a thread of its own, while the next ones are computed.
///
/// Two jobs' predictions wait at most; whoever brings a third one waits.
final class PredictionSink: @unchecked Sendable {
  // Sendable: `file` and `scores` belong to the blocks of `queue`, which runs one at a time; `stored` is read and
  // written only while `lock` is held.
  private let queue = DispatchQueue(label: "isomix.predictions")
  private let room = DispatchSemaphore(value: 2)
  private let file: PredictionFile
  private let columns: PredictionColumns
  private var scores: PredictionScores?
  private let lock = NSLock()
  private var stored: (any Error)?

  init(_ file: PredictionFile, _ columns: PredictionColumns) {
    self.file = file
    self.columns = columns
    scores = columns.layout.hasScores ? PredictionScores(hasClasses: columns.hasClass) : nil
  }

  /// What ended the writing; the first one stays.
  private var failure: (any Error)? {
    get { lock.withLock { stored } }
    set { lock.withLock { stored = stored ?? newValue } }
  }

  /// Takes rows `[rows, layout.width]`, the next ones.
  /// - Throws: what writing earlier rows threw.
  func append(_ numbers: [Double]) throws {
    room.wait()
    queue.async { [self] in
      defer { room.signal() }
      guard failure == nil else { return }
      do {
        try file.append(numbers)
        scores?.add(numbers, columns: columns)
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
  }

  /// Ends the file.
  /// - Returns: the scores of the rows that were written, where there are responses.
  /// - Throws: what writing rows threw, unless it is that their reader has read enough.
  func finish() throws -> PredictionScores? {
    let scores = queue.sync { self.scores }
    if let failure, !(failure is OutputFile.ReaderGone) { throw failure }
    try file.finish()
    return scores
  }

  /// Removes what was written; waits for nothing, because standard output may be read by nobody.
  func discard() {
    failure = CancellationError()
    file.discard()
  }
}
