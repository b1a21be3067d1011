/// Puts together the parts of one peer's messages, which arrive in order.
///
/// Memory grows with what has arrived, never with what a header announces, and never over `bulkLimit`.
public struct MessageAssembler: Sendable {
  /// Bytes of bulk that the peer may send in one message.
  public var bulkLimit: Int
  private var pending: (header: Header, body: [UInt8], bulk: [UInt8])?

  public init(bulkLimit: Int) { self.bulkLimit = bulkLimit }

  /// Takes the frames of one physical message; returns the message that it completes, if any.
  /// - Throws: ``WireError``; the peer's stream can't be trusted afterwards, unless the code is `unwanted`: a part
  ///   of more bulk than the peer may send (any more) is left away, and what comes next is read.
  public mutating func accept(_ frames: [UnsafeRawBufferPointer]) throws(WireError) -> Message? {
    guard frames.count == WireLimits.framesPerMessage else {
      throw WireError(
        .malformed, "a message has \(WireLimits.framesPerMessage) frames, this one \(frames.count)")
    }
    for frame in frames where frame.count > WireLimits.frameBytes {
      throw WireError(
        .limit, "a frame of \(frame.count) bytes is over the limit of \(WireLimits.frameBytes)")
    }
    let header = try Header(decoding: frames[0])
    guard header.part == 0 || frames[1].isEmpty else {
      throw WireError(.malformed, "only the first part of a message has a body")
    }
    guard header.bulkBytes <= UInt64(bulkLimit) else {
      pending = nil
      throw WireError(
        .unwanted, "\(header.bulkBytes) bytes of bulk are over this peer's limit of \(bulkLimit)")
    }
    let expected = min(
      WireLimits.frameBytes, Int(header.bulkBytes) - Int(header.part) * WireLimits.frameBytes)
    guard frames[2].count == expected else {
      throw WireError(
        .malformed,
        "part \(header.part) of \(header.partCount) has \(frames[2].count) bytes of bulk where \(expected) belong"
      )
    }
    if header.part == 0 {
      guard pending == nil else {
        throw WireError(.malformed, "a message starts before the one before it is complete")
      }
      pending = (header, Array(frames[1]), Array(frames[2]))
    } else {
      guard let started = pending?.header, started.part + 1 == header.part, started.isSameMessage(as: header)
      else {
        throw WireError(.malformed, "part \(header.part) follows nothing that it belongs to")
      }
      pending?.header = header
      pending?.bulk.append(contentsOf: frames[2])
    }
    guard header.part + 1 == header.partCount, let complete = pending else { return nil }
    pending = nil
    return try Message(header: complete.header, body: complete.body, bulk: complete.bulk)
  }
}

extension Header {
  /// Whether two parts belong to one message.
  fileprivate func isSameMessage(as other: Header) -> Bool {
    var mine = self
    mine.part = other.part
    return mine == other
  }
}
