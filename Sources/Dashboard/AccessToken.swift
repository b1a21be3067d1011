/// The secret that requests must carry.
package struct AccessToken: Sendable {
  private let bytes: [UInt8]

  package init(_ text: String) { bytes = Array(text.utf8) }

  /// Whether a given text is the secret, in a time that depends on the given text's length alone.
  package func matches(_ given: String) -> Bool {
    let given = Array(given.utf8)
    guard !bytes.isEmpty else { return false }
    var difference = UInt8(given.count == bytes.count ? 0 : 1)
    for (place, byte) in given.enumerated() { difference |= byte ^ bytes[place % bytes.count] }
    return difference == 0 && given.count == bytes.count
  }
}
