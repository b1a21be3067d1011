import NumericsKit
import Wire

/// A worker's side of bringing files of the fit's data: one after the other, each in parts, of which a few are on their
/// way at a time.
///
/// Parts may come in any order, twice, or not at all; a file counts when its digest is right. One that comes damaged is
/// asked for once more.
struct ShardFetch: Sendable {
  /// What is to be done.
  enum Step: Sendable, Equatable {
    case ask(ShardRequest)
    case act(ShardAction)
    case note(String)
  }

  private struct File: Sendable {
    let digest: Digest
    var byteCount: UInt64?
    /// When each part that is on its way was asked for, by its number.
    var asked: [Int: Instant] = [:]
    /// Parts that are here.
    var received: Set<Int> = []
    /// The first part that was not asked for.
    var next = 0
    /// Whether all parts are written and the digest is being compared.
    var isChecked = false
    /// Times that it came damaged.
    var damages = 0

    var partCount: Int { byteCount.map { Header.partCount(bulkBytes: Int($0)) } ?? 1 }
  }

  /// Files that wait for their turn.
  private var queue: [Digest] = []
  private var file: File?
  /// Parts that may be on their way at once.
  private var window = 1
  /// When something came, or was asked for while nothing was on its way; and when the last part came, or it began.
  private var heardAt = Instant(nanoseconds: 0)
  private var patienceSince = Instant(nanoseconds: 0)

  /// Whether there is something to wait for.
  var isActive: Bool { file != nil }

  /// Files that are wanted and not here.
  var count: Int { queue.count + (file == nil ? 0 : 1) }

  /// Asks for files, each of them once.
  mutating func want(_ digests: [Digest], now: Instant) -> [Step] {
    for digest in digests where file?.digest != digest && !queue.contains(digest) { queue.append(digest) }
    return begin(now: now)
  }

  private mutating func begin(now: Instant) -> [Step] {
    guard file == nil, !queue.isEmpty else { return [] }
    file = File(digest: queue.removeFirst())
    patienceSince = now
    return askMore(now: now)
  }

  /// Asks for parts up to what may be on its way.
  private mutating func askMore(now: Instant) -> [Step] {
    guard var current = file, !current.isChecked else { return [] }
    var steps: [Step] = []
    if current.asked.isEmpty { heardAt = now }
    while current.asked.count < window, current.next < current.partCount {
      current.asked[current.next] = now
      steps.append(.ask(ShardFetch.request(current.digest, current.next)))
      current.next += 1
    }
    file = current
    return steps
  }

  private static func request(_ digest: Digest, _ part: Int) -> ShardRequest {
    ShardRequest(digest: digest.bytes, offset: UInt64(part) * UInt64(WireLimits.frameBytes))
  }

  /// A part came.
  mutating func receive(_ part: ShardPart, now: Instant) -> [Step] {
    guard var current = file, current.digest.bytes == part.digest, !current.isChecked else { return [] }
    heardAt = now
    patienceSince = now
    var steps: [Step] = []
    if let known = current.byteCount {
      guard known == part.fileBytes else { return damaged(now: now) }
    } else {
      current.byteCount = part.fileBytes
      steps.append(.act(.begin(current.digest, byteCount: part.fileBytes)))
    }
    let number = Int(part.offset / UInt64(WireLimits.frameBytes))
    if let askedAt = current.asked.removeValue(forKey: number) { adapt(now.seconds(since: askedAt)) }
    if current.received.insert(number).inserted {
      steps.append(.act(.write(current.digest, offset: part.offset, bytes: part.bytes)))
    }
    guard current.received.count == current.partCount else {
      file = current
      return steps + askMore(now: now)
    }
    current.isChecked = true
    current.asked = [:]
    file = current
    return steps + [.act(.check(current.digest))]
  }

  /// More parts on their way where they come quickly; one where each takes long, so that other messages are not behind
  /// many.
  private mutating func adapt(_ seconds: Double) {
    if seconds < ShardFetch.quick_s {
      window = min(window + 1, CoordinationLimits.shardParts)
    } else if seconds > ShardFetch.slow_s {
      window = 1
    }
  }

  private static let quick_s = 0.25
  private static let slow_s = 1.0

  /// The digest of a file was compared.
  mutating func checked(_ digest: Digest, isWhole: Bool, now: Instant) -> [Step] {
    guard let current = file, current.digest == digest, current.isChecked else { return [] }
    guard isWhole else { return damaged(now: now) }
    file = nil
    return begin(now: now)
  }

  private mutating func damaged(now: Instant) -> [Step] {
    guard let current = file else { return [] }
    let name = current.digest.description.prefix(12)
    guard current.damages < CoordinationLimits.shardDamages else {
      return fail(
        RunFailure(
          exitCode: ExitCode.badData,
          message:
            "the data file \(name)… came damaged \(current.damages + 1) times (its SHA-256 differs): look for what "
            + "alters what is sent between this host and the coordinator, or test its memory and disk"),
        now: now)
    }
    file = File(digest: current.digest)
    file?.damages = current.damages + 1
    return [.note("the data file \(name)… came damaged (its SHA-256 differs): it is asked for again")]
      + askMore(now: now)
  }

  /// The coordinator does not give a file.
  mutating func refused(_ refusal: ShardRefusal, now: Instant) -> [Step] {
    guard let current = file, current.digest.bytes == refusal.digest else { return [] }
    return fail(
      RunFailure(
        exitCode: ExitCode.badData,
        message: "the coordinator does not send the data file \(current.digest.description.prefix(12))…: "
          + refusal.message), now: now)
  }

  private mutating func fail(_ failure: RunFailure, now: Instant) -> [Step] {
    guard let current = file else { return [] }
    file = nil
    return [.act(.failed(current.digest, failure))] + begin(now: now)
  }

  /// Time passes: what did not come is asked for again.
  mutating func tick(now: Instant) -> [Step] {
    guard var current = file, !current.isChecked else { return [] }
    if patienceSince.adding(milliseconds: CoordinationLimits.shardPatience_ms) < now {
      return fail(
        RunFailure(
          exitCode: ExitCode.unavailable,
          message:
            "nothing of the data file \(current.digest.description.prefix(12))… came for "
            + "\(CoordinationLimits.shardPatience_ms / 1000) s: is the network too slow, or the coordinator's disk?"
        ),
        now: now)
    }
    guard heardAt.adding(milliseconds: CoordinationLimits.partInterval_ms) < now else { return [] }
    heardAt = now
    window = 1
    let missing = current.asked.keys.sorted()
    for part in missing { current.asked[part] = now }
    file = current
    return missing.map { .ask(ShardFetch.request(current.digest, $0)) }
  }

  /// A machine that was not running itself, or has another coordinator, counts anew.
  mutating func pardon(now: Instant) {
    heardAt = now
    patienceSince = now
  }
}
