import Foundation

/// A message as it lies on the wire: a header, a small body and a bulk that may travel in parts.
public struct EncodedMessage: Sendable {
  public let header: Header
  public let body: [UInt8]
  public let bulk: [UInt8]

  /// Number of physical messages.
  public var partCount: Int { header.partCount }

  /// The header of one part.
  public func header(part: Int) -> Header {
    var copy = header
    copy.part = UInt32(part)
    return copy
  }

  /// The range of the bulk that one part carries.
  public func bulkRange(part: Int) -> Range<Int> {
    let first = part * WireLimits.frameBytes
    return first..<min(first + WireLimits.frameBytes, bulk.count)
  }

  /// Bytes of all frames.
  public var byteCount: Int { partCount * Header.byteCount + body.count + bulk.count }
}

extension Message {
  /// Encodes the message. Texts over the limit are shortened.
  public func encoded() -> EncodedMessage {
    var header = Header(kind: kind, run: run, epoch: epoch, session: session)
    var body = ByteWriter()
    var bulk: [UInt8] = []
    switch content {
    case .hello(let hello):
      body.append(Message.json(hello))
    case .welcome(let welcome):
      body.append(UInt32(clamping: welcome.beatInterval_ms))
      body.append(UInt32(clamping: welcome.silenceLimit_ms))
      body.append(UInt32(clamping: welcome.incarnation))
      body.append(Message.json(welcome.numerics))
      bulk = welcome.setup
    case .refused(var refusal):
      refusal.message = Message.shortened(refusal.message)
      body.append(Message.json(refusal))
    case .ready(let ready):
      body.append(Message.json(ready))
    case .work(let work):
      header.job = work.job
      header.assignment = work.assignment
      body.append(work.jobKind)
      body.append(
        UInt8((work.state == nil ? 0 : 1) | (work.contextBytes == nil ? 0 : 2) | work.role.flag))
      body.append(work.iteration)
      body.append(work.context)
      body.append(UInt64(work.contextBytes?.count ?? 0))
      body.append(UInt32(work.subtrees.count))
      for subtree in work.subtrees {
        body.append(subtree.block)
        body.append(subtree.level)
        body.append(subtree.index)
      }
      if let gathering = work.role.gathering {
        body.append(UInt32(gathering.widths.count))
        for width in gathering.widths { body.append(UInt32(clamping: width)) }
        body.append(UInt32(gathering.assignments.count))
        for assignment in gathering.assignments { body.append(assignment) }
      }
      let state = work.state ?? []
      bulk = work.contextBytes.map { $0 + state } ?? state
    case .result(let result):
      header.job = result.job
      header.assignment = result.assignment
      body.append(result.computeSeconds)
      bulk = result.sums
    case .beat(let beat):
      let assignments = beat.assignments.prefix(WireLimits.assignmentsPerBeat)
      body.append(beat.progress)
      body.append(UInt8((beat.isReady ? 1 : 0) | (beat.isLeaving ? 2 : 0)))
      body.append(UInt8(beat.isReceiving ? 1 : 0))
      body.append(beat.heardUpTo)
      body.append(UInt16(assignments.count))
      for assignment in assignments { body.append(assignment) }
      body.append(UInt32(clamping: beat.crew.workers))
      body.append(UInt32(clamping: beat.crew.threads))
    case .failure(var failure):
      failure.message = Message.shortened(failure.message)
      header.job = failure.job
      header.assignment = failure.assignment
      body.append(Message.json(failure))
    case .goodbye(var goodbye):
      goodbye.message = Message.shortened(goodbye.message)
      body.append(Message.json(goodbye))
    case .handBack(let handBack):
      header.job = handBack.job
      header.assignment = handBack.assignment
    case .crew(var notice):
      notice.text = Message.shortened(notice.text)
      header.job = notice.job
      body.append(Message.json(notice))
    case .shardRequest(let request): Message.encode(request, into: &body)
    case .shardPart(let part):
      Message.encode(part, into: &body)
      bulk = part.bytes
    case .shardReceived(let ticket): body.append(ticket)
    case .shardRefused(let refusal): Message.encode(refusal, into: &body)
    case .registerAgain: break
    }
    header.bulkBytes = UInt64(bulk.count)
    return EncodedMessage(header: header, body: body.bytes, bulk: bulk)
  }

