import Testing
import Wire

@Suite("Messages on the wire")
struct RoundTripTests {
  @Test("every kind of message is read as it was written, in one part or in several")
  func everyKind() throws {
    let kinds = Set(Examples.small.map { Examples.message($0).kind })
    #expect(kinds == Set(MessageKind.allCases))
    // One assembler for all: a message leaves nothing behind for the next.
    var assembler = MessageAssembler(bulkLimit: WireLimits.bulkBytes)
    for content in Examples.small + Examples.large {
      let message = Examples.message(content)
      let parts = physicalMessages(message.encoded())
      for (index, frames) in parts.enumerated() {
        #expect(frames.count == WireLimits.framesPerMessage)
        #expect(frames.allSatisfy { $0.count <= WireLimits.frameBytes })
        let read = try assembler.accept(frames)
        if index + 1 < parts.count { #expect(read == nil) } else { #expect(read == message) }
      }
    }
  }

  @Test("a bulk travels in full frames and a last one with the rest")
  func parts() {
    for (bytes, parts) in [
      (0, 1), (1, 1), (WireLimits.frameBytes, 1), (WireLimits.frameBytes + 1, 2),
      (3 * WireLimits.frameBytes, 3),
    ] {
      let encoded = Examples.message(Examples.welcome(Examples.bytes(bytes))).encoded()
      #expect(encoded.partCount == parts)
      let sizes = physicalMessages(encoded).map { $0[2].count }
      #expect(sizes.reduce(0, +) == bytes)
      #expect(sizes.dropLast().allSatisfy { $0 == WireLimits.frameBytes })
      #expect(encoded.byteCount == physicalMessages(encoded).joined().reduce(0) { $0 + $1.count })
    }
  }

  @Test("the header of a result has the documented bytes")
  func goldenHeader() {
    let message = Message(
      run: RunID(bytes: Array(0xA0...0xAF)), epoch: 0x0102_0304_0506_0708, session: 0x3132_3334,
      content: .result(
        WorkResult(
          job: 0x1112_1314_1516_1718, assignment: 0x2122_2324_2526_2728, computeSeconds: 1,
          sums: [UInt8](repeating: 0, count: 0x05_0010))))
    let golden: [UInt8] = [
      0x49, 0x53, 0x4D, 0x58, 0x06, 0x00, 0x06, 0x00,  // ISMX, version 6, kind 6
      0xA0, 0xA1, 0xA2, 0xA3, 0xA4, 0xA5, 0xA6, 0xA7, 0xA8, 0xA9, 0xAA, 0xAB, 0xAC, 0xAD, 0xAE, 0xAF,
      0x08, 0x07, 0x06, 0x05, 0x04, 0x03, 0x02, 0x01,  // epoch
      0x18, 0x17, 0x16, 0x15, 0x14, 0x13, 0x12, 0x11,  // job
      0x28, 0x27, 0x26, 0x25, 0x24, 0x23, 0x22, 0x21,  // assignment
      0x02, 0x00, 0x00, 0x00, 0x34, 0x33, 0x32, 0x31,  // part 2, session
      0x10, 0x00, 0x05, 0x00, 0x00, 0x00, 0x00, 0x00,  // bytes of bulk
    ]
    #expect(message.encoded().header(part: 2).encoded() == golden)
    // The body of a result: one float64.
    #expect(message.encoded().body == [0, 0, 0, 0, 0, 0, 0xF0, 0x3F])
  }

  @Test("the body of an assignment has the documented bytes")
  func goldenWork() {
    let work = Work(
      job: 1, assignment: 2, jobKind: 3, iteration: 0x0405,
      subtrees: [Subtree(block: 0x0607, level: 8, index: 0x090A)], state: [0xFF])
    let encoded = Examples.message(.work(work)).encoded()
    #expect(
      encoded.body == [
        3, 1, 5, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        1, 0, 0, 0, 7, 6, 0, 0, 8, 0x0A, 9, 0, 0, 0, 0, 0, 0,
      ])
    #expect(encoded.bulk == [0xFF])
    // With a context: flags 3, its number, its length, and its bytes before the state's.
    var other = work
    other.context = 0x0B0C
    other.contextBytes = [0xEE, 0xDD]
    let both = Examples.message(.work(other)).encoded()
    #expect(Array(both.body[1..<2]) == [3])
    #expect(Array(both.body[10..<26]) == [0x0C, 0x0B, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0])
    #expect(both.bulk == [0xEE, 0xDD, 0xFF])
    // Held: a flag alone. Gathered: another one; after the subtrees the widths of their blocks, and the
    // assignments.
    var held = work
    held.role = .hold
    #expect(Examples.message(.work(held)).encoded().body[1] == 5)
    var gathered = work
    gathered.role = .gather(Work.Gathering(assignments: [0x0D0E], widths: [0x0F10]))
    let body = Examples.message(.work(gathered)).encoded().body
    #expect(body[1] == 9)
    #expect(
      Array(body[encoded.body.count...])
        == [1, 0, 0, 0, 0x10, 0x0F, 0, 0, 1, 0, 0, 0, 0x0E, 0x0D, 0, 0, 0, 0, 0, 0])
  }

  @Test("bytes of work and sums are those of their frames")
  func byteCounts() {
    for content in Examples.small + Examples.large {
      let message = Examples.message(content)
      switch content {
      case .work, .result: #expect(message.payloadBytes == message.encoded().byteCount)
      default: break
      }
    }
  }

  @Test("the messages that bring files have the documented bytes")
  func goldenShards() {
    let digest = Array(0xC0...0xDF) as [UInt8]
    let request = Examples.message(.shardRequest(ShardRequest(digest: digest, offset: 0x0102))).encoded()
    #expect(request.body == digest + [2, 1, 0, 0, 0, 0, 0, 0])
    let part = Examples.message(
      .shardPart(ShardPart(digest: digest, offset: 0, fileBytes: 3, ticket: 0x0A0B, bytes: [7, 8, 9]))
    ).encoded()
    let numbers: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0x0B, 0x0A, 0, 0, 0, 0, 0, 0]
    #expect(part.body == digest + numbers && part.bulk == [7, 8, 9])
    let received = Examples.message(.shardReceived(ticket: 0x0A0B)).encoded()
    #expect(received.body == [0x0B, 0x0A, 0, 0, 0, 0, 0, 0])
    let refused = Examples.message(.shardRefused(ShardRefusal(digest: digest, message: "no"))).encoded()
    #expect(refused.body == digest + [2, 0, 0, 0, 0x6E, 0x6F])
  }

  @Test("kinds keep their numbers")
  func kinds() {
    let kinds: [MessageKind] = [
      .hello, .welcome, .refused, .ready, .work, .result, .beat, .failure, .goodbye, .registerAgain,
      .handBack, .crew, .shardRequest, .shardPart, .shardReceived, .shardRefused,
    ]
    #expect(kinds.map(\.rawValue) == Array(1...16))
    #expect(MessageKind.allCases == kinds)
  }

  @Test("a run's name is 32 hexadecimal digits")
  func runName() {
    #expect(RunID(bytes: [0, 0x0F, 0xAB]).description == "000fab" + String(repeating: "0", count: 26))
    #expect(RunID(bytes: Array(0..<40)).bytes == Array(0..<16))
    #expect(RunID.none.bytes.allSatisfy { $0 == 0 })
  }

  @Test("a text of any length and any characters arrives, shortened to the limit")
  func longTexts() throws {
    let texts = [
      String(repeating: "x", count: WireLimits.textBytes),
      String(repeating: "x", count: 100 * WireLimits.textBytes),
      String(repeating: "\u{1}", count: WireLimits.textBytes),
      String(repeating: "\u{1F9EE}", count: WireLimits.textBytes),
      "e" + String(repeating: "\u{301}", count: 100_000),  // one character of 200 kB
    ]
    for text in texts {
      for content in [
        Message.Content.refused(Refusal(reason: .data, message: text)),
        .failure(WorkerFailure(exitCode: 65, message: text)), .goodbye(Goodbye(exitCode: 69, message: text)),
      ] {
        var assembler = MessageAssembler(bulkLimit: 0)
        let read = try assembler.accept(physicalMessages(Examples.message(content).encoded())[0])
        let arrived: String? =
          switch read?.content {
          case .refused(let refusal): refusal.message
          case .failure(let failure): failure.message
          case .goodbye(let goodbye): goodbye.message
          default: nil
          }
        let message = try #require(arrived)
        #expect(message.utf8.count <= WireLimits.textBytes)
        if text.utf8.count <= WireLimits.textBytes {
          #expect(message == text)
        } else {
          let kept = message.unicodeScalars.count - 1
          #expect(message.unicodeScalars.last == "…" && kept > 1000)
          #expect(message.unicodeScalars.dropLast().elementsEqual(text.unicodeScalars.prefix(kept)))
        }
      }
    }
  }
}
