import Foundation
import Testing
import Wire

@Suite("Frames that make no sense are refused")
struct RefusalTests {
  /// A beat's frames with some header bytes replaced.
  private func beat(_ offset: Int, _ bytes: [UInt8]) -> [[UInt8]] {
    var frames = physicalMessages(Examples.message(.beat(Beat(progress: 4))).encoded())[0]
    frames[0].replaceSubrange(offset..<offset + bytes.count, with: bytes)
    return frames
  }

  private func header(
    _ kind: MessageKind, part: UInt32 = 0, bulkBytes: UInt64 = 0
  ) -> [UInt8] {
    Header(kind: kind, run: .none, epoch: 0, part: part, bulkBytes: bulkBytes).encoded()
  }

  private func frames(_ content: Message.Content) -> [[UInt8]] {
    physicalMessages(Examples.message(content).encoded())[0]
  }

  private static let empty8 = [UInt8](repeating: 0, count: 8)

  @Test("the unchanged beat is accepted")
  func control() throws {
    var assembler = MessageAssembler(bulkLimit: 0)
    #expect(try assembler.accept(beat(0, [])) != nil)
  }

  @Test("another magic")
  func magic() {
    for offset in 0..<4 {
      let error = refusal(beat(offset, [0]))
      #expect(error?.code == .malformed)
      #expect(error?.message.contains("magic") == true)
    }
  }

  @Test("another protocol version, with a code of its own and both numbers")
  func version() {
    for version in [[0, 0], [1, 0], [0, 1], [255, 255]] as [[UInt8]] {
      let error = refusal(beat(4, version))
      #expect(error?.code == .protocolVersion)
      let number = Int(version[0]) + 256 * Int(version[1])
      #expect(error?.message == "the peer speaks protocol \(number), this build \(Header.protocolVersion)")
    }
  }

  @Test("an unknown kind, unless it is one of another version", arguments: [0, 17, 255] as [UInt8])
  func kind(raw: UInt8) {
    #expect(refusal(beat(6, [raw]))?.message == "unknown message kind \(raw)")
    #expect(refusal(beat(4, [9, 0, raw]))?.code == .protocolVersion)
  }

  @Test("part numbers that don't fit the bytes, so that no message without bulk stays open")
  func partNumbers() {
    let frame = UInt64(WireLimits.frameBytes)
    for (part, bytes) in [
      (1, 0), (.max, 0), (1, 1), (1, frame), (2, frame + 1), (3, 3 * frame), (.max, 1 << 32),
    ] as [(UInt32, UInt64)] {
      let error = refusal([header(.result, part: part, bulkBytes: bytes), [], []])
      #expect(error?.code == .malformed, "part \(part) of \(bytes) bytes")
    }
  }

  @Test("more bulk than any message may have")
  func announcedBulk() {
    #expect(refusal([header(.result, bulkBytes: (1 << 32) + 1), [], []])?.code == .limit)
    #expect(refusal([header(.result, bulkBytes: .max), [], []])?.code == .limit)
  }

  @Test("more bulk than this peer may send, before any of it is kept")
  func peerLimit() throws {
    let message = Examples.message(Examples.result(Examples.bytes(800)))
    let frames = physicalMessages(message.encoded())[0]
    #expect(refusal(frames, bulkLimit: 799)?.code == .unwanted)
    #expect(refusal(frames, bulkLimit: 0)?.message.contains("800") == true)
    var assembler = MessageAssembler(bulkLimit: 800)
    #expect(try assembler.accept(frames) == message)
  }

