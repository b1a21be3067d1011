import NumericsKit
import Wire

/// A worker upwards and a coordinator downwards, so that a coordinator talks to one peer a rack and not to each worker
/// in it.
///
/// It is made of the two machines: what the ``Worker`` is to compute becomes a portion of a job of the relay's own
/// ``Coordinator``, which splits it among the workers that it has and reduces their sums along the canonical tree. Set-up,
/// context and state come once and go to each worker once. Who computes what, and over how many steps it is
/// summed, changes no bit.
///
/// When the coordinator above is lost, the workers stay registered here, and the relay looks for the next one. When the
/// relay is lost, its workers look for its successor as they would for a coordinator's.
public struct Relay: Sendable {
  private var worker: Worker
  private var coordinator: Coordinator?
  private let hello: Hello
  private var epoch: UInt64
  /// Digests and shapes of the set-up that the coordinator below was made for.
  private var prepared: (setupDigest: String, dataDigest: String, shapes: [UInt8: JobShape])?
  /// The set-up that is being read.
  private var setup: [UInt8] = []
  /// Whether the coordinator above waits for this relay to have workers.
  private var isAwaited = false
  /// The job of the coordinator above that is open below.
  private var job: JobKey?
  /// The context of the coordinator above that is known: its number and epoch there, and what it is here. Coordinators
  /// count anew, the workers stay.
  private var context: (number: UInt64, epoch: UInt64, here: SharedContext)?
  private var nextContext: UInt64 = 1
  /// Assignments from above that are portions below.
  private var portions: [UInt64] = []
  /// Hellos that came before there was a run to take part in, by their worker.
  private var pending: [String: (peer: PeerID, message: Message)] = [:]
  /// The coordinator's last word, while it is acted on.
  private var goodbye: Goodbye?
  private var forwardedWarnings = 0
  /// Parts of files that workers wait for, and that are not here yet.
  private var waitingReads: [ShardRead] = []
  /// Bytes that no worker knows.
  private let secret: [UInt8]
  private let employsAll: Bool

  /// - Parameters:
  ///   - hello: who the relay is; `isRelay` is set.
  ///   - epoch: a number larger than that of any relay before it at the same endpoint.
  ///   - patience_ms: how long to look for a coordinator before giving up; nil: for ever.
  ///   - secret: bytes that no worker knows.
  ///   - employsAll: whether all of its workers take part in whatever comes to it.
  public init(
    hello: Hello, epoch: UInt64, patience_ms: Int? = CoordinationLimits.greeting_ms, secret: [UInt8] = [],
    employsAll: Bool = false
  ) {
    self.secret = secret
    self.employsAll = employsAll
    var hello = hello
    hello.isRelay = true
    self.hello = hello
    self.epoch = epoch
    worker = Worker(hello: hello, patience_ms: patience_ms)
  }

  /// The workers that take part now, and their threads.
  public var crew: Crew { coordinator?.crew ?? Crew() }

  /// Bytes of bulk that a worker may send in one message.
  public func bulkLimit(for peer: PeerID) -> Int { coordinator?.bulkLimit(for: peer) ?? 0 }

  /// Bytes of results that a worker may have on their way. Nil for a stranger.
  public func resultBytes(for peer: PeerID) -> Int? { coordinator?.resultBytes(for: peer) }

  /// Counters of the workers behind it.
  public var statistics: Coordinator.Statistics { coordinator?.statistics ?? Coordinator.Statistics() }

  /// Entries of every table that grows with what peers do, for tests of their limits.
  package var tableSize: Int {
    (coordinator?.tableSize ?? 0) + pending.count + portions.count + waitingReads.count
  }

  /// Takes an event and returns what is to be done, in order.
  public mutating func handle(_ event: RelayEvent, now: Instant) -> [RelayAction] {
    switch event {
    case .up(let event):
      if case .received(let message) = event, case .goodbye(let goodbye) = message.content {
        self.goodbye = goodbye
      }
      defer { goodbye = nil }
      return tellWorker(event, now: now)
    case .down(let event): return tellCoordinator(Relay.checked(event), now: now)
    case .prepared(let setupDigest, let dataDigest, let shapes):
      return take((setupDigest, dataDigest, shapes), now: now)
    case .preparationFailed(let failure): return tellWorker(.preparationFailed(failure), now: now)
    case .wanted(let digests): return tellWorker(.wanted(digests), now: now)
    case .shardMissing(let read):
      waitingReads.removeAll { coordinator?.session(of: $0.peer) != $0.session }
      waitingReads.append(read)
      return tellWorker(.wanted([read.digest]), now: now)
    case .shardChecked(let digest, let isWhole):
      let actions = tellWorker(.shardChecked(digest, isWhole: isWhole), now: now)
      return actions + (isWhole ? takeWaiting(digest).map { .readShard($0) } : [])
    case .tick:
      let below = coordinator == nil ? [] : tellCoordinator(.tick, now: now)
      return below + tellWorker(.tick(progress: coordinator?.progress ?? 0), now: now)
    }
  }

