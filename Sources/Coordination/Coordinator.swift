import NumericsKit
import Wire

/// The coordinator's side of a run: registers workers, hands out tiles, collects and reduces their sums, and goes on
/// when workers come, go, hang or die.
///
/// A pure state machine: it takes an event and the time and returns actions; it does no I/O, reads no clock
/// and draws no random number. Whatever is lost on the way or said twice, it ends with the sums of the canonical tree:
/// a tile counts once, and what nobody has any more is handed out again.
public struct Coordinator: Sendable {
  public struct Configuration: Sendable {
    public var run: RunID
    public var epoch: UInt64
    public var version: String
    public var build: String
    public var fingerprint: String
    public var numerics: String
    /// What workers need to compute for this run (an opaque document) and its digest.
    public var setup: [UInt8]
    public var setupDigest: String
    /// Digest of the data; empty without data.
    public var dataDigest: String
    /// Accept workers whose numerics may give other bits.
    public var mixedNumerics: Bool
    /// Workers that must be ready before the first job.
    public var workersToStart: Int
    /// How long to wait for workers before giving up.
    public var workerTimeout_ms: Int
    /// After how much silence a worker is lost.
    public var silenceLimit_ms: Int
    /// Whether workers get the data's files from here.
    public var servesShards = false
    /// Bytes that no worker knows, for tickets that none can guess.
    public var secret: [UInt8] = []
    /// Whether every worker takes part in every job, also where fewer would be as fast or faster.
    public var employsAll = false
    /// Floating-point operations a second of one thread to reckon with, where tiles are not really computed; nil: what workers
    /// show.
    public var presumedSpeed: Double?
    /// Whether workers hold the sums of pieces of a block, and send them as one.
    public var gathersSums = false
    /// Whether this is a relay's: it tells its own coordinator of its workers, and leaves it to that one to end the run.
    package var isRelay = false

    public init(
      run: RunID, epoch: UInt64, version: String, build: String, fingerprint: String, numerics: String,
      setup: [UInt8], setupDigest: String, dataDigest: String, mixedNumerics: Bool, workersToStart: Int,
      workerTimeout_ms: Int, silenceLimit_ms: Int = CoordinationLimits.silenceLimit_ms
    ) {
      self.run = run
      self.epoch = epoch
      self.version = version
      self.build = build
      self.fingerprint = fingerprint
      self.numerics = numerics
      self.setup = setup
      self.setupDigest = setupDigest
      self.dataDigest = dataDigest
      self.mixedNumerics = mixedNumerics
      self.workersToStart = workersToStart
      self.workerTimeout_ms = workerTimeout_ms
      self.silenceLimit_ms = silenceLimit_ms
    }
  }

  /// Counters for the summary.
  public struct Statistics: Sendable, Equatable {
    /// Different worker processes that registered.
    public var workersSeen = 0
    /// Workers that were lost; one that comes back and is lost again counts twice.
    public var workersLost = 0
    public var assignments = 0
    public var jobs = 0
    /// Tiles that were handed out again after a loss or as a copy.
    public var redispatchedTiles = 0
    /// Results that came twice and were compared.
    public var duplicates = 0
    /// Bytes of the data's files that were sent to workers.
    public var shardBytes = 0
    /// What jobs of each kind took on the way, by their kind.
    public var traffic: [UInt8: Traffic] = [:]
  }

  /// Messages of work and sums, with their headers.
  public struct Traffic: Sendable, Equatable {
    /// How often a peer (a worker, or a relay) was sent a job's state: once for each job that it takes part in.
    public var shares = 0
    public var bytesDown = 0
    public var bytesUp = 0

    /// Bytes that one peer gets, and sends, in one job, on average.
    public var perShare: (down: Double, up: Double) {
      (Double(bytesDown) / Double(max(1, shares)), Double(bytesUp) / Double(max(1, shares)))
    }
  }

  public let configuration: Configuration
  public internal(set) var statistics = Statistics()
  /// What the workers did, to be shown.
  public internal(set) var timeline = WorkerTimeline()
  /// Workers that were lost and did not come back, for the view.
  var departures: [CoordinatorView.Departure] = []
  var slowness = Slowness()
  var workers: [PeerID: WorkerRecord] = [:]
  /// Ready workers in the order in which they became ready: the order of homes and of hand-out.
  var roster: [PeerID] = []
  var job: RunningJob?
  var settled = SettledPieces()
  var nextJob: UInt64 = 1
  var nextAssignment: UInt64 = 1
  var nextSession: UInt32 = 1
  /// Since when there has been work and nobody to do it.
  var waitingSince: Instant?
  var firstReadyAt: Instant?
  var lastBeat: Instant?
  var lastTick: Instant?
  /// Peers without a registration that said something, and how often they were answered.
  var strangers: [PeerID: Int] = [:]
  var namedStrangers = 0
  var refusals = 0
  var seen: Set<String> = []
  var ticketsGiven: UInt64 = 0
  /// When workers asked for files last, while that is not long ago.
  var fetches: [PeerID: Instant] = [:]
  var speed = CoordinationLimits.assumedSpeed
  /// Workers that took part in the last job of each kind, and how long it took.
  var crewSizes: [UInt8: Int] = [:]
  var jobSeconds: [UInt8: Double] = [:]
  /// How much of their homes workers take first in jobs of each kind.
  var firstShares: [UInt8: FirstShare] = [:]
  var hasNotedResting = false
  private var phase = Phase.running

  private enum Phase: Sendable { case running, ended }

  public init(configuration: Configuration) { self.configuration = configuration }

  /// Workers that take part now, those behind relays too.
  public var readyWorkers: Int { roster.reduce(0) { $0 + (workers[$1]?.workerCount ?? 0) } }

