/// Numbers the different texts of a column in the order in which they appear.
///
/// Looking up a text that is known allocates nothing.
struct CategoryTable: Sendable {
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

extension CategoryTable {
  /// Adds the categories of another table with their rows, in its order.
  /// - Returns: the code here of each of its codes.
  mutating func add(_ other: CategoryTable) -> [Int] {
    other.forEachSpelling { text, code in
      if self.code(of: text) == nil { _ = add(text, as: other.texts[code]) }
    }
    var codes = [Int](repeating: 0, count: other.texts.count)
    other.forEachSpelling { text, code in codes[code] = self.code(of: text) ?? 0 }
    for code in codes.indices { counts[codes[code]] += other.counts[code] }
    return codes
  }

  /// How many categories, and bytes of their texts, `add` would add.
  func growth(by other: CategoryTable) -> (categories: Int, bytes: Int) {
    var growth = (categories: 0, bytes: 0)
    other.forEachSpelling { text, code in
      guard self.code(of: text) == nil else { return }
      let name = other.texts[code]
      growth.bytes += text.count + name.utf8.count
      if text.elementsEqual(name.utf8) { growth.categories += 1 }
    }
    return growth
  }

  /// Every spelling in the order in which it was added, with its code.
  private func forEachSpelling(_ body: (UnsafeBufferPointer<UInt8>, Int) -> Void) {
    spellings.withUnsafeBufferPointer { all in
      for entry in entries {
        body(UnsafeBufferPointer(rebasing: all[entry.start..<entry.start + entry.count]), entry.code)
      }
    }
  }
}

extension CategoryTable: Codable {
  private enum CodingKeys: CodingKey { case texts, counts, spellings, codes }

  init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    let names = try values.decode([String].self, forKey: .texts)
    let spellings = try values.decode([String].self, forKey: .spellings)
    let codes = try values.decode([Int].self, forKey: .codes)
    let counts = try values.decode([Int].self, forKey: .counts)
    self.init()
    // Adding in the same order gives the same table.
    for (spelling, code) in zip(spellings, codes) {
      guard names.indices.contains(code) else { break }
      var text = spelling
      _ = text.withUTF8 { self.code(of: $0) ?? add($0, as: names[code]) }
    }
    guard texts == names, counts.count == names.count else {
      throw DecodingError.dataCorruptedError(
        forKey: .texts, in: values, debugDescription: "categories that don't fit together")
    }
    self.counts = counts
  }

  func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    var spellings: [String] = []
    var codes: [Int] = []
    forEachSpelling { text, code in
      spellings.append(String(decoding: text, as: UTF8.self))
      codes.append(code)
    }
    try values.encode(texts, forKey: .texts)
    try values.encode(counts, forKey: .counts)
    try values.encode(spellings, forKey: .spellings)
    try values.encode(codes, forKey: .codes)
  }
}