  /// Reads a message whose bulk is complete.
  /// - Throws: ``WireError`` when the bytes don't make sense.
  public init(header: Header, body: [UInt8], bulk: consuming [UInt8]) throws(WireError) {
    self.run = header.run
    self.epoch = header.epoch
    self.session = header.session
    if !bulk.isEmpty {
      guard [.welcome, .work, .result, .shardPart].contains(header.kind) else {
        throw WireError(.malformed, "a message of kind \(header.kind) carries no bulk")
      }
    }
    switch header.kind {
    case .hello:
      let hello: Hello = try Message.parse(body)
      content = .hello(try hello.checked())
    case .welcome: content = .welcome(try Message.decodeWelcome(body, setup: bulk))
    case .refused: content = .refused(try Message.parse(body))
    case .ready:
      let ready: Ready = try Message.parse(body)
      guard (0...WireLimits.crew).contains(ready.crew.workers),
        (0...WireLimits.crew).contains(ready.crew.threads)
      else { throw WireError(.limit, "a crew of \(ready.crew.threads) threads makes no sense") }
      content = .ready(ready)
    case .work: content = .work(try Message.decodeWork(header, body, bulk: bulk))
    case .result: content = .result(try Message.decodeResult(header, body, sums: bulk))
    case .beat: content = .beat(try Message.decodeBeat(body))
    case .failure: content = .failure(try Message.parse(body))
    case .goodbye: content = .goodbye(try Message.parse(body))
    case .crew:
      let notice: CrewNotice = try Message.parse(body)
      content = .crew(try notice.checked())
    case .shardRequest: content = .shardRequest(try Message.decodeShardRequest(body))
    case .shardPart: content = .shardPart(try Message.decodeShardPart(body, bytes: bulk))
    case .shardReceived: content = .shardReceived(ticket: try Message.decodeShardReceived(body))
    case .shardRefused: content = .shardRefused(try Message.decodeShardRefusal(body))
    case .handBack, .registerAgain:
      guard body.isEmpty else { throw WireError(.malformed, "this kind of message has no body") }
      content =
        header.kind == .handBack
        ? .handBack(HandBack(job: header.job, assignment: header.assignment)) : .registerAgain
    }
  }

  private static func decodeWelcome(_ body: [UInt8], setup: [UInt8]) throws(WireError) -> Welcome {
    try reading(body) { (reader: inout ByteReader) throws(WireError) in
      let interval: UInt32 = try reader.integer()
      let silence: UInt32 = try reader.integer()
      let incarnation: UInt32 = try reader.integer()
      let numerics: Welcome.Numerics = try Message.parse(try reader.bytes(reader.remaining))
      return Welcome(
        beatInterval_ms: Int(interval), silenceLimit_ms: Int(silence), incarnation: Int(incarnation),
        setup: setup, numerics: numerics)
    }
  }

