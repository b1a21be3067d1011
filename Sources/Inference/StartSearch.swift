import NumericsKit

/// Finds how large a box the fit starts in: over which V varies, but not so much that it can't be compared.
///
/// With means uniform on the box and draws around them, the *excess* is the median of V above its least value. A box
/// that is twice as large is tried while the excess is below fifteen times the dimension, one half as large while it is above a
/// hundred times the dimension or V is not finite everywhere.
package struct StartSearch: Sendable {
  package private(set) var scale = 1.0
  private var direction = 0
  private var trials = 0

  package init() {}

  private static let smallestExcess = 15.0
  private static let largestExcess = 100.0
  private static let mostTrials = 60

  /// A target that may reject points may do so at one in this many draws of a start.
  private static let fewestRejected = 10

  /// Takes V at the draws for the present scale; whether the search is at its end.
  /// - Parameter mayReject: whether the target may reject a few points.
  package mutating func take(values: [Double], dimension: Int, mayReject: Bool = false) -> Bool {
    trials += 1
    let sorted = values.filter(\.isFinite).sorted()
    let missing = values.count - sorted.count
    let excess =
      missing <= (mayReject ? values.count / StartSearch.fewestRejected : 0) && !sorted.isEmpty
      ? (sorted[sorted.count / 2] - sorted[0]) / Double(dimension) : .infinity
    guard trials < StartSearch.mostTrials else { return true }
    if excess < StartSearch.smallestExcess, direction >= 0 {
      direction = 1
      scale *= 2
      return false
    }
    if excess > StartSearch.largestExcess, direction <= 0 {
      direction = -1
      scale /= 2
      return false
    }
    // A box that has grown too far is taken back by half.
    if direction > 0, !excess.isFinite { scale /= 2 }
    return true
  }
}
