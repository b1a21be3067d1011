import Foundation
import NumericsKit

/// Digests of files that were computed before, so that large files are not read at every run.
///
/// Only a hint: an entry counts while path, size, inode and both times of the file are what they were, and nothing
/// depends on the index being there, whole or current.
struct DigestIndex {
  private struct Entry: Codable {
    let path: String
    let byteCount: Int
    let inode: UInt64
    let modifiedNanoseconds: Int64
    let changedNanoseconds: Int64
    let sha256: String
  }

  /// A file that changed this recently may change again within the resolution of its times.
  private static let settlingNanoseconds: Int64 = 2_000_000_000
  private let file: String
  private var entries: [String: Entry] = [:]
  private var isChanged = false

  init(file: String) {
    self.file = file
    guard let bytes = try? FileSystem.readWhole(file, limit: DatasetLimits.manifestBytes),
      let list = try? JSONDecoder().decode([Entry].self, from: Data(bytes))
    else { return }
    for entry in list where Digest(hexadecimal: entry.sha256) != nil { entries[entry.path] = entry }
  }

  /// The digest of a file, from the index or from its bytes.
  mutating func digest(of path: String) throws -> String {
    let absolute = URL(fileURLWithPath: path).path
    let before = FileSystem.status(path)
    if let before, let entry = entries[absolute], DigestIndex.describes(entry, before) { return entry.sha256 }
    let source = try FileByteSource(path: path)
    let digest = try source.finish().digest.description
    guard let before, before == FileSystem.status(path) else { return digest }
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    let ageNanoseconds =
      FileSystem.nanoseconds(now) - max(before.modifiedNanoseconds, before.changedNanoseconds)
    if ageNanoseconds > DigestIndex.settlingNanoseconds, entries.count < DatasetLimits.indexEntries {
      entries[absolute] = Entry(
        path: absolute, byteCount: before.byteCount, inode: before.inode,
        modifiedNanoseconds: before.modifiedNanoseconds,
        changedNanoseconds: before.changedNanoseconds, sha256: digest)
      isChanged = true
    }
    return digest
  }

  /// Writes what was learned. A failure costs time at the next run and nothing else.
  mutating func save() {
    guard isChanged else { return }
    entries = entries.filter { FileSystem.status($0.key).map { $0.isRegular } ?? false }
    let list = entries.values.sorted { $0.path < $1.path }
    guard let data = try? JSONEncoder().encode(list) else { return }
    try? data.write(to: URL(fileURLWithPath: file), options: .atomic)
    isChanged = false
  }

  private static func describes(_ entry: Entry, _ status: FileSystem.Status) -> Bool {
    entry.byteCount == status.byteCount && entry.inode == status.inode
      && entry.modifiedNanoseconds == status.modifiedNanoseconds
      && entry.changedNanoseconds == status.changedNanoseconds
  }
}
