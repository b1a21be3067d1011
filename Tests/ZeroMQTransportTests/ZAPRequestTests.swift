import TestKit
import Testing
import ZeroMQTransport

@Suite("The authenticator's answers")
struct ZAPRequestTests {
  let known = [UInt8](repeating: 7, count: 32)

  private func good() -> [[UInt8]] {
    [
      Array("1.0".utf8), [9, 9], Array("isomix".utf8), Array("10.0.0.3".utf8), [], Array("CURVE".utf8), known,
    ]
  }

  private func answer(_ frames: [[UInt8]]) -> (status: String, reply: [[UInt8]]) {
    let reply = ZAPRequest(frames: frames, domain: "isomix", users: [known: "first"]).reply
    return (String(decoding: reply[2], as: UTF8.self), reply)
  }

  @Test("an authorized key is let in, under its name")
  func allowed() {
    let (status, reply) = answer(good())
    #expect(status == "200" && reply.count == 6 && reply[0] == Array("1.0".utf8) && reply[1] == [9, 9])
    #expect(reply[4] == Array("first".utf8))
  }

  @Test("another key, mechanism, domain or version is not")
  func refused() {
    for (index, value) in [
      (6, [UInt8](repeating: 8, count: 32)), (6, []), (6, known + [7]), (5, Array("PLAIN".utf8)),
      (5, Array("NULL".utf8)), (5, []), (2, []), (2, Array("global".utf8)), (0, Array("2.0".utf8)), (0, []),
      (1, [UInt8](repeating: 1, count: 256)),
    ] as [(Int, [UInt8])] {
      var frames = good()
      frames[index] = value
      #expect(answer(frames).status == "400")
      #expect(answer(frames).reply[1] == (index == 1 ? [] : [9, 9]))
    }
    #expect(answer([]).status == "400" && answer(good() + [[]]).status == "400")
    #expect(answer(Array(good().prefix(6))).status == "400")
  }

  @Test("no altered request lets another key in", arguments: 0..<4 as Range<UInt64>)
  func fuzz(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<5000 {
      var frames = good()
      for _ in 0..<Int.random(in: 1...3, using: &generator) {
        let index = Int.random(in: 0..<max(1, frames.count), using: &generator)
        switch Int.random(in: 0..<4, using: &generator) {
        case 0: frames.insert((0..<Int.random(in: 0...300, using: &generator)).map { _ in 1 }, at: index)
        case 1: if index < frames.count { frames.remove(at: index) }
        case 2:
          if index < frames.count, !frames[index].isEmpty {
            let position = Int.random(in: 0..<frames[index].count, using: &generator)
            frames[index][position] ^= 1 << UInt8.random(in: 0...7, using: &generator)
          }
        default: if index < frames.count { frames.swapAt(index, frames.count - 1) }
        }
      }
      let (status, reply) = answer(frames)
      let isGood =
        frames.count == 7 && frames[0] == good()[0] && frames[2] == good()[2] && frames[5] == good()[5]
        && frames[6] == known && frames[1].count <= 255
      #expect((status == "200") == isGood && reply.count == 6, "seed \(seed)")
    }
  }

  @Test("keys are 40 characters of Z85")
  func keys() throws {
    let pair = try CurveKeyPair.generate()
    #expect(CurveKey(pair.secret.text) == pair.secret && CurveKey(bytes: pair.secret.bytes) == pair.secret)
    #expect(try CurveKeyPair(secret: pair.secret) == pair)
    for text in [
      "", String(pair.secret.text.dropLast()), pair.secret.text + "a", String(repeating: "\"", count: 40),
      String(repeating: "#", count: 40), String(repeating: "é", count: 20),
    ] { #expect(CurveKey(text) == nil) }
  }
}
