import Foundation

/// The faults that were really injected: a signal was delivered to a living process, and took effect.
public struct FaultCounts: Sendable, Equatable, CustomStringConvertible {
  /// Processes that SIGKILL ended.
  public var kills = 0
  /// Processes that SIGSTOP stopped and SIGCONT woke up, or that were killed while they were stopped.
  public var pauses = 0

  public var total: Int { kills + pauses }

  public var description: String { "\(kills) kills, \(pauses) pauses" }
}

/// A seeded monkey that kills and stops worker processes at random times.
///
///     var monkey = WorkerMonkey(seed: 1)
///     let faults = try await monkey.disturb({ run.workers }, faults: 50, while: { !run.hasEnded })
///     #expect(faults.total == 50)
///
/// The seed decides times, kinds, lengths of pauses and which of the victims is next; what the victims are doing at
/// that time is up to the machine.
public struct WorkerMonkey: Sendable {
  /// Milliseconds from one fault to the next.
  public var interval_ms = 150...600
  /// Milliseconds from SIGSTOP to SIGCONT.
  public var pause_ms = 50...2000
  /// How often a fault is a kill and not a pause, from 0 to 1.
  public var killShare = 0.5
  private var generator: SeededGenerator
  private var asleep: [(process: ProcessEntry, until: ContinuousClock.Instant)] = []

  /// A signal takes effect at once, but a busy machine may take a moment to show it.
  private static let effect_s = 5.0

  public init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

  /// Injects faults until there were enough of them, and waits for the last pause to end. Nobody is left asleep.
  ///
  /// - Parameters:
  ///   - victims: the processes to choose from, asked before each fault.
  ///   - faults: how many to inject.
  ///   - isRunning: the monkey gives up when this is false.
  ///   - seconds: the monkey gives up after this time.
  /// - Returns: what was injected; fewer faults than asked for when the monkey gave up.
  public mutating func disturb(
    _ victims: () -> [pid_t], faults: Int, while isRunning: () -> Bool, within seconds: Double = 120
  ) async throws -> FaultCounts {
    defer { wakeAll() }
    var counts = FaultCounts()
    let deadline = ContinuousClock.now.advanced(by: .seconds(seconds))
    var next = nextTime()
    while counts.total < faults, isRunning(), ContinuousClock.now < deadline {
      wake { $0 <= .now }
      if next <= .now, try await inject(into: victims(), &counts) { next = nextTime() }
      try await Task.sleep(for: .milliseconds(2))
    }
    while !asleep.isEmpty, isRunning() {
      wake { $0 <= .now }
      try await Task.sleep(for: .milliseconds(2))
    }
    return counts
  }

  private mutating func nextTime() -> ContinuousClock.Instant {
    .now.advanced(by: .milliseconds(Int.random(in: interval_ms, using: &generator)))
  }

  /// Injects one fault, if there is anyone to inject it into.
  private mutating func inject(into victims: [pid_t], _ counts: inout FaultCounts) async throws -> Bool {
    let awake = victims.sorted().compactMap(ProcessTable.entry).filter { $0.state != "T" }
    guard let victim = awake.randomElement(using: &generator) else { return false }
    let isKill = Double.random(in: 0..<1, using: &generator) < killShare
    let pause = Int.random(in: pause_ms, using: &generator)
    guard kill(victim.processID, isKill ? SIGKILL : SIGSTOP) == 0 else { return false }
    let process = victim.processID
    let hasTakenEffect = try await eventually(within: WorkerMonkey.effect_s) {
      guard let now = ProcessTable.entry(process), now.start == victim.start else { return isKill }
      return !isKill && now.state == "T"
    }
    guard hasTakenEffect else {
      kill(process, SIGCONT)
      return false
    }
    if isKill {
      counts.kills += 1
    } else {
      counts.pauses += 1
      asleep.append((victim, .now.advanced(by: .milliseconds(pause))))
    }
    return true
  }

  /// Wakes those whose time has come.
  private mutating func wake(_ isDue: (ContinuousClock.Instant) -> Bool) {
    for (process, until) in asleep where isDue(until) {
      // Another process may have got the number meanwhile.
      guard ProcessTable.entry(process.processID)?.start == process.start else { continue }
      kill(process.processID, SIGCONT)
    }
    asleep.removeAll { isDue($0.until) }
  }

  private mutating func wakeAll() { wake { _ in true } }
}

/// A seeded monkey that kills a fit's coordinator again and again, each time after it has written a checkpoint.
public struct CoordinatorMonkey: Sendable {
  /// Milliseconds from a new checkpoint to the kill.
  public var delay_ms = 0...150
  /// How long workers may outlive their coordinator.
  public var farewell_s = 10.0
  private var generator: SeededGenerator

  /// How long a fit gets to write a checkpoint.
  private static let patience_s = 60.0

  public init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

  /// Starts a fit and kills it, again and again.
  ///
  /// - Parameters:
  ///   - times: how many kills.
  ///   - folder: the output folder of the fit.
  ///   - start: starts it, given how often it has been killed; with `--resume` from the second time on.
  /// - Returns: how many fits SIGKILL ended; fewer than `times` when one of them ended by itself.
  /// - Throws: when a fit makes no checkpoint, or when processes of it outlive it by more than ``farewell_s``.
  public mutating func killRepeatedly(
    times: Int, output folder: String, start: (_ kills: Int) throws -> CommandRun
  ) async throws -> Int {
    for kills in 0..<times {
      let before = Set(CoordinatorMonkey.checkpoints(in: folder))
      let run = try start(kills)
      let hasNew = try await eventually(within: CoordinatorMonkey.patience_s) {
        run.hasEnded || !Set(CoordinatorMonkey.checkpoints(in: folder)).subtracting(before).isEmpty
      }
      guard hasNew else { throw TestKitError("no new checkpoint in \(folder)\n\(run.errors)") }
      try await Task.sleep(for: .milliseconds(Int.random(in: delay_ms, using: &generator)))
      if run.hasEnded { return kills }
      run.signal(SIGKILL)
      let end = try await run.finish(within: CoordinatorMonkey.patience_s)
      guard end.exitCode == -SIGKILL else { return kills }
      let isGone = try await eventually(within: farewell_s) { run.group.isEmpty }
      guard isGone else { throw TestKitError("processes \(run.group) outlive their coordinator") }
    }
    return times
  }

  /// The names of the checkpoints in an output folder.
  public static func checkpoints(in folder: String) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: "\(folder)/checkpoint")) ?? [])
      .filter { $0.hasSuffix(".checkpoint") }.sorted()
  }
}