  @Test("what was begun while it was wanted is let go when it is not, and what comes next is read")
  func unwanted() throws {
    let long = physicalMessages(
      Examples.message(Examples.result(Examples.bytes(3 * WireLimits.frameBytes))).encoded())
    let beat = Examples.message(.beat(Beat(progress: 3)))
    var assembler = MessageAssembler(bulkLimit: 3 * WireLimits.frameBytes)
    #expect(try assembler.accept(long[0]) == nil)
    assembler.bulkLimit = 0
    for part in long[1...] {
      #expect(throws: WireError(.unwanted, "393216 bytes of bulk are over this peer's limit of 0")) {
        try assembler.accept(part)
      }
    }
    #expect(try assembler.accept(physicalMessages(beat.encoded())[0]) == beat)
  }

  @Test("a header that announces 4 GiB takes no memory for it")
  func memory() throws {
    var assemblers: [MessageAssembler] = []
    let before = try residentBytes()
    for _ in 0..<64 {
      var assembler = MessageAssembler(bulkLimit: WireLimits.bulkBytes)
      let first = [
        header(.result, bulkBytes: 1 << 32), [],
        [UInt8](repeating: 7, count: WireLimits.frameBytes),
      ]
      #expect(try assembler.accept(first) == nil)
      assemblers.append(assembler)
    }
    // 8 MiB came; 256 GiB were announced. Other tests of this process may allocate, too.
    #expect(try residentBytes() - before < 2 << 30)
    #expect(assemblers.count == 64)
  }

  private func residentBytes() throws -> Int {
    let text = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8)
    return (Int(text.split(separator: " ")[1]) ?? 0) * 4096
  }

  @Test("frames over 128 KiB", arguments: 0..<3)
  func oversize(place: Int) {
    var frames = frames(Examples.result(Examples.bytes(80)))
    frames[place] = [UInt8](repeating: 0, count: WireLimits.frameBytes + 1)
    #expect(refusal(frames)?.code == .limit)
  }

  @Test("another number of frames than three", arguments: [0, 1, 2, 4, 7])
  func frameCount(count: Int) {
    let frames = [header(.beat)] + [[UInt8]](repeating: [], count: 6)
    let error = refusal(Array(frames.prefix(count)))
    #expect(error?.message == "a message has 3 frames, this one \(count)")
  }

  @Test("a header of another size", arguments: [0, 1, 63, 65, 1000])
  func headerSize(count: Int) {
    let bytes = header(.beat) + [UInt8](repeating: 0, count: 1000)
    #expect(refusal([Array(bytes.prefix(count)), [], []])?.message.contains("64 bytes") == true)
  }

  @Test("a body on a later part, parts out of order, of another message, or that come twice")
  func sequence() {
    let parts = physicalMessages(
      Examples.message(Examples.result(Examples.bytes(2 * WireLimits.frameBytes + 8))).encoded())
    var withBody = parts[1]
    withBody[1] = [0]
    #expect(refusal(parts[0], withBody)?.message.contains("body") == true)
    #expect(refusal(parts[1])?.message.contains("follows nothing") == true)
    #expect(refusal(parts[0], parts[2])?.message.contains("follows nothing") == true)
    #expect(refusal(parts[0], parts[1], parts[1])?.message.contains("follows nothing") == true)
    #expect(refusal(parts[0], parts[0])?.message.contains("complete") == true)
    for offset in [8, 24, 32, 40, 52] {
      var other = parts[1]
      other[0][offset] ^= 1
      #expect(refusal(parts[0], other)?.message.contains("follows nothing") == true, "byte \(offset)")
    }
    #expect(refusal(parts[0], frames(.beat(Beat(progress: 1))))?.message.contains("complete") == true)
  }

  @Test("a part that is longer or shorter than its place in the bulk")
  func partSizes() {
    let parts = physicalMessages(
      Examples.message(Examples.result(Examples.bytes(2 * WireLimits.frameBytes + 16))).encoded())
    var short = parts[0]
    short[2].removeLast(8)
    #expect(refusal(short)?.code == .malformed)
    var long = parts[2]
    long[2] += Self.empty8
    #expect(refusal(parts[0], parts[1], long)?.code == .malformed)
    var missing = parts[2]
    missing[2] = []
    #expect(refusal(parts[0], parts[1], missing)?.message.contains("16 belong") == true)
  }

  @Test("bulk on a kind that carries none")
  func bulkNotAllowed() {
    for content in Examples.small {
      let encoded = Examples.message(content).encoded()
      switch encoded.header.kind {
      case .welcome, .work, .result, .shardPart: continue
      default: break
      }
      var header = encoded.header
      header.bulkBytes = 8
      let error = refusal([header.encoded(), encoded.body, Self.empty8])
      #expect(error?.message == "a message of kind \(header.kind) carries no bulk")
    }
    var work = Examples.message(Examples.work(state: nil)).encoded().header
    work.bulkBytes = 8
    let body = Examples.message(Examples.work(state: nil)).encoded().body
    #expect(
      refusal([work.encoded(), body, Self.empty8])?.message.contains("are not the state and context") == true)
  }

  @Test("bytes that are no part of the file that they say they are of")
  func shardParts() {
    func check(_ change: (inout ShardPart) -> Void, _ code: WireError.Code = .malformed) {
      var part = ShardPart(
        digest: Examples.bytes(32), offset: 0, fileBytes: 300, ticket: 1, bytes: Examples.bytes(300))
      change(&part)
      #expect(refusal(frames(.shardPart(part)))?.code == code, "\(part.offset) of \(part.fileBytes)")
    }
    check { $0.bytes = [] }
    check { $0.bytes = Examples.bytes(299) }
    check { $0.fileBytes = 0 }
    check { $0.fileBytes = 301 }
    check { $0.offset = 1 }
    check { $0.offset = UInt64(WireLimits.frameBytes) }
    check { $0.offset = .max }
    check({ $0.fileBytes = .max }, .limit)
    check({ $0.fileBytes = UInt64(WireLimits.shardFileBytes) + 1 }, .limit)
    let long = frames(.shardRefused(ShardRefusal(digest: Examples.bytes(32), message: "")))
    let body = Array(long[1].prefix(32)) + [255, 255, 255, 255]
    #expect(refusal([long[0], body, []])?.code == .limit)
  }

  @Test("a body that is cut anywhere, or has bytes left over")
  func truncated() {
    for content in Examples.small {
      let frames = frames(content)
      for length in 0..<frames[1].count {
        let error = refusal([frames[0], Array(frames[1].prefix(length)), frames[2]])
        #expect(error?.code == .malformed, "\(content) cut to \(length)")
      }
      #expect(refusal([frames[0], frames[1] + [0], frames[2]])?.code == .malformed, "\(content) and a byte")
    }
  }

  @Test("a body that is no JSON, or another document, or too long")
  func jsonNonsense() {
    let texts = [
      "", "{", "null", "[]", "3", "\"text\"", "{}", "{\"worker\":1}", "\u{0}\u{0}", "{\"exitCode\":1e400}",
      "{\"exitCode\":\"0\",\"message\":\"\"}", "{\"exitCode\":0.5,\"message\":\"\"}",
      "{\"reason\":\"mood\",\"message\":\"\"}", "{\"reason\":1,\"message\":null}",
      String(repeating: "[", count: 30_000), String(repeating: "{\"a\":", count: 6_000),
    ]
    let nonsense = texts.map { Array($0.utf8) } + [[0xFF, 0xFE, 0xFD], [0xC0, 0x80]]
    for kind in [MessageKind.hello, .refused, .ready, .failure, .goodbye] {
      for body in nonsense { #expect(refusal([header(kind), body, []])?.code == .malformed) }
      let long = [UInt8](repeating: UInt8(ascii: " "), count: 8 * WireLimits.textBytes + 1)
      #expect(refusal([header(kind), long, []])?.code == .limit)
    }
  }

  @Test("a hello with values that no worker has")
  func hello() {
    func check(_ change: (inout Hello) -> Void, _ code: WireError.Code) {
      var hello = Examples.hello
      change(&hello)
      #expect(refusal(frames(.hello(hello)))?.code == code, "\(hello)")
    }
    check({ $0.threads = 0 }, .malformed)
    check({ $0.threads = -1 }, .malformed)
    check({ $0.threads = 4097 }, .malformed)
    check({ $0.processID = -1 }, .malformed)
    check({ $0.incarnation = -1 }, .malformed)
    check({ $0.incarnation = 1_000_001 }, .malformed)
    let long = String(repeating: "h", count: 1025)
    check({ $0.worker = long }, .limit)
    check({ $0.host = long }, .limit)
    check({ $0.version = long }, .limit)
    check({ $0.build = long }, .limit)
    check({ $0.fingerprint = long }, .limit)
    check({ $0.numerics = long }, .limit)
    check({ $0.processors?.count = 0 }, .malformed)
    check({ $0.processors?.count = 1 << 21 }, .malformed)
    check({ $0.processors?.set = long }, .limit)
  }

  @Test("a beat that announces other assignments than follow, or flags that are none")
  func beatBody() {
    var frames = frames(.beat(Beat(progress: 1, isReady: true, assignments: [7, 8])))
    #expect(frames[1].count == 20 + 16 + 8)
    for count in [0, 1, 3, 255] as [UInt8] {
      var other = frames
      other[1][18] = count
      #expect(refusal(other)?.code == .malformed)
    }
    for (offset, flags) in [(8, 4), (9, 2)] as [(Int, UInt8)] {
      var other = frames
      other[1][offset] = flags
      #expect(refusal(other)?.code == .malformed)
    }
    frames[1].replaceSubrange(18..<20, with: [1, 1])
    frames[1] += [UInt8](repeating: 0, count: 8 * 257 - 16)
    #expect(refusal(frames)?.code == .malformed)
  }

  @Test("a result that is no whole number of float64 values", arguments: [1, 7, 9, 801])
  func wholeNumbers(count: Int) {
    #expect(refusal(frames(Examples.result(Examples.bytes(count))))?.message.contains("float64") == true)
  }

  @Test("an assignment that is held and gathered at once, or gathers with widths or numbers cut off")
  func roles() {
    for flags in [12, 13, 16, 32] as [UInt8] {
      var frames = frames(Examples.work(role: .hold))
      frames[1][1] = flags
      #expect(refusal(frames)?.code == .malformed, "\(flags)")
    }
    let gathers = frames(Examples.work(role: .gather(Examples.gathering)))
    for cut in [1, 4, 7, 23, 25, 33, 40] {
      var frames = gathers
      frames[1].removeLast(cut)
      #expect(refusal(frames) != nil, "\(cut)")
    }
    // More widths than subtrees.
    var frames = gathers
    frames[1][30 + 13 * Examples.subtrees.count] = 4
    #expect(refusal(frames)?.message.contains("not of 4 blocks") == true)
  }

  @Test("an assignment that announces another number of subtrees than follow, or more than any may have")
  func subtreeCount() {
    var frames = frames(Examples.work(state: nil))
    for count in [0, 2, 4, 255] as [UInt8] {
      frames[1][26] = count
      #expect(refusal(frames)?.code == .malformed)
    }
    frames[1].replaceSubrange(26..<30, with: [255, 255, 255, 255])
    #expect(refusal(frames)?.message.contains("4294967295 subtrees") == true)
    frames[1].replaceSubrange(26..<30, with: [3, 0, 0, 0])
    // Flags that there are not, and a context longer than what came.
    frames[1][1] = 16
    #expect(refusal(frames)?.code == .malformed)
    frames[1][1] = 2
    frames[1][18] = 1
    #expect(refusal(frames)?.code == .malformed)
  }
}
