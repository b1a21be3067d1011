/// The fixed first frame of every message, 64 bytes, little-endian:
///
/// | offset | bytes | field |
/// |---|---|---|
/// | 0 | 4 | magic `ISMX` |
/// | 4 | 2 | protocol version |
/// | 6 | 2 | message kind |
/// | 8 | 16 | run |
/// | 24 | 8 | epoch: which incarnation of the coordinator |
/// | 32 | 8 | job |
/// | 40 | 8 | assignment |
/// | 48 | 4 | part of the bulk, from 0 |
/// | 52 | 4 | session: which registration of a worker, as its welcome numbered it; 0 before |
/// | 56 | 8 | bytes of the bulk over all parts, which fixes their number |
public struct Header: Hashable, Sendable {
  public var kind: MessageKind
  public var run: RunID
  public var epoch: UInt64
  public var job: UInt64
  public var assignment: UInt64
  public var part: UInt32
  public var session: UInt32
  public var bulkBytes: UInt64

  public static let byteCount = 64
  public static let magic: [UInt8] = Array("ISMX".utf8)
  /// Raised whenever the meaning of a message changes. Headers keep their place over versions, so that a
  /// refusal can always be read.
  public static let protocolVersion: UInt16 = 6

  public init(
    kind: MessageKind, run: RunID, epoch: UInt64, session: UInt32 = 0, job: UInt64 = 0,
    assignment: UInt64 = 0, part: UInt32 = 0, bulkBytes: UInt64 = 0
  ) {
    self.kind = kind
    self.run = run
    self.epoch = epoch
    self.job = job
    self.assignment = assignment
    self.part = part
    self.session = session
    self.bulkBytes = bulkBytes
  }

  /// The 64 bytes of the frame.
  public func encoded() -> [UInt8] {
    var writer = ByteWriter(capacity: Header.byteCount)
    writer.append(Header.magic)
    writer.append(Header.protocolVersion)
    writer.append(kind.rawValue)
    writer.append(run.bytes)
    writer.append(epoch)
    writer.append(job)
    writer.append(assignment)
    writer.append(part)
    writer.append(session)
    writer.append(bulkBytes)
    return writer.bytes
  }

  /// Reads and checks a frame.
  /// - Throws: ``WireError`` that says which field is wrong.
  public init(decoding frame: UnsafeRawBufferPointer) throws(WireError) {
    guard frame.count == Header.byteCount else {
      throw WireError(.malformed, "a header has \(Header.byteCount) bytes, this one \(frame.count)")
    }
    var reader = ByteReader(frame)
    guard try reader.bytes(4) == Header.magic else {
      throw WireError(.malformed, "the header does not start with the magic bytes ISMX")
    }
    let version: UInt16 = try reader.integer()
    guard version == Header.protocolVersion else {
      throw WireError(
        .protocolVersion, "the peer speaks protocol \(version), this build \(Header.protocolVersion)")
    }
    let rawKind: UInt16 = try reader.integer()
    guard let kind = MessageKind(rawValue: rawKind) else {
      throw WireError(.malformed, "unknown message kind \(rawKind)")
    }
    self.kind = kind
    self.run = RunID(bytes: try reader.bytes(RunID.byteCount))
    self.epoch = try reader.integer()
    self.job = try reader.integer()
    self.assignment = try reader.integer()
    self.part = try reader.integer()
    self.session = try reader.integer()
    self.bulkBytes = try reader.integer()
    guard bulkBytes <= UInt64(WireLimits.bulkBytes) else {
      throw WireError(.limit, "\(bulkBytes) bytes of bulk are over the limit of \(WireLimits.bulkBytes)")
    }
    guard part < partCount else {
      throw WireError(.malformed, "part \(part) of \(partCount) makes no sense")
    }
  }

  /// Physical messages that the bulk travels in: full frames, and a last one with what is left.
  public var partCount: Int { Header.partCount(bulkBytes: Int(clamping: bulkBytes)) }

  /// Physical messages that a bulk travels in: full frames, and a last one with what is left.
  public static func partCount(bulkBytes: Int) -> Int {
    max(1, (bulkBytes + WireLimits.frameBytes - 1) / WireLimits.frameBytes)
  }
}

/// Which run a message belongs to; all zero before a worker has been told.
public struct RunID: Hashable, Sendable, CustomStringConvertible {
  public let bytes: [UInt8]

  public static let byteCount = 16
  public static let none = RunID(bytes: [UInt8](repeating: 0, count: byteCount))

  /// Takes 16 bytes; shorter ones are filled up with zeros.
  public init(bytes: [UInt8]) {
    self.bytes = Array(
      (bytes + [UInt8](repeating: 0, count: RunID.byteCount)).prefix(RunID.byteCount))
  }

  /// Reads what `description` writes; nil for anything else.
  public init?(_ text: String) {
    let digits = Array(text.utf8)
    guard digits.count == 2 * RunID.byteCount else { return nil }
    var bytes: [UInt8] = []
    for place in stride(from: 0, to: digits.count, by: 2) {
      let pair = String(decoding: digits[place..<place + 2], as: UTF8.self)
      guard pair.allSatisfy(\.isHexDigit), let byte = UInt8(pair, radix: 16) else { return nil }
      bytes.append(byte)
    }
    self.bytes = bytes
  }

  /// 32 hexadecimal digits.
  public var description: String {
    bytes.map { byte in
      let digits = String(byte, radix: 16)
      return digits.count == 1 ? "0" + digits : digits
    }.joined()
  }
}

/// What went wrong with bytes from a peer.
public struct WireError: Error, Hashable, Sendable, CustomStringConvertible {
  public enum Code: Hashable, Sendable {
    case malformed
    case limit
    /// More bulk than the peer may send now.
    case unwanted
    case protocolVersion
  }

  public let code: Code
  public let message: String

  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  public var description: String { message }
}
