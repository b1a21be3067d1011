import COpenSSL

/// A SHA-256 digest (FIPS 180-4), computed by OpenSSL's libcrypto.
public struct Digest: Hashable, Sendable, CustomStringConvertible {
  /// The 32 bytes of the digest.
  public let bytes: [UInt8]

  /// Takes over 32 bytes; nil for any other count.
  public init?(bytes: [UInt8]) {
    guard bytes.count == Digest.byteCount else { return nil }
    self.bytes = bytes
  }

  /// Reads 64 hexadecimal digits; nil for anything else.
  public init?(hexadecimal: String) {
    let digits = Array(hexadecimal.utf8)
    guard digits.count == 2 * Digest.byteCount else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(Digest.byteCount)
    for index in stride(from: 0, to: digits.count, by: 2) {
      guard let high = Digest.value(of: digits[index]), let low = Digest.value(of: digits[index + 1])
      else { return nil }
      bytes.append(high << 4 | low)
    }
    self.bytes = bytes
  }

  /// The length of a digest in bytes.
  public static let byteCount = 32

  /// The digest as 64 lower-case hexadecimal digits.
  public var description: String {
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    text.reserveCapacity(2 * bytes.count)
    for byte in bytes {
      text.append(digits[Int(byte >> 4)])
      text.append(digits[Int(byte & 15)])
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// Digests the bytes of a buffer.
  public static func of(_ buffer: UnsafeRawBufferPointer) -> Digest {
    var hasher = DigestBuilder()
    hasher.update(buffer)
    return hasher.finalize()
  }

  /// Digests an array of bytes.
  public static func of(_ bytes: [UInt8]) -> Digest { bytes.withUnsafeBytes { of($0) } }

  /// Digests the UTF-8 bytes of a text.
  public static func of(_ text: String) -> Digest { of(Array(text.utf8)) }

  private static func value(of digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}

/// Computes a SHA-256 digest over data that arrives in pieces.
///
/// A builder is used once: `finalize` ends it.
public struct DigestBuilder: ~Copyable {
  private let context: OpaquePointer

  public init() {
    guard let context = EVP_MD_CTX_new(), EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else {
      // Only an exhausted heap or a broken libcrypto gets here; no caller could go on.
      preconditionFailure("libcrypto could not start a SHA-256 digest")
    }
    self.context = context
  }

  deinit { EVP_MD_CTX_free(context) }

  /// Adds the bytes of a buffer to what is digested.
  public mutating func update(_ buffer: UnsafeRawBufferPointer) {
    guard let base = buffer.baseAddress, buffer.count > 0 else { return }
    let status = EVP_DigestUpdate(context, base, buffer.count)
    precondition(status == 1, "libcrypto could not update a SHA-256 digest")
  }

  /// Adds numbers as little-endian IEEE 754 binary64.
  public mutating func update(_ values: [Double]) {
    let bits = values.map { $0.bitPattern.littleEndian }
    bits.withUnsafeBytes { update($0) }
  }

  /// Adds the UTF-8 bytes of a text.
  public mutating func update(_ text: String) {
    Array(text.utf8).withUnsafeBytes { update($0) }
  }

  /// The digest of everything added so far; more can be added after it.
  public borrowing func current() -> Digest {
    guard let copy = EVP_MD_CTX_new() else {
      preconditionFailure("libcrypto could not start a SHA-256 digest")
    }
    defer { EVP_MD_CTX_free(copy) }
    var bytes = [UInt8](repeating: 0, count: Digest.byteCount)
    let status = bytes.withUnsafeMutableBufferPointer { buffer in
      EVP_MD_CTX_copy_ex(copy, context) == 1 ? EVP_DigestFinal_ex(copy, buffer.baseAddress, nil) : 0
    }
    precondition(status == 1, "libcrypto could not finish a SHA-256 digest")
    return Digest(bytes: bytes)!
  }

  /// The digest of everything added so far; ends the builder.
  public consuming func finalize() -> Digest {
    var bytes = [UInt8](repeating: 0, count: Digest.byteCount)
    let status = bytes.withUnsafeMutableBufferPointer { buffer in
      EVP_DigestFinal_ex(context, buffer.baseAddress, nil)
    }
    precondition(status == 1, "libcrypto could not finish a SHA-256 digest")
    return Digest(bytes: bytes)!
  }
}