  /// The workers that take part now, and their threads.
  var crew: Crew {
    Crew(workers: readyWorkers, threads: roster.reduce(0) { $0 + (workers[$1]?.threads ?? 0) })
  }

  /// Registered peers.
  var peers: [PeerID] { workers.keys.sorted() }

  /// Counts signs of computing, from any worker.
  var progress: UInt64 = 0

  /// Whether a peer has registered; strangers may send no bulk.
  public func isRegistered(_ peer: PeerID) -> Bool { workers[peer] != nil }

  /// Whether a process that this coordinator started is registered.
  public func hasLocalWorker(processID: Int) -> Bool {
    workers.values.contains { $0.isLocalChild && $0.hello.processID == processID }
  }

  /// Whether a process that this coordinator started has come so far that it takes work.
  public func hasReadyLocalWorker(processID: Int) -> Bool {
    workers.values.contains { $0.isLocalChild && $0.hello.processID == processID && $0.phase == .ready }
  }

  /// Bytes of bulk that a peer may send in one message: what its assignments can amount to.
  public func bulkLimit(for peer: PeerID) -> Int {
    guard let record = workers[peer] else { return 0 }
    return record.assignments.map(\.answerBytes).max() ?? 0
  }

  /// Bytes of results that a peer may have on their way: for all its assignments. Nil for a stranger.
  public func resultBytes(for peer: PeerID) -> Int? {
    workers[peer]?.assignments.reduce(0) { $0 + $1.answerBytes }
  }

  /// The session that a peer's messages carry; nil before it has registered.
  package func session(of peer: PeerID) -> UInt32? { workers[peer]?.session }

  /// Entries of every table that grows with what peers do, for tests of their limits.
  package var tableSize: Int {
    workers.count + roster.count + strangers.count + settled.count + fetches.count + (job?.pieces.count ?? 0)
      + workers.values.reduce(0) { $0 + $1.assignments.count + $1.held.count + $1.credit.count }
  }

  /// Takes an event and returns what is to be done, in order.
  public mutating func handle(_ event: CoordinatorEvent, now: Instant) -> [CoordinatorAction] {
    guard phase == .running else { return [] }
    switch event {
    case .received(let peer, let message): return receive(message, from: peer, now: now)
    case .heard(let peer):
      progress += 1
      workers[peer]?.lastHeard = now
      workers[peer]?.progressedAt = now
      return []
    case .unwanted(let peer): return workers[peer] == nil ? invite(peer) : []
    case .malformed(let peer, let error): return malformed(peer, error, now: now)
    case .unreachable(let peer): return unreachable(peer, now: now)
    case .childExited(let processID, let description):
      return childExited(processID, description, now: now)
    case .tick: return tick(now: now)
    case .begin(let job): return begin(job, now: now)
    case .open(let job): return open(job)
    case .add(let portion, let subtrees): return add(portion: portion, subtrees: subtrees, now: now)
    case .cancel(let portions): return cancel(portions, now: now)
    case .shardRead(let read, let content): return answer(read, content, now: now)
    case .end(let exitCode, let message): return end(exitCode: exitCode, message: message)
    }
  }

  private mutating func receive(_ message: Message, from peer: PeerID, now: Instant) -> [CoordinatorAction] {
    if case .hello(let hello) = message.content { return register(hello, at: peer, now: now) }
    guard let record = workers[peer] else { return answerStranger(message, from: peer) }
    guard message.run == configuration.run, message.epoch == configuration.epoch,
      message.session == record.session
    else { return [] }  // What was said before it registered anew: it says nothing about now.
    workers[peer]?.lastHeard = now
    switch message.content {
    case .ready(let ready): return becomeReady(ready, peer: peer, now: now)
    case .result(let result): return collect(result, from: peer, now: now)
    case .beat(let beat):
      if !beat.isReceiving { endTransfer(of: peer, now: now) }
      return hear(beat, from: peer, now: now)
    case .shardRequest(let request): return serve(request, to: peer, now: now)
    case .shardReceived(let ticket):
      workers[peer]?.credit.acknowledge(ticket: ticket)
      return []
    case .failure(let failure): return failed(failure, peer: peer, now: now)
    case .goodbye(let goodbye): return lose(peer, .left, because: goodbye.message, now: now)
    case .handBack(let handBack) where record.hello.isRelay: return takeBack(handBack, from: peer, now: now)
    case .crew(let notice) where record.hello.isRelay: return hear(notice, from: peer, now: now)
    case .handBack, .crew:
      return lose(
        peer, .violation, because: "it sent a message of kind \(message.kind), which only a relay sends",
        now: now)
    case .hello, .welcome, .refused, .work, .registerAgain, .shardPart, .shardRefused:
      return lose(
        peer, .violation,
        because: "it sent a message of kind \(message.kind), which only a coordinator sends", now: now)
    }
  }

  // MARK: End

  mutating func fail(_ exitCode: Int32, _ text: String) -> [CoordinatorAction] {
    let farewell = end(exitCode: exitCode, message: text)
    return farewell + [.failed(RunFailure(exitCode: exitCode, message: text))]
  }

  private mutating func end(exitCode: Int32, message text: String) -> [CoordinatorAction] {
    phase = .ended
    return workers.keys.sorted().map {
      send($0, .goodbye(Goodbye(exitCode: exitCode, message: text)))
    }
  }

  /// A message to a peer, in the session that it has, if any.
  func send(_ peer: PeerID, _ content: Message.Content) -> CoordinatorAction {
    .send(
      peer,
      Message(
        run: configuration.run, epoch: configuration.epoch, session: workers[peer]?.session ?? 0,
        content: content))
  }
}
