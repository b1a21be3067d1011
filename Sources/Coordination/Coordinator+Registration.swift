import Wire

/// Who takes part: hello, welcome, ready; and who does not.
extension Coordinator {
  mutating func register(_ hello: Hello, at peer: PeerID, now: Instant) -> [CoordinatorAction] {
    var actions: [CoordinatorAction] = []
    var registrations = 1
    // The same process once more: over the same connection, or over a new one after the old one broke.
    // (A name stands in one record at most, so that the order of the table does not matter.)
    if let (known, record) = workers.first(where: { $0.value.hello.worker == hello.worker }) {
      // An older hello that comes late, or the same one twice, says nothing new.
      guard hello.incarnation > record.hello.incarnation else { return [] }
      actions += lose(known, .replaced, because: "it registers anew", now: now)
      if known != peer {
        actions.append(.drop(known))
      } else {
        // Each is answered with the set-up, which somebody who reads nothing leaves to this side to keep.
        registrations = record.registrations + 1
        guard registrations <= CoordinationLimits.registrationsPerConnection else {
          let text = "\(record.name) registers again and again over one connection: it is turned away"
          return actions + [.log(.warning, text), .drop(peer)]
        }
      }
    }
    if workers[peer] != nil {
      return actions
        + lose(peer, .violation, because: "two workers registered over one connection", now: now)
    }
    guard workers.count < WireLimits.peers else {
      return actions
        + refuse(peer, .full, "this run has \(WireLimits.peers) workers, which is its limit", hello)
    }
    guard hello.version == configuration.version, hello.build == configuration.build else {
      return actions
        + refuse(
          peer, .build,
          "the coordinator runs isomix \(configuration.version) (build \(configuration.build)), "
            + "the worker \(hello.version) (build \(hello.build)): install the same build on both hosts",
          hello)
    }
    // A relay only adds, which gives the same bits everywhere; it looks after its workers' numerics itself.
    guard configuration.mixedNumerics || hello.isRelay || hello.fingerprint == configuration.fingerprint
    else {
      return actions
        + refuse(
          peer, .numerics,
          "this worker's CPU or libraries would give other bits (here \(hello.numerics); at the coordinator "
            + "\(configuration.numerics)). Pin both with OPENBLAS_CORETYPE and GLIBC_TUNABLES, or start the "
            + "fit with --mixed-numerics to accept it", hello)
    }
    var record = WorkerRecord(hello: hello, session: nextSession, heardUpTo: nextAssignment, now: now)
    record.registrations = registrations
    nextSession &+= 1
    workers[peer] = record
    job?.acquit(worker: hello.worker)
    departures.removeAll { $0.worker == hello.worker }
    strangers.removeValue(forKey: peer)
    let isNew = seen.count >= CoordinationLimits.countedWorkers || seen.insert(hello.worker).inserted
    if isNew, !hello.isRelay { statistics.workersSeen += 1 }
    if !hello.isRelay, hello.fingerprint != configuration.fingerprint {
      actions.append(
        .log(
          .warning,
          "\(record.name) computes with other numerics (\(hello.numerics)) than the coordinator "
            + "(\(configuration.numerics)): the bits of this fit may not come again (--mixed-numerics)"))
    }
    let welcome = Welcome(
      beatInterval_ms: CoordinationLimits.beatInterval_ms,
      silenceLimit_ms: max(configuration.silenceLimit_ms, CoordinationLimits.coordinatorSilence_ms),
      incarnation: hello.incarnation,
      setup: configuration.setup,
      numerics: Welcome.Numerics(
        fingerprint: configuration.fingerprint, words: configuration.numerics,
        isMixed: configuration.mixedNumerics
      ))
    let verb = isNew ? "registered" : "came back"
    let strength = hello.isRelay ? "" : " with \(hello.threads) thread(s)"
    return actions + [.log(.info, "\(record.name) \(verb)\(strength)"), send(peer, .welcome(welcome))]
      + tell(.joined, record, "\(verb)\(strength)")
  }

  private mutating func refuse(_ peer: PeerID, _ reason: Refusal.Reason, _ text: String, _ hello: Hello)
    -> [CoordinatorAction]
  {
    refusals += 1
    let log = CoordinatorAction.log(
      .warning, "refused worker \(hello.host)/\(hello.processID): \(text)")
    return (refusals <= CoordinationLimits.loggedRefusals ? [log] : []) + [
      send(peer, .refused(Refusal(reason: reason, message: text))), .drop(peer),
    ]
  }

