import Foundation

/// Which shards stay mapped where not all may.
///
/// Rows are gone through again and again in about the same order, for which dropping the least recently used shard
/// would drop each one just before it is needed. So the first shards stay, up to three quarters of the budget, and the
/// others take turns in the rest.
final class MappingBudget: @unchecked Sendable {
  // Sendable: all that changes is read and written only while `lock` is held.
  private let lock = NSLock()
  private let stayingBytes: Int
  private let turningBytes: Int
  private var staying: Set<Int> = []
  private var stayed = 0
  /// Shards that take turns, the one mapped first in front.
  private var turning: [(index: Int, bytes: Int)] = []
  private var turned = 0

  init(bytes: Int) {
    stayingBytes = bytes / 4 * 3
    turningBytes = bytes - stayingBytes
  }

  /// Takes note that a shard is mapped.
  /// - Returns: the shards to unmap for it. Whoever uses one of them still has it until done.
  func admit(_ index: Int, bytes: Int) -> [Int] {
    lock.withLock {
      if staying.contains(index) || turning.contains(where: { $0.index == index }) { return [] }
      if stayed + bytes <= stayingBytes {
        staying.insert(index)
        stayed += bytes
        return []
      }
      turning.append((index, bytes))
      turned += bytes
      var dropped: [Int] = []
      while turned > turningBytes, turning.count > 1 {
        let first = turning.removeFirst()
        turned -= first.bytes
        dropped.append(first.index)
      }
      return dropped
    }
  }

  /// Takes note that a shard was unmapped by somebody else. Its share is not given to another one.
  func forget(_ index: Int) {
    lock.withLock {
      if let place = turning.firstIndex(where: { $0.index == index }) {
        turned -= turning.remove(at: place).bytes
      }
    }
  }
}
