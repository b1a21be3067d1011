import Foundation

/// The checkpoints of a run: written whole or not at all, the newest two kept.
public struct CheckpointStore: Sendable {
  /// The folder `checkpoint` of a run.
  public let folder: String

  private static let kept = 2
  private static let suffix = ".checkpoint"

  public init(runFolder: String) { folder = runFolder + "/checkpoint" }

  /// Writes a checkpoint and removes those that are not needed any more.
  /// - Throws: ``ReportingError`` when it can't be written; older ones are kept then.
  public func write(_ checkpoint: Checkpoint) throws {
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    } catch {
      throw ReportingError(.cannotWrite, "can't make the folder \(folder)")
    }
    let digits = String(checkpoint.header.course.iteration)
    let name = String(repeating: "0", count: max(0, 12 - digits.count)) + digits + CheckpointStore.suffix
    try RunFolder.write(try checkpoint.encoded(), to: "\(folder)/\(name)")
    for old in names.dropLast(CheckpointStore.kept) {
      try? FileManager.default.removeItem(atPath: "\(folder)/\(old)")
    }
  }

  /// The newest checkpoint that is whole, and a sentence about each newer one that is not.
  public func newest() -> (checkpoint: Checkpoint?, refused: [String]) {
    var refused: [String] = []
    for name in names.reversed() {
      let path = "\(folder)/\(name)"
      do {
        guard let data = FileManager.default.contents(atPath: path) else {
          throw ReportingError(.noInput, "it can't be read")
        }
        return (try Checkpoint(decoding: Array(data)), refused)
      } catch let error as ReportingError {
        refused.append("the checkpoint \(path) is not used: \(error.message)")
      } catch {
        refused.append("the checkpoint \(path) is not used: it can't be read")
      }
    }
    return (nil, refused)
  }

  /// Names of the checkpoints, oldest first: they count iterations with leading zeros.
  private var names: [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [])
      .filter { $0.hasSuffix(CheckpointStore.suffix) }.sorted { ($0.count, $0) < ($1.count, $1) }
  }
}
