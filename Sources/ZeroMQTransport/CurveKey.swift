import CZeroMQ
import Glibc

/// A public or secret key of CURVE: 32 bytes, written as 40 characters in Z85 (ZeroMQ RFC 32).
public struct CurveKey: Hashable, Sendable {
  /// The key as 40 characters.
  public let text: String
  /// The key as 32 bytes.
  public let bytes: [UInt8]

  public static let textLength = 40
  public static let byteCount = 32

  /// Reads a key; nil when the text is none.
  public init?(_ text: String) {
    let characters = Array(text.utf8)
    guard characters.count == CurveKey.textLength, characters.allSatisfy(CurveKey.alphabet.contains) else {
      return nil
    }
    var bytes = [UInt8](repeating: 0, count: CurveKey.byteCount)
    guard zmq_z85_decode(&bytes, text) != nil else { return nil }
    self.text = text
    self.bytes = bytes
  }

  /// Takes 32 bytes; nil when there are more or fewer.
  package init?(bytes: [UInt8]) {
    guard bytes.count == CurveKey.byteCount else { return nil }
    var text = [CChar](repeating: 0, count: CurveKey.textLength + 1)
    guard zmq_z85_encode(&text, bytes, bytes.count) != nil else { return nil }
    self.text = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    self.bytes = bytes
  }

  private static let alphabet = Set(
    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#".utf8)
}

/// A secret key with the public key that belongs to it.
public struct CurveKeyPair: Hashable, Sendable {
  public let secret: CurveKey
  public let `public`: CurveKey

  /// Makes a new pair from the system's random numbers.
  public static func generate() throws -> CurveKeyPair {
    var open = [CChar](repeating: 0, count: CurveKey.textLength + 1)
    var hidden = open
    guard zmq_curve_keypair(&open, &hidden) == 0 else {
      throw TransportError.last("can't make keys (is libzmq built with CURVE?)")
    }
    func key(_ text: [CChar]) -> CurveKey? {
      CurveKey(String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
    }
    guard let secret = key(hidden), let open = key(open) else {
      throw TransportError(message: "libzmq made keys that are none", number: EINVAL)
    }
    return CurveKeyPair(secret: secret, public: open)
  }

  /// Takes a secret key and computes the public one.
  public init(secret: CurveKey) throws {
    var text = [CChar](repeating: 0, count: CurveKey.textLength + 1)
    guard zmq_curve_public(&text, secret.text) == 0,
      let open = CurveKey(
        String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
    else { throw TransportError.last("can't compute the public key") }
    self.init(secret: secret, public: open)
  }

  private init(secret: CurveKey, public: CurveKey) {
    self.secret = secret
    self.public = `public`
  }
}
