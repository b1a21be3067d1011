/// A part of a file of the fit's data, named by what the file holds: no path ever comes from a peer.
public struct ShardRequest: Hashable, Sendable {
  /// SHA-256 of the file, ``byteCount`` bytes.
  public var digest: [UInt8]
  /// Where the part begins: a multiple of ``WireLimits/frameBytes``.
  public var offset: UInt64

  /// Bytes of a digest.
  public static let byteCount = 32

  public init(digest: [UInt8], offset: UInt64) {
    self.digest = digest
    self.offset = offset
  }
}

/// A part of a file: ``WireLimits/frameBytes`` bytes, or what is left at the file's end.
public struct ShardPart: Hashable, Sendable {
  /// SHA-256 of the whole file.
  public var digest: [UInt8]
  public var offset: UInt64
  /// Bytes of the whole file.
  public var fileBytes: UInt64
  /// Sent back by who has read the part: nobody can guess it, so that a peer that reads nothing gets nothing more.
  public var ticket: UInt64
  public var bytes: [UInt8]

  public init(digest: [UInt8], offset: UInt64, fileBytes: UInt64, ticket: UInt64, bytes: [UInt8]) {
    self.digest = digest
    self.offset = offset
    self.fileBytes = fileBytes
    self.ticket = ticket
    self.bytes = bytes
  }

  /// Bytes of the part of a file that begins at an offset; nil where none does.
  public static func byteCount(at offset: UInt64, of fileBytes: UInt64) -> Int? {
    guard offset % UInt64(WireLimits.frameBytes) == 0, offset < fileBytes else { return nil }
    return Int(min(UInt64(WireLimits.frameBytes), fileBytes - offset))
  }
}

/// Why a worker can't have a part of a file.
public struct ShardRefusal: Hashable, Sendable {
  public var digest: [UInt8]
  public var message: String

  public init(digest: [UInt8], message: String) {
    self.digest = digest
    self.message = message
  }
}

extension Message {
  static func encode(_ request: ShardRequest, into body: inout ByteWriter) {
    body.append(fixed(request.digest))
    body.append(request.offset)
  }

  static func encode(_ part: ShardPart, into body: inout ByteWriter) {
    body.append(fixed(part.digest))
    body.append(part.offset)
    body.append(part.fileBytes)
    body.append(part.ticket)
  }

  static func encode(_ refusal: ShardRefusal, into body: inout ByteWriter) {
    body.append(fixed(refusal.digest))
    let text = Array(shortened(refusal.message).utf8)
    body.append(UInt32(text.count))
    body.append(text)
  }

  static func decodeShardRequest(_ body: [UInt8]) throws(WireError) -> ShardRequest {
    try reading(body) { (reader: inout ByteReader) throws(WireError) in
      ShardRequest(digest: try reader.bytes(ShardRequest.byteCount), offset: try reader.integer())
    }
  }

  static func decodeShardPart(_ body: [UInt8], bytes: [UInt8]) throws(WireError) -> ShardPart {
    let part = try reading(body) { (reader: inout ByteReader) throws(WireError) in
      ShardPart(
        digest: try reader.bytes(ShardRequest.byteCount), offset: try reader.integer(),
        fileBytes: try reader.integer(), ticket: try reader.integer(), bytes: bytes)
    }
    guard part.fileBytes <= UInt64(WireLimits.shardFileBytes) else {
      throw WireError(
        .limit, "a file of \(part.fileBytes) bytes is over the limit of \(WireLimits.shardFileBytes)")
    }
    guard let count = ShardPart.byteCount(at: part.offset, of: part.fileBytes), count == bytes.count else {
      throw WireError(
        .malformed,
        "\(bytes.count) bytes are no part of a file of \(part.fileBytes) bytes at \(part.offset)")
    }
    return part
  }

  static func decodeShardReceived(_ body: [UInt8]) throws(WireError) -> UInt64 {
    try reading(body) { (reader: inout ByteReader) throws(WireError) in try reader.integer() }
  }

  static func decodeShardRefusal(_ body: [UInt8]) throws(WireError) -> ShardRefusal {
    try reading(body) { (reader: inout ByteReader) throws(WireError) in
      let digest = try reader.bytes(ShardRequest.byteCount)
      let count: UInt32 = try reader.integer()
      guard count <= WireLimits.textBytes else {
        throw WireError(.limit, "a text of \(count) bytes is over the limit of \(WireLimits.textBytes)")
      }
      return ShardRefusal(
        digest: digest, message: String(decoding: try reader.bytes(Int(count)), as: UTF8.self))
    }
  }

  /// A digest as it is written: as many bytes as one has.
  private static func fixed(_ digest: [UInt8]) -> [UInt8] {
    let padding = [UInt8](repeating: 0, count: ShardRequest.byteCount)
    return Array((digest + padding).prefix(ShardRequest.byteCount))
  }
}
