import Wire

/// The bulk that was sent last, as frames that libzmq holds once for all peers.
struct SharedBulk {
  private var last: (bytes: [UInt8], frames: [SharedFrame])?

  /// Smaller bulks are copied: that is cheaper than reference counting.
  private static let sharedFrom_bytes = 4096

  /// The bulk's frames in shared memory when it is large enough for that to pay.
  mutating func frames(of bulk: [UInt8]) throws -> [SharedFrame]? {
    guard bulk.count > SharedBulk.sharedFrom_bytes else { return nil }
    if let last, last.bytes.count == bulk.count, SharedBulk.same(last.bytes, bulk) { return last.frames }
    var frames: [SharedFrame] = []
    try bulk.withUnsafeBytes { bytes in
      for first in stride(from: 0, to: bytes.count, by: WireLimits.frameBytes) {
        let end = min(first + WireLimits.frameBytes, bytes.count)
        frames.append(try SharedFrame(UnsafeRawBufferPointer(rebasing: bytes[first..<end])))
      }
    }
    last = (bulk, frames)
    return frames
  }

  /// Whether two arrays are the same storage (holding one of them keeps it alive and unchanged).
  private static func same(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    left.withUnsafeBytes { left in right.withUnsafeBytes { left.baseAddress == $0.baseAddress } }
  }
}
