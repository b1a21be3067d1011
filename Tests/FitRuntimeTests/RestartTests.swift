import Coordination
import FitRuntime
import Testing

@Suite("When local workers are started again, and what the log takes")
struct RestartTests {
  private func at(_ seconds: Double) -> Instant { Instant(nanoseconds: UInt64(1e9 + seconds * 1e9)) }

  @Test("soon at first, later and later while it keeps dying, soon again after a sound life")
  func backOff() throws {
    var policy = RestartPolicy(startedAt: at(0))
    var now = 1.0
    var delays: [Double] = []
    for _ in 0..<10 {
      let next = policy.ended(hadJoined: true, now: at(now))
      let due = try #require(next)
      delays.append(due.seconds(since: at(now)))
      now += delays[delays.count - 1]
      policy.started(now: at(now))
      now += 1
    }
    let expected = [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5, 5, 5, 5]
    for (delay, wanted) in zip(delays, expected) { #expect(abs(delay - wanted) < 1e-6, "\(delays)") }
    policy.started(now: at(now))
    let next = policy.ended(hadJoined: true, now: at(now + 31))
    let due = try #require(next)
    #expect(abs(due.seconds(since: at(now + 31)) - 0.1) < 1e-6)
  }

  @Test("not any more when it dies again and again without having joined")
  func givesUp() {
    var policy = RestartPolicy(startedAt: at(0))
    for _ in 1..<RestartPolicy.mostFailedStarts {
      let due = policy.ended(hadJoined: false, now: at(1))
      #expect(due != nil)
    }
    // One that joins in between starts the count anew.
    let joined = policy.ended(hadJoined: true, now: at(2))
    #expect(joined != nil)
    for _ in 1..<RestartPolicy.mostFailedStarts {
      let due = policy.ended(hadJoined: false, now: at(3))
      #expect(due != nil)
    }
    let last = policy.ended(hadJoined: false, now: at(4))
    #expect(last == nil)
  }

  @Test("a burst of messages passes, then a slow stream, and what is left away is counted")
  func throttle() {
    var throttle = LogThrottle(now: at(0))
    var passed = 0
    for _ in 0..<1000 { passed += throttle.pass("x", now: at(0)).count }
    #expect(passed == Int(LogThrottle.burst))
    let after = throttle.pass("y", now: at(2))
    #expect(after == ["800 message(s) were left away: too many came at once", "y"])
    passed = 0
    for tenth in 0..<36_000 { passed += throttle.pass("z", now: at(2 + Double(tenth) / 10)).count }
    // Half a line a second, each with the count of those left away.
    #expect(passed < 3_700 && passed > 3_000)
  }
}
