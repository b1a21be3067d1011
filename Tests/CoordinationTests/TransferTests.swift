import Coordination
import NumericsKit
import TestKit
import Testing
import Wire

/// Files of a fit's data on their way from a coordinator to a worker.
@Suite("Files for workers that share no folder")
struct TransferTests {
  private static let frame = WireLimits.frameBytes

  private static func digest(_ number: UInt8) -> Digest { Digest.of([number]) }

  private static func coordinator(serves: Bool = true) -> Coordinator {
    var configuration = Examples.configuration()
    configuration.servesShards = serves
    configuration.secret = [1, 2, 3]
    return Coordinator(configuration: configuration)
  }

  private static func request(_ digest: Digest, part: Int = 0) -> Message.Content {
    .shardRequest(ShardRequest(digest: digest.bytes, offset: UInt64(part * frame)))
  }

  // MARK: The coordinator

  @Test("a part is read for who asks, sent with a ticket, and counted")
  func serving() throws {
    var coordinator = Self.coordinator()
    coordinator.join(peer1)
    let read = try #require(coordinator.says(peer1, Self.request(Self.digest(1))).reads.first)
    #expect(read.peer == peer1 && read.digest == Self.digest(1) && read.offset == 0)
    let sent = coordinator.handle(.shardRead(read, .part([5, 6], fileBytes: 2)), now: .ms(1)).sent
    guard case .shardPart(let part)? = sent.first?.content else {
      Issue.record("nothing was sent")
      return
    }
    #expect(part.bytes == [5, 6] && part.fileBytes == 2 && part.ticket == read.ticket)
    #expect(coordinator.statistics.shardBytes == 2)
    // What was read once is not sent twice.
    #expect(coordinator.handle(.shardRead(read, .part([5, 6], fileBytes: 2)), now: .ms(1)).sent.isEmpty)
  }

