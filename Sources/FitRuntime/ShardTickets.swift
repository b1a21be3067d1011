/// What makes the tickets of parts of files unknown to workers before they have read the parts.
enum ShardTickets {
  /// Random bytes.
  static func secret() -> [UInt8] { (0..<16).map { _ in UInt8.random(in: 0...255) } }
}
