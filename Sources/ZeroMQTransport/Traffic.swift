/// Frames of messages, by what they take on the wire.
///
/// ZMTP 3 puts 2 bytes before a frame of at most 255 bytes and 9 before a longer one. CURVE makes a command of
/// each frame: 33 bytes more (8 for the name, 8 for the nonce, 16 for the authenticator, 1 for flags).
struct Traffic: Hashable, Sendable {
  private(set) var payloadBytes: UInt64 = 0
  private var plainBytes: UInt64 = 0
  private var encryptedBytes: UInt64 = 0

  static let encryption_bytes = 33

  mutating func add(frameBytes: Int) {
    payloadBytes += UInt64(frameBytes)
    plainBytes += Traffic.wireBytes(frameBytes)
    encryptedBytes += Traffic.wireBytes(frameBytes + Traffic.encryption_bytes)
  }

  /// Bytes on the wire. No sender can use fewer; a careless one uses more.
  func wireBytes(encrypted: Bool) -> UInt64 { encrypted ? encryptedBytes : plainBytes }

  private static func wireBytes(_ frameBytes: Int) -> UInt64 {
    UInt64(frameBytes + (frameBytes <= 255 ? 2 : 9))
  }
}