  @Test("a file that there is not, and a fit whose workers share a folder, are a refusal in words")
  func refusals() throws {
    var coordinator = Self.coordinator()
    coordinator.join(peer1)
    let read = try #require(coordinator.says(peer1, Self.request(Self.digest(1))).reads.first)
    let answer = coordinator.handle(.shardRead(read, .unavailable("no such file")), now: .ms(1)).sent
    #expect(
      answer.first?.content
        == .shardRefused(ShardRefusal(digest: Self.digest(1).bytes, message: "no such file")))
    var sharing = Self.coordinator(serves: false)
    sharing.join(peer1)
    let refused = sharing.says(peer1, Self.request(Self.digest(1)))
    #expect(refused.reads.isEmpty)
    guard case .shardRefused(let refusal)? = refused.sent.first?.content else {
      Issue.record("nothing was refused")
      return
    }
    #expect(refusal.message.contains("share"))
    #expect(sharing.isRegistered(peer1))
  }

  @Test("who does not register is given nothing")
  func strangers() {
    var coordinator = Self.coordinator()
    let actions = coordinator.says(peer1, Self.request(Self.digest(1)))
    #expect(actions.reads.isEmpty && actions.invites(peer1))
  }

  @Test(
    "a few parts are on their way at a time: more come when it says that it has read some, and not when it guesses"
  )
  func credit() throws {
    var coordinator = Self.coordinator()
    coordinator.join(peer1)
    var tickets: [UInt64] = []
    for part in 0..<20 {
      for read in coordinator.says(peer1, Self.request(Self.digest(1), part: part)).reads {
        tickets.append(read.ticket)
        _ = coordinator.handle(.shardRead(read, .part([1], fileBytes: 1 << 30)), now: .ms(part))
      }
    }
    #expect(tickets.count == CoordinationLimits.shardParts)
    #expect(Set(tickets).count == tickets.count)
    for guess in [0, 1, tickets[0] ^ 1, .max] as [UInt64] {
      _ = coordinator.says(peer1, .shardReceived(ticket: guess))
    }
    #expect(coordinator.says(peer1, Self.request(Self.digest(1), part: 30)).reads.isEmpty)
    _ = coordinator.says(peer1, .shardReceived(ticket: tickets[3]))
    #expect(coordinator.says(peer1, Self.request(Self.digest(1), part: 30)).reads.count == 1)
    #expect(coordinator.says(peer1, Self.request(Self.digest(1), part: 31)).reads.isEmpty)
  }

  @Test("who asks on and on and reads nothing is lost before it has cost much")
  func unread() {
    var coordinator = Self.coordinator()
    coordinator.join(peer1)
    var sent = 0
    var clock = 0
    while coordinator.isRegistered(peer1), clock < 10_000_000 {
      clock += 1_000
      let actions = coordinator.says(peer1, Self.request(Self.digest(1), part: clock / 1_000), at: .ms(clock))
      for read in actions.reads {
        sent += 1
        _ = coordinator.handle(.shardRead(read, .part([1], fileBytes: 1 << 40)), now: .ms(clock))
      }
      if actions.warnings.contains(where: { $0.contains("does not read") }) { break }
    }
    #expect(!coordinator.isRegistered(peer1))
    #expect(sent <= CoordinationLimits.unreadParts + 2 * CoordinationLimits.shardParts, "\(sent)")
  }

  @Test("a part that is read for an earlier registration is sent to nobody")
  func earlierRegistration() throws {
    var coordinator = Self.coordinator()
    coordinator.join(peer1)
    let read = try #require(coordinator.says(peer1, Self.request(Self.digest(1))).reads.first)
    coordinator.join(peer1, Examples.hello(incarnation: 2))
    #expect(coordinator.handle(.shardRead(read, .part([5], fileBytes: 1)), now: .ms(2)).sent.isEmpty)
    #expect(coordinator.handle(.shardRead(read, .unavailable("no")), now: .ms(2)).sent.isEmpty)
  }

  /// Has a worker compute all that it is given, and what it is given for that.
  /// - Returns: how many tiles that were.
  private static func drain(
    _ coordinator: inout Coordinator, _ peer: PeerID, _ work: [Work], _ values: TileValues, at now: Instant
  ) -> Int {
    var (waiting, tiles) = (work, 0)
    while !waiting.isEmpty {
      let work = waiting.removeFirst()
      tiles += work.subtrees.reduce(0) { $0 + 1 << Int($1.level) }
      waiting += coordinator.answers(peer, work, values, at: now).work(for: peer)
    }
    return tiles
  }

  @Test("while a worker asks for its data others leave it its home, but take what a lost worker had")
  func gathering() {
    var coordinator = Self.coordinator()
    coordinator.join(peer1)
    coordinator.join(peer2, Examples.hello(processID: 200))
    coordinator.join(peer3, Examples.hello(processID: 300))
    let values = TileValues(shape: Examples.shape([96], cost: 1e9), seed: 1)
    let begun = coordinator.handle(.begin(Examples.job(values.shape)), now: .ms(0))
    _ = coordinator.says(peer1, Self.request(Self.digest(1)))
    _ = coordinator.says(peer3, Self.request(Self.digest(2)))
    #expect(
      Self.drain(&coordinator, peer2, begun.work(for: peer2), values, at: .ms(10)) == 32, "its home alone")
    let lost = coordinator.handle(.unreachable(peer3), now: .ms(20))
    let rescued = Self.drain(&coordinator, peer2, lost.work(for: peer2), values, at: .ms(30))
    #expect((1...32).contains(rescued), "\(rescued)")
    // What the lost worker had not been given yet is its home still.
    #expect(coordinator.handle(.tick, now: .ms(1000)).work(for: peer2).isEmpty)
    let beat = Beat(progress: 1, isReady: true, isReceiving: false, heardUpTo: 0, assignments: [])
    var given = 0
    for now in stride(from: 1000, to: 9000, by: 100) {
      _ = coordinator.says(peer1, .beat(beat), at: .ms(now))
      let work = coordinator.handle(.tick, now: .ms(now)).work(for: peer2)
      if now < CoordinationLimits.gathering_ms { #expect(work.isEmpty, "\(now) ms") }
      given += Self.drain(&coordinator, peer2, work, values, at: .ms(now))
      if given > 0 { break }
    }
    #expect(given > 0)
  }

  @Test(
    "tiles of a worker that waits for its data are not given to others as well, for as long as it says so")
  func noCopies() throws {
    var coordinator = Self.coordinator()
    coordinator.join(peer1)
    coordinator.join(peer2, Examples.hello(processID: 200))
    let values = TileValues(shape: Examples.shape([2]), seed: 1)
    let begun = coordinator.handle(.begin(Examples.job(values.shape)), now: .ms(0))
    for work in begun.work(for: peer2) { _ = coordinator.answers(peer2, work, values, at: .ms(10)) }
    let mine = begun.work(for: peer1).map(\.assignment)
    #expect(!mine.isEmpty)
    let read = try #require(coordinator.says(peer1, Self.request(Self.digest(1)), at: .ms(20)).reads.first)
    for second in 1...100 {
      for peer in [peer1, peer2] {
        let beat = Beat(
          progress: UInt64(peer == peer2 ? second : 0), isReady: true, isReceiving: peer == peer1,
          assignments: peer == peer1 ? mine : [])
        _ = coordinator.says(peer, .beat(beat), at: .ms(second * 1000))
      }
      let actions = coordinator.handle(.tick, now: .ms(second * 1000))
      #expect(actions.work(for: peer2).isEmpty && actions.warnings.isEmpty)
    }
    _ = coordinator.handle(.shardRead(read, .part([5], fileBytes: 1)), now: .ms(100_000))
    // It has its data now, and computes on for much longer than expected.
    let end = Beat(progress: 1, isReady: true, assignments: mine)
    _ = coordinator.says(peer1, .beat(end), at: .ms(100_100))
    #expect(coordinator.handle(.tick, now: .ms(100_200)).work(for: peer2).isEmpty)
    #expect(!coordinator.handle(.tick, now: .ms(102_000)).work(for: peer2).isEmpty)
  }

  // MARK: The worker

  /// A worker that has registered and is ready.
  private static func worker() -> Worker {
    var worker = Worker(hello: Examples.hello())
    _ = worker.handle(.started, now: .ms(0))
    let welcome = Welcome(beatInterval_ms: 1000, silenceLimit_ms: 15_000, incarnation: 1, setup: [1, 2, 3])
    _ = worker.handle(.received(Examples.message(.welcome(welcome))), now: .ms(0))
    _ = worker.handle(.prepared(setupDigest: "s1", dataDigest: "d1"), now: .ms(0))
    return worker
  }

  private static func content(_ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 11) }
  }

  private static func part(_ content: [UInt8], _ number: Int, of digest: Digest) -> Message {
    let range = number * frame..<min((number + 1) * frame, content.count)
    return Examples.message(
      .shardPart(
        ShardPart(
          digest: digest.bytes, offset: UInt64(range.lowerBound), fileBytes: UInt64(content.count),
          ticket: UInt64(number), bytes: Array(content[range]))))
  }

  @Test(
    "a file comes whole whatever order its parts come in, how often, and which of them are lost on the way",
    arguments: (0..<40) as Range<UInt64>)
  func anyOrder(_ seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    let content = Self.content(Int.random(in: 1...5 * Self.frame, using: &generator))
    let digest = Digest.of(content)
    var worker = Self.worker()
    var file: [UInt8] = []
    var isChecked = false
    var clock = 0
    var onTheirWay: [Message] = []
    func act(_ actions: [WorkerAction], _ worker: inout Worker) {
      for action in actions {
        switch action {
        case .send(let message):
          guard case .shardRequest(let request) = message.content else { continue }
          #expect(request.digest == digest.bytes)
          let copies = [0, 1, 1, 1, 2].randomElement(using: &generator) ?? 1
          let part = Self.part(content, Int(request.offset) / Self.frame, of: digest)
          onTheirWay += [Message](repeating: part, count: copies)
        case .shard(.begin(_, let byteCount)): file = [UInt8](repeating: 0, count: Int(byteCount))
        case .shard(.write(_, let offset, let bytes)):
          file.replaceSubrange(Int(offset)..<Int(offset) + bytes.count, with: bytes)
        case .shard(.check(let name)):
          isChecked = true
          act(worker.handle(.shardChecked(name, isWhole: true), now: .ms(clock)), &worker)
        case .shard(.failed(_, let failure)): Issue.record("\(failure), seed \(seed)")
        default: break
        }
      }
    }
    act(worker.handle(.wanted([digest]), now: .ms(clock)), &worker)
    while !isChecked, clock < 3_600_000 {
      clock += 100
      // The coordinator's beats keep the session.
      act(worker.handle(.received(Examples.message(.beat(Beat(progress: 1)))), now: .ms(clock)), &worker)
      act(worker.handle(.tick(progress: 0), now: .ms(clock)), &worker)
      if !onTheirWay.isEmpty, Bool.random(using: &generator) {
        let message = onTheirWay.remove(at: Int.random(in: onTheirWay.indices, using: &generator))
        act(worker.handle(.received(message), now: .ms(clock)), &worker)
      }
    }
    #expect(isChecked && file == content, "seed \(seed)")
    // What comes late is read and changes nothing.
    for message in onTheirWay {
      let actions = worker.handle(.received(message), now: .ms(clock))
      #expect(actions.count == 1, "seed \(seed)")
    }
  }

  @Test(
    "files come one after the other; beats say that the worker waits, and at once when it does not any more")
  func beats() {
    var worker = Self.worker()
    let contents = [Self.content(10), Self.content(20)]
    let digests = contents.map { Digest.of($0) }
    let asked = worker.handle(.wanted(digests + digests), now: .ms(0))
    #expect(asked.requests.map(\.digest) == [digests[0].bytes])
    #expect(worker.handle(.tick(progress: 0), now: .ms(1000)).beats.map(\.isReceiving) == [true])
    var actions = worker.handle(.received(Self.part(contents[0], 0, of: digests[0])), now: .ms(1001))
    #expect(actions.shards.last == .check(digests[0]))
    actions = worker.handle(.shardChecked(digests[0], isWhole: true), now: .ms(1002))
    #expect(actions.requests.map(\.digest) == [digests[1].bytes] && actions.beats.isEmpty)
    _ = worker.handle(.received(Self.part(contents[1], 0, of: digests[1])), now: .ms(1003))
    actions = worker.handle(.shardChecked(digests[1], isWhole: true), now: .ms(1004))
    #expect(actions.requests.isEmpty && actions.beats.map(\.isReceiving) == [false])
  }

  @Test("more parts are asked for at once while they come quickly, and one at a time while they come slowly")
  func window() {
    var worker = Self.worker()
    let content = Self.content(40 * Self.frame)
    let digest = Digest.of(content)
    var asked = worker.handle(.wanted([digest]), now: .ms(0)).requests.map { Int($0.offset) / Self.frame }
    var most = 0
    var clock = 0
    for round in 0..<30 where !asked.isEmpty {
      clock += round < 15 ? 10 : 2_000
      let next = asked.removeFirst()
      let actions = worker.handle(.received(Self.part(content, next, of: digest)), now: .ms(clock))
      asked += actions.requests.map { Int($0.offset) / Self.frame }
      most = max(most, asked.count)
    }
    #expect(most > 1 && most <= CoordinationLimits.shardParts)
    #expect(asked.count == 1)
  }

  @Test("a damaged file is asked for once more, and then given up with a clear word")
  func damage() {
    var worker = Self.worker()
    let content = Self.content(2 * Self.frame + 5)
    let digest = Digest.of(content)
    var actions = worker.handle(.wanted([digest]), now: .ms(0))
    for attempt in 1...2 {
      var requests = actions.requests
      while let request = requests.first {
        requests.removeFirst()
        actions = worker.handle(
          .received(Self.part(content, Int(request.offset) / Self.frame, of: digest)), now: .ms(attempt))
        requests += actions.requests
      }
      #expect(
        actions.shards == [
          .write(digest, offset: UInt64(2 * Self.frame), bytes: Array(content.suffix(5))), .check(digest),
        ])
      actions = worker.handle(.shardChecked(digest, isWhole: false), now: .ms(attempt))
      if attempt == 1 { #expect(actions.requests.map(\.offset) == [0] && actions.notes.count == 1) }
    }
    guard case .failed(digest, let failure)? = actions.shards.first else {
      Issue.record("\(actions)")
      return
    }
    #expect(failure.exitCode == ExitCode.badData && failure.message.contains("came damaged 2 times"))
  }

  @Test("a file whose size changes on the way is damaged")
  func otherSize() {
    var worker = Self.worker()
    let content = Self.content(3 * Self.frame)
    let digest = Digest.of(content)
    _ = worker.handle(.wanted([digest]), now: .ms(0))
    _ = worker.handle(.received(Self.part(content, 0, of: digest)), now: .ms(1))
    let longer = worker.handle(.received(Self.part(content + [1], 1, of: digest)), now: .ms(2))
    #expect(longer.notes.count == 1 && longer.requests.map(\.offset) == [0])
  }

  @Test("a refusal names the file and ends the wait; the next file is asked for")
  func refused() {
    var worker = Self.worker()
    let digests = [Self.digest(1), Self.digest(2)]
    _ = worker.handle(.wanted(digests), now: .ms(0))
    let refusal = ShardRefusal(digest: digests[0].bytes, message: "no such file")
    let actions = worker.handle(.received(Examples.message(.shardRefused(refusal))), now: .ms(1))
    guard case .failed(digests[0], let failure)? = actions.shards.first else {
      Issue.record("\(actions)")
      return
    }
    #expect(failure.message.contains("no such file") && failure.exitCode == ExitCode.badData)
    #expect(actions.requests.map(\.digest) == [digests[1].bytes])
  }

  @Test(
    "what does not come is asked for again, and given up in the end; a stopped process begins to wait anew")
  func patience() {
    var worker = Self.worker()
    let digest = Self.digest(1)
    var requests = worker.handle(.wanted([digest]), now: .ms(0)).requests.count
    var clock = 0
    var failure: RunFailure?
    while failure == nil, clock < 3 * CoordinationLimits.shardPatience_ms {
      // Stopped once for longer than anybody waits.
      clock += clock == 60_000 ? CoordinationLimits.shardPatience_ms : 1_000
      _ = worker.handle(.received(Examples.message(.beat(Beat(progress: 1)))), now: .ms(clock))
      let actions = worker.handle(.tick(progress: 0), now: .ms(clock))
      requests += actions.requests.count
      for case .failed(_, let why) in actions.shards { failure = why }
    }
    #expect(failure?.exitCode == ExitCode.unavailable)
    #expect(clock > 2 * CoordinationLimits.shardPatience_ms)
    #expect((30...60).contains(requests), "\(requests)")
  }

  // MARK: Relays

  @Test("a relay brings a file once for all its workers, and refuses what there is not without ending")
  func relay() throws {
    var relay = Relay(hello: Examples.hello(processID: 500), epoch: 9)
    _ = relay.handle(.up(.started), now: .ms(0))
    let welcome = Welcome(
      beatInterval_ms: 1000, silenceLimit_ms: 15_000, incarnation: 1, setup: [1, 2, 3],
      numerics: Welcome.Numerics(fingerprint: "f1", words: "Haswell", isMixed: false))
    _ = relay.handle(.up(.received(Examples.message(.welcome(welcome)))), now: .ms(0))
    _ = relay.handle(.prepared(setupDigest: "s1", dataDigest: "d1", shapes: [:]), now: .ms(0))
    func below(_ peer: PeerID, _ content: Message.Content, _ now: Int) -> [RelayAction] {
      var sessions: [PeerID: UInt32] = [peer1: 1, peer2: 2]
      if case .hello = content { sessions = [:] }
      let message = Message(
        run: Examples.run, epoch: 10, session: sessions[peer] ?? 0, content: content)
      return relay.handle(.down(.received(peer, message)), now: .ms(now))
    }
    for (peer, process) in [(peer1, 100), (peer2, 200)] {
      _ = below(peer, .hello(Examples.hello(processID: process)), 1)
      _ = below(peer, Examples.ready, 1)
    }
    let content = Self.content(7)
    let digest = Digest.of(content)
    var asked = 0
    for peer in [peer1, peer2] {
      let read = try #require(below(peer, Self.request(digest), 2).reads.first)
      #expect(read.peer == peer)
      asked += relay.handle(.shardMissing(read), now: .ms(2)).requests.count
    }
    #expect(asked == 1)
    _ = relay.handle(.up(.received(Self.part(content, 0, of: digest))), now: .ms(3))
    let reads = relay.handle(.shardChecked(digest, isWhole: true), now: .ms(4)).reads
    #expect(reads.map(\.peer) == [peer1, peer2])
    for read in reads {
      let sent = relay.handle(.down(.shardRead(read, .part(content, fileBytes: 7))), now: .ms(5)).down
      #expect(sent.count == 1 && sent[0].0 == read.peer)
    }
    // Nonsense from a worker.
    let nonsense = try #require(below(peer2, Self.request(Self.digest(9)), 6).reads.first)
    #expect(relay.handle(.shardMissing(nonsense), now: .ms(6)).requests.count == 1)
    let refusal = ShardRefusal(digest: Self.digest(9).bytes, message: "no such file")
    let answer = relay.handle(.up(.received(Examples.message(.shardRefused(refusal)))), now: .ms(7))
    #expect(answer.down.map(\.0) == [peer2])
    guard case .shardRefused(let passedOn)? = answer.down.first?.1 else {
      Issue.record("\(answer)")
      return
    }
    #expect(passedOn.digest == Self.digest(9).bytes && passedOn.message.contains("no such file"))
    #expect(!answer.contains { if case .exit = $0 { true } else { false } })
  }
}

