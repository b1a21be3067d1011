import NumericsKit

/// Everything that happens in a run, a line an event, and a digest of it: two runs with the same digest went the same
/// way.
struct EventLog {
  /// The lines, when they are kept.
  private(set) var lines: [String] = []
  private(set) var count = 0
  private let keepsLines: Bool
  private var chain: [UInt8] = []
  private var open: [UInt8] = []

  private static let chunkBytes = 1 << 16

  init(keepsLines: Bool) { self.keepsLines = keepsLines }

  mutating func append(_ time: UInt64, _ text: String) {
    let microseconds = time / 1_000
    let fraction = String(microseconds % 1_000_000)
    let line =
      "\(microseconds / 1_000_000).\(String(repeating: "0", count: 6 - fraction.count))\(fraction) \(text)"
    count += 1
    open += line.utf8
    open.append(UInt8(ascii: "\n"))
    if open.count > EventLog.chunkBytes { close() }
    if keepsLines { lines.append(line) }
  }

  private mutating func close() {
    chain = Digest.of(chain + open).bytes
    open = []
  }

  /// SHA-256 of all lines, chained over chunks.
  mutating func digest() -> String {
    close()
    return Digest.of(chain).description
  }
}