  private static func decodeWork(_ header: Header, _ body: [UInt8], bulk: [UInt8]) throws(WireError) -> Work {
    try reading(body) { (reader: inout ByteReader) throws(WireError) in
      let jobKind: UInt8 = try reader.integer()
      let carries: UInt8 = try reader.integer()
      let iteration: UInt64 = try reader.integer()
      let context: UInt64 = try reader.integer()
      let contextLength: UInt64 = try reader.integer()
      let count: UInt32 = try reader.integer()
      let (hasState, hasContext) = (carries & 1 != 0, carries & 2 != 0)
      let isHeld = carries & Work.Role.hold.flag != 0
      let isGathered = carries & Work.Role.gatherFlag != 0
      let length = 13 * Int(count)
      guard Int(count) <= WireLimits.subtrees,
        isGathered ? reader.remaining >= length : reader.remaining == length
      else {
        throw WireError(.malformed, "\(count) subtrees don't fit the \(reader.remaining) bytes that follow")
      }
      guard carries <= 15, !isHeld || !isGathered, contextLength <= UInt64(bulk.count),
        hasContext || contextLength == 0,
        hasState || contextLength == UInt64(bulk.count)
      else {
        throw WireError(
          .malformed,
          "an assignment's \(bulk.count) bytes of bulk are not the state and context that it announces")
      }
      let cut = Int(contextLength)
      var subtrees: [Subtree] = []
      subtrees.reserveCapacity(Int(count))
      for _ in 0..<count {
        subtrees.append(
          Subtree(block: try reader.integer(), level: try reader.integer(), index: try reader.integer()))
      }
      var gathering = Work.Gathering(assignments: [], widths: [])
      if isGathered {
        let blocks: UInt32 = try reader.integer()
        guard blocks <= count else {
          throw WireError(.malformed, "\(count) subtrees are not of \(blocks) blocks")
        }
        for _ in 0..<blocks {
          let width: UInt32 = try reader.integer()
          gathering.widths.append(Int(width))
        }
        let number: UInt32 = try reader.integer()
        guard reader.remaining == 8 * Int(number) else {
          throw WireError(.malformed, "\(number) assignments don't fit the bytes that follow")
        }
        for _ in 0..<number { gathering.assignments.append(try reader.integer()) }
      }
      return Work(
        job: header.job, assignment: header.assignment, jobKind: jobKind, iteration: iteration,
        subtrees: subtrees, state: hasState ? Array(bulk[cut...]) : nil, context: context,
        contextBytes: hasContext ? Array(bulk[..<cut]) : nil,
        role: isGathered ? .gather(gathering) : isHeld ? .hold : .answer)
    }
  }

  private static func decodeResult(_ header: Header, _ body: [UInt8], sums: [UInt8]) throws(WireError)
    -> WorkResult
  {
    try reading(body) { (reader: inout ByteReader) throws(WireError) in
      let seconds = try reader.double()
      guard sums.count % 8 == 0 else {
        throw WireError(.malformed, "a result of \(sums.count) bytes is no whole number of float64 values")
      }
      return WorkResult(
        job: header.job, assignment: header.assignment, computeSeconds: seconds, sums: sums)
    }
  }

  private static func decodeBeat(_ body: [UInt8]) throws(WireError) -> Beat {
    try reading(body) { (reader: inout ByteReader) throws(WireError) in
      let progress: UInt64 = try reader.integer()
      let flags: UInt8 = try reader.integer()
      let isReceiving: UInt8 = try reader.integer()
      let heardUpTo: UInt64 = try reader.integer()
      let count: UInt16 = try reader.integer()
      guard flags <= 3, isReceiving <= 1, Int(count) <= WireLimits.assignmentsPerBeat,
        reader.remaining == Int(count) * 8 + 8
      else { throw WireError(.malformed, "a beat of \(body.count) bytes makes no sense") }
      var assignments: [UInt64] = []
      for _ in 0..<count { assignments.append(try reader.integer()) }
      let workers: UInt32 = try reader.integer()
      let threads: UInt32 = try reader.integer()
      guard workers <= WireLimits.crew, threads <= WireLimits.crew else {
        throw WireError(
          .limit, "a beat that tells of \(threads) threads is over the limit of \(WireLimits.crew)")
      }
      return Beat(
        progress: progress, isReady: flags & 1 != 0, isReceiving: isReceiving == 1, isLeaving: flags & 2 != 0,
        heardUpTo: heardUpTo, assignments: assignments,
        crew: Crew(workers: Int(workers), threads: Int(threads)))
    }
  }