extension Array where Element == CoordinatorAction {
  fileprivate var reads: [ShardRead] {
    compactMap { if case .readShard(let read) = $0 { read } else { nil } }
  }
}

extension Array where Element == WorkerAction {
  fileprivate var requests: [ShardRequest] {
    sent.compactMap { if case .shardRequest(let request) = $0.content { request } else { nil } }
  }
  fileprivate var beats: [Beat] {
    sent.compactMap { if case .beat(let beat) = $0.content { beat } else { nil } }
  }
  fileprivate var shards: [ShardAction] {
    compactMap { if case .shard(let action) = $0 { action } else { nil } }
  }
  fileprivate var notes: [String] {
    compactMap { if case .note(let text) = $0 { text } else { nil } }
  }
}

extension Array where Element == RelayAction {
  fileprivate var reads: [ShardRead] {
    compactMap { if case .readShard(let read) = $0 { read } else { nil } }
  }
  fileprivate var requests: [ShardRequest] {
    compactMap {
      if case .sendUp(let message) = $0, case .shardRequest(let request) = message.content {
        request
      } else {
        nil
      }
    }
  }
  fileprivate var down: [(PeerID, Message.Content)] {
    compactMap { if case .sendDown(let peer, let message) = $0 { (peer, message.content) } else { nil } }
  }
}
