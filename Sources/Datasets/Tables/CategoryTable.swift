/// Numbers the different texts of a column in the order in which they appear.
///
/// Looking up a text that is known allocates nothing.
struct CategoryTable {
  /// The categories, by code.
  private(set) var texts: [String] = []
  /// The rows of each category, by code.
  var counts: [Int] = []
  /// Bytes of all texts.
  private(set) var byteCount = 0

  // Every spelling that was seen, one after the other, and which category each one stands for.
  private var spellings: [UInt8] = []
  private var entries: [(start: Int, count: Int, code: Int)] = []
  // Open addressing: index of an entry plus one, 0 where free. Always at least twice as long as `entries`.
  private var slots = [Int32](repeating: 0, count: 16)

  /// The code of a text that was added before.
  func code(of text: UnsafeBufferPointer<UInt8>) -> Int? {
    let slot = slots[self.slot(of: text)]
    return slot == 0 ? nil : entries[Int(slot) - 1].code
  }

  /// Adds the spelling `text` of category `name`, which may be known under other spellings.
  mutating func add(_ text: UnsafeBufferPointer<UInt8>, as name: String) -> Int {
    let code: Int
    if text.elementsEqual(name.utf8) {
      code = texts.count
      texts.append(name)
      counts.append(0)
    } else {
      let canonical = Array(name.utf8)
      code = canonical.withUnsafeBufferPointer { self.code(of: $0) ?? add($0, as: name) }
    }
    byteCount += text.count + name.utf8.count
    entries.append((spellings.count, text.count, code))
    spellings.append(contentsOf: text)
    if 2 * entries.count > slots.count { grow() } else { slots[slot(of: text)] = Int32(entries.count) }
    return code
  }

  private func slot(of text: UnsafeBufferPointer<UInt8>) -> Int {
    var index = CategoryTable.hash(text) & (slots.count - 1)
    while slots[index] != 0 {
      let entry = entries[Int(slots[index]) - 1]
      if entry.count == text.count, spellings[entry.start..<entry.start + entry.count].elementsEqual(text) {
        break
      }
      index = (index + 1) & (slots.count - 1)
    }
    return index
  }

  private mutating func grow() {
    slots = [Int32](repeating: 0, count: 2 * slots.count)
    for index in entries.indices {
      let entry = entries[index]
      spellings.withUnsafeBufferPointer { all in
        let text = UnsafeBufferPointer(rebasing: all[entry.start..<entry.start + entry.count])
        slots[slot(of: text)] = Int32(index + 1)
      }
    }
  }

  /// FNV-1a, 64 bits.
  private static func hash(_ text: UnsafeBufferPointer<UInt8>) -> Int {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in text { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    return Int(truncatingIfNeeded: hash ^ hash >> 32)
  }
}