  // MARK: Above

  /// Lets the worker's machine act on an event.
  private mutating func tellWorker(_ event: WorkerEvent, now: Instant) -> [RelayAction] {
    var actions: [RelayAction] = []
    for action in worker.handle(event, now: now) {
      switch action {
      case .connect:
        isAwaited = false
        actions.append(.connect)
      case .send(let message): actions.append(.sendUp(message))
      case .prepare(let bytes):
        setup = bytes
        actions.append(.prepare(setup: bytes))
      case .compute(let computation): actions += split(computation, now: now)
      case .forget(let assignments):
        portions.removeAll { assignments.contains($0) }
        actions += tellCoordinator(.cancel(assignments), now: now)
      case .shard(let action):
        actions.append(.shard(action))
        guard case .failed(let digest, let failure) = action else { continue }
        for read in takeWaiting(digest) {
          actions += tellCoordinator(.shardRead(read, .unavailable(failure.message)), now: now)
        }
      case .note(let text): actions.append(.log(.info, text))
      case .exit(let code, let message): actions += exit(code, message, now: now)
      }
    }
    return actions
  }

  /// Makes a portion of an assignment; the first one of a job opens it.
  private mutating func split(_ computation: Computation, now: Instant) -> [RelayAction] {
    var actions: [RelayAction] = []
    if let bytes = computation.contextBytes {
      context = (
        computation.context, computation.job.epoch, SharedContext(number: nextContext, bytes: bytes)
      )
      nextContext += 1
    }
    if let state = computation.state, computation.job != job {
      guard let shape = prepared?.shapes[computation.jobKind] else {
        return refuse(
          computation.assignment, "this run's plan has no job of kind \(computation.jobKind)", now: now)
      }
      guard let shared = sharedContext(of: computation) else {
        return refuse(computation.assignment, "work came without its job's context", now: now)
      }
      // Nobody waits for the job before it any more.
      let abandoned = portions
      portions = []
      job = computation.job
      actions += tellCoordinator(
        .open(
          Job(
            kind: computation.jobKind, iteration: computation.iteration, state: state,
            context: shared.first, shape: shape)), now: now)
      if !abandoned.isEmpty { actions += tellWorker(.handedBack(abandoned), now: now) }
    }
    guard computation.job == job else {
      return refuse(computation.assignment, "work came without its job's state", now: now)
    }
    portions.append(computation.assignment)
    return actions
      + tellCoordinator(
        .add(portion: computation.assignment, subtrees: computation.subtrees), now: now)
  }

  /// The context that a job needs, if any; nil when it needs one that is not known.
  private func sharedContext(of computation: Computation) -> [SharedContext]? {
    guard computation.context != 0 else { return [] }
    guard let context, context.number == computation.context, context.epoch == computation.job.epoch else {
      return nil
    }
    return [context.here]
  }

  private mutating func refuse(_ assignment: UInt64, _ text: String, now: Instant) -> [RelayAction] {
    tellWorker(
      .computationFailed(assignment: assignment, RunFailure(exitCode: ExitCode.software, message: text)),
      now: now)
  }

  /// The set-up is read: workers that have it go on with it, others make theirs anew.
  private mutating func take(
    _ new: (setupDigest: String, dataDigest: String, shapes: [UInt8: JobShape]), now: Instant
  ) -> [RelayAction] {
    guard let session = worker.session else { return [] }
    var actions: [RelayAction] = []
    let isSame =
      prepared.map { $0.setupDigest == new.setupDigest && $0.dataDigest == new.dataDigest } ?? false
    if !isSame || coordinator?.configuration.run != session.run || !accepts(session.numerics) {
      let known = coordinator?.peers ?? []
      epoch += 1
      var configuration = Coordinator.Configuration(
        run: session.run, epoch: epoch, version: hello.version, build: hello.build,
        fingerprint: session.numerics.fingerprint, numerics: session.numerics.words, setup: setup,
        setupDigest: new.setupDigest, dataDigest: new.dataDigest, mixedNumerics: session.numerics.isMixed,
        workersToStart: 1, workerTimeout_ms: .max, silenceLimit_ms: session.silenceLimit_ms)
      configuration.isRelay = true
      configuration.servesShards = true
      configuration.secret = secret
      configuration.employsAll = employsAll
      waitingReads = []
      coordinator = Coordinator(configuration: configuration)
      actions += known.map { .sendDown($0, Message(run: session.run, epoch: epoch, content: .registerAgain)) }
    } else {
      // Another coordinator of the same run has not heard of them.
      for notice in coordinator?.introductions ?? [] { actions += tellWorker(.told(notice), now: now) }
    }
    prepared = new
    portions = []
    if !waitingReads.isEmpty { actions += tellWorker(.wanted(waitingReads.map(\.digest)), now: now) }
    job = nil
    isAwaited = true
    // Names differ, so that the order of the table does not matter but for the log.
    let waiting = pending.values.sorted { $0.peer < $1.peer }
    pending = [:]
    for (peer, message) in waiting { actions += tellCoordinator(.received(peer, message), now: now) }
    return actions + answerIfReady(now: now)
  }

