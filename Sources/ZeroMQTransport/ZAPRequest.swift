import Wire

/// One question of libzmq's: may this client connect? (ZeroMQ RFC 27, ZAP 1.0.)
///
/// | frame | request | reply |
/// |---|---|---|
/// | 0 | version `1.0` | version `1.0` |
/// | 1 | request id | the same request id |
/// | 2 | domain | status: 200 yes, 400 no, 500 the handler failed |
/// | 3 | address | status in words |
/// | 4 | routing id | user id |
/// | 5 | mechanism | metadata |
/// | 6 | for CURVE: the client's public key, 32 bytes | – |
package struct ZAPRequest: Hashable, Sendable {
  /// Frames that are kept of a request; one more than it should have, so that too many are noticed.
  package static let framesKept = 8
  /// Longest request id that is sent back.
  package static let requestID_bytes = 255

  /// What is answered, and why.
  package enum Verdict: Hashable, Sendable {
    case allowed(user: String)
    case unknownKey(CurveKey, address: String)
    case malformed(String)
  }

  package let requestID: [UInt8]
  package let verdict: Verdict

  /// Judges a request.
  ///
  /// - Parameter users: for each key that may connect (as bytes), a name without spaces.
  package init(frames: [[UInt8]], domain: String, users: [[UInt8]: String]) {
    let requestID = frames.count > 1 ? frames[1] : []
    self.requestID = requestID.count <= ZAPRequest.requestID_bytes ? requestID : []
    verdict = ZAPRequest.judge(frames, domain: domain, users: users)
  }

  private static func judge(_ frames: [[UInt8]], domain: String, users: [[UInt8]: String]) -> Verdict {
    guard frames.count == 7 else { return .malformed("\(frames.count) frames") }
    guard frames[0] == Array("1.0".utf8) else { return .malformed("unknown version") }
    guard frames[1].count <= requestID_bytes else { return .malformed("the request id is too long") }
    guard frames[2] == Array(domain.utf8) else { return .malformed("unknown domain") }
    guard frames[5] == Array("CURVE".utf8) else { return .malformed("the mechanism is not CURVE") }
    guard let key = CurveKey(bytes: frames[6]) else { return .malformed("the key has not 32 bytes") }
    if let user = users[frames[6]] { return .allowed(user: user) }
    let address = String(decoding: frames[3].prefix(64), as: UTF8.self)
    return .unknownKey(key, address: address)
  }

  package var reply: [[UInt8]] {
    let (status, text, user) =
      switch verdict {
      case .allowed(let user): ("200", "OK", user)
      case .unknownKey: ("400", "key not allowed", "")
      case .malformed(let reason): ("400", reason, "")
      }
    return [Array("1.0".utf8), requestID, Array(status.utf8), Array(text.utf8), Array(user.utf8), []]
  }
}