  /// Runs a decoder over a body and requires that it uses every byte.
  static func reading<Value>(
    _ body: [UInt8], _ decode: (inout ByteReader) throws(WireError) -> Value
  ) throws(WireError) -> Value {
    let outcome: Result<Value, WireError> = body.withUnsafeBytes { buffer in
      do throws(WireError) {
        var reader = ByteReader(buffer)
        let value = try decode(&reader)
        try reader.requireEnd()
        return .success(value)
      } catch {
        return .failure(error)
      }
    }
    return try outcome.get()
  }

  private static func json(_ value: some Encodable) -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    // Every value here is a flat struct of texts and integers, which always encodes.
    return (try? encoder.encode(value)).map { Array($0) } ?? []
  }

  private static func parse<Value: Decodable>(_ body: [UInt8]) throws(WireError) -> Value {
    // JSON writes a control character as six bytes.
    guard body.count <= 8 * WireLimits.textBytes else {
      throw WireError(.limit, "a body of \(body.count) bytes is over the limit")
    }
    do {
      return try JSONDecoder().decode(Value.self, from: Data(body))
    } catch {
      throw WireError(.malformed, "a message's body is not the JSON document it should be")
    }
  }

  static func shortened(_ text: String) -> String {
    guard text.utf8.count > WireLimits.textBytes else { return text }
    // By scalars of at most four bytes: one character can be arbitrarily long.
    var start = String.UnicodeScalarView()
    start.append(contentsOf: text.unicodeScalars.prefix(WireLimits.textBytes / 4 - 1))
    return String(start) + "…"
  }
}

extension Message {
  /// Bytes of all frames of a message of work or sums, without encoding it; of others, those of a small one.
  public var payloadBytes: Int {
    switch content {
    case .work(let work): work.byteCount
    case .result(let result): result.byteCount
    case .welcome(let welcome): 2 * Header.byteCount + welcome.setup.count
    case .shardPart(let part): 2 * Header.byteCount + part.bytes.count
    default: 2 * Header.byteCount
    }
  }
}

extension Work {
  /// Bytes of all frames.
  public var byteCount: Int {
    let bulk = (state?.count ?? 0) + (contextBytes?.count ?? 0)
    let gathered = role.gathering.map { 4 * ($0.widths.count + 2) + 8 * $0.assignments.count } ?? 0
    return Header.partCount(bulkBytes: bulk) * Header.byteCount + 30 + 13 * subtrees.count + gathered + bulk
  }
}

extension Work.Role {
  static let gatherFlag: UInt8 = 8

  /// Its bit among those that say what a message of work carries.
  var flag: UInt8 {
    switch self {
    case .answer: 0
    case .hold: 4
    case .gather: Work.Role.gatherFlag
    }
  }
}

extension WorkResult {
  /// Bytes of all frames.
  public var byteCount: Int { Header.partCount(bulkBytes: sums.count) * Header.byteCount + 8 + sums.count }
}

extension CrewNotice {
  /// Refuses values that no relay sends.
  func checked() throws(WireError) -> CrewNotice {
    guard worker.utf8.count <= 1024 else {
      throw WireError(.limit, "a worker's name is over the limit of 1024 bytes")
    }
    guard (0...1 << 48).contains(firstTile), (0...1 << 48).contains(tileCount) else {
      throw WireError(.malformed, "a notice about \(tileCount) tiles from \(firstTile) makes no sense")
    }
    return self
  }
}

extension Hello {
  /// Refuses values that no worker sends.
  func checked() throws(WireError) -> Hello {
    let texts = [worker, host, version, build, fingerprint, numerics, processors?.set ?? ""]
    guard texts.allSatisfy({ $0.utf8.count <= 1024 }) else {
      throw WireError(.limit, "a text in a hello is over the limit of 1024 bytes")
    }
    guard (1...4096).contains(threads), (0...1_000_000).contains(incarnation), processID >= 0 else {
      throw WireError(.malformed, "a hello with \(threads) threads and process \(processID) makes no sense")
    }
    if let count = processors?.count, !(1...1 << 20).contains(count) {
      throw WireError(.malformed, "a hello with \(count) processors makes no sense")
    }
    return self
  }
}
