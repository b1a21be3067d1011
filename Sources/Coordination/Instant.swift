/// A point in time of a monotonic clock, given to the machines with every event: they read no clock.
public struct Instant: Hashable, Comparable, Sendable {
  public var nanoseconds: UInt64

  public init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

  public static func < (left: Instant, right: Instant) -> Bool { left.nanoseconds < right.nanoseconds }

  /// The instant some milliseconds later; the end of time when that is past it.
  public func adding(milliseconds: Int) -> Instant {
    let (added, isTooLong) = UInt64(max(0, milliseconds)).multipliedReportingOverflow(by: 1_000_000)
    let (sum, isTooLate) = nanoseconds.addingReportingOverflow(added)
    return Instant(nanoseconds: isTooLong || isTooLate ? .max : sum)
  }

  /// Seconds from an earlier instant to this one; 0 if it is not earlier.
  public func seconds(since earlier: Instant) -> Double {
    earlier < self ? Double(nanoseconds - earlier.nanoseconds) * 1e-9 : 0
  }
}