  /// The parts of a file that are waited for; nobody waits for them any more.
  private mutating func takeWaiting(_ digest: Digest) -> [ShardRead] {
    let waiting = waitingReads.filter { $0.digest == digest }
    waitingReads.removeAll { $0.digest == digest }
    return waiting
  }

  private func accepts(_ numerics: Welcome.Numerics) -> Bool {
    coordinator?.configuration.fingerprint == numerics.fingerprint
      && coordinator?.configuration.mixedNumerics == numerics.isMixed
  }

  /// Says that the set-up is done once there is a worker to compute.
  private mutating func answerIfReady(now: Instant) -> [RelayAction] {
    guard isAwaited, let prepared, crew.threads > 0 else { return [] }
    isAwaited = false
    return tellWorker(
      .prepared(setupDigest: prepared.setupDigest, dataDigest: prepared.dataDigest), now: now)
  }

  // MARK: Below

  /// Nobody is a child of a relay, whatever they say.
  private static func checked(_ event: CoordinatorEvent) -> CoordinatorEvent {
    guard case .received(let peer, var message) = event, case .hello(var hello) = message.content else {
      return event
    }
    hello.isLocalChild = false
    message.content = .hello(hello)
    return .received(peer, message)
  }

  /// Lets the coordinator's machine act on an event.
  private mutating func tellCoordinator(_ event: CoordinatorEvent, now: Instant) -> [RelayAction] {
    guard coordinator != nil else {
      keep(event)
      return []
    }
    let before = crew
    var actions: [RelayAction] = []
    let wanted = coordinator?.handle(event, now: now) ?? []
    let after = crew
    // First of all how many there are: without any, nothing that is given back comes again.
    if after != before {
      actions += tellWorker(.crewChanged(after, progress: coordinator?.progress ?? 0), now: now)
      if after.threads == 0, !portions.isEmpty {
        let abandoned = portions
        portions = []
        _ = coordinator?.handle(.cancel(abandoned), now: now)
        actions += tellWorker(.handedBack(abandoned), now: now)
      }
    }
    for action in wanted {
      switch action {
      case .send(let peer, let message): actions.append(.sendDown(peer, message))
      case .drop(let peer): actions.append(.drop(peer))
      case .readShard(let read): actions.append(.readShard(read))
      case .portionCompleted(let number, let sums, let seconds):
        portions.removeAll { $0 == number }
        actions += tellWorker(
          .computed(assignment: number, sums: Float64Bytes.encode(sums), seconds: seconds), now: now)
      case .portionRefused(let number):
        portions.removeAll { $0 == number }
        actions += refuse(number, "the coordinator asks for subtrees that this run's plan has not", now: now)
      case .crew(var notice):
        notice.job = job?.number ?? 0
        actions += tellWorker(.told(notice), now: now)
      case .log(let level, let text):
        actions.append(.log(level, text))
        if level != .info { actions += forward(text, now: now) }
      case .failed(let failure):
        let notice = CrewNotice(kind: .fatal, text: failure.message, exitCode: failure.exitCode)
        actions += tellWorker(.told(notice), now: now)
        actions += tellWorker(.preparationFailed(failure), now: now)
      // A fit's coordinator begins whole jobs; a relay's never does.
      case .completed: break
      }
    }
    return actions + answerIfReady(now: now)
  }

  /// A warning of a worker belongs into the fit's log, too.
  private mutating func forward(_ text: String, now: Instant) -> [RelayAction] {
    forwardedWarnings += 1
    guard forwardedWarnings <= CoordinationLimits.loggedRefusals else { return [] }
    return tellWorker(.told(CrewNotice(kind: .warning, text: text)), now: now)
  }

  /// Hellos wait for a run; whatever else comes before there is one says nothing.
  private mutating func keep(_ event: CoordinatorEvent) {
    switch event {
    case .received(let peer, let message):
      guard case .hello(let hello) = message.content,
        pending[hello.worker] != nil || pending.count < WireLimits.peers
      else { return }
      pending[hello.worker] = (peer, message)
    case .unreachable(let peer): pending = pending.filter { $0.value.peer != peer }
    default: break
    }
  }

  /// Tells the workers and ends: with the run, or so that they wait for another relay.
  private mutating func exit(_ code: Int32, _ message: String, now: Instant) -> [RelayAction] {
    let word =
      goodbye.flatMap { $0.exitCode == ExitCode.interrupted ? nil : $0 }
      ?? Goodbye(exitCode: ExitCode.interrupted, message: "the relay has gone: \(message)")
    let farewell = coordinator?.handle(.end(exitCode: word.exitCode, message: word.message), now: now) ?? []
    coordinator = nil
    return farewell.compactMap {
      if case .send(let peer, let message) = $0 { .sendDown(peer, message) } else { nil }
    } + [.exit(code: code, message: message)]
  }
}