  mutating func becomeReady(_ ready: Ready, peer: PeerID, now: Instant) -> [CoordinatorAction] {
    // A message that comes twice says nothing new.
    guard let record = workers[peer], record.phase == .preparing else { return [] }
    guard ready.setupDigest == configuration.setupDigest, ready.dataDigest == configuration.dataDigest else {
      let text = "it prepared other data than this run's (digest \(ready.dataDigest.prefix(12)))"
      if record.isLocalChild { return fail(ExitCode.badData, "\(record.name): \(text)") }
      let refusal = send(peer, .refused(Refusal(reason: .data, message: text)))
      return [refusal] + lose(peer, .violation, because: text, now: now)
    }
    workers[peer]?.phase = .ready
    workers[peer]?.progressedAt = now
    workers[peer]?.crew = record.hello.isRelay ? ready.crew : Crew()
    if record.hello.isRelay, ready.crew.threads == 0 { return [] }
    return enlist(peer, now: now)
  }

  /// Gives a ready worker its place in the roster, and work.
  mutating func enlist(_ peer: PeerID, now: Instant) -> [CoordinatorAction] {
    guard let record = workers[peer], record.isOnRoster else { return [] }
    roster.append(peer)
    timeline.joined(
      worker: record.hello.worker, name: "\(record.hello.host)/\(record.hello.processID)",
      threads: record.threads, now: now)
    firstReadyAt = firstReadyAt ?? now
    let strength = record.hello.isRelay ? " with \(record.workerCount) worker(s)" : ""
    var actions: [CoordinatorAction] = [.log(.info, "\(record.name) is ready\(strength)")]
    guard let running = job else { return actions }
    if running.hasWaitingPortions {
      actions += startIfPossible(now: now)
    } else {
      waitingSince = nil
      actions += dispatch(to: peer, now: now)
    }
    return actions
  }

  /// A worker says why it can't go on.
  mutating func failed(_ failure: WorkerFailure, peer: PeerID, now: Instant) -> [CoordinatorAction] {
    guard let record = workers[peer] else { return [] }
    // A run that a worker ended did not end well, whatever the worker says.
    let exitCode = (1...255).contains(failure.exitCode) ? failure.exitCode : ExitCode.software
    let isAboutInput = [ExitCode.badData, ExitCode.noInput].contains(exitCode)
    // What this machine's own worker can't read or prepare, none of them can.
    if record.isLocalChild, record.phase == .preparing || isAboutInput {
      statistics.workersLost += 1
      return fail(exitCode, "\(record.name) stopped: \(failure.message)")
    }
    guard record.phase == .ready else {
      // It never took part: whoever started it is told there, and the fit goes on without it.
      return lose(peer, .declined, because: failure.message, now: now)
    }
    // Nor is a full disk of its host anything that a tile did.
    let isAboutHost = isAboutInput || exitCode == ExitCode.cannotCreate
    return lose(peer, isAboutHost ? .declined : .failed(exitCode), because: failure.message, now: now)
  }

  // MARK: Strangers

  mutating func malformed(_ peer: PeerID, _ error: WireError, now: Instant) -> [CoordinatorAction] {
    guard workers[peer] != nil else {
      guard error.code == .protocolVersion else { return stranger(peer, "sent nonsense: \(error.message)") }
      let refusal = Refusal(reason: .version, message: error.message)
      return [send(peer, .refused(refusal))] + stranger(peer, "was refused: \(error.message)")
    }
    return lose(
      peer, .violation, because: "it sent a message that makes no sense: \(error.message)", now: now)
  }

  /// A message of somebody without a registration. A worker that was lost, or that knew the coordinator before this
  /// one, is asked to register again; the rest is dropped.
  mutating func answerStranger(_ message: Message, from peer: PeerID) -> [CoordinatorAction] {
    switch message.content {
    case .failure, .goodbye: return []
    case .beat, .result, .ready, .shardRequest, .shardReceived: return invite(peer)
    default: return stranger(peer, "sent a message of kind \(message.kind) before any hello")
    }
  }

  /// Asks a peer to register, a limited number of times.
  mutating func invite(_ peer: PeerID) -> [CoordinatorAction] {
    let count = strangers[peer, default: 0] + 1
    guard count <= CoordinationLimits.invitations,
      strangers[peer] != nil || strangers.count < CoordinationLimits.rememberedStrangers
    else { return stranger(peer, "does not register") }
    strangers[peer] = count
    return [send(peer, .registerAgain)]
  }

  /// Somebody who is no worker of this run: logged, never fatal.
  private mutating func stranger(_ peer: PeerID, _ text: String) -> [CoordinatorAction] {
    strangers.removeValue(forKey: peer)
    guard namedStrangers < CoordinationLimits.loggedStrangers else { return [.drop(peer)] }
    namedStrangers += 1
    return [.log(.warning, "\(peer), which has not registered, \(text)"), .drop(peer)]
  }
}
