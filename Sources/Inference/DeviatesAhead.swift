import NumericsKit

/// Standard normal deviates of the next iteration's gradient, made by a thread that waits for the next state.
///
/// Noise depends on no state. A thread most probably gets the tiles again that it had in the iteration before; so it can make
/// their deviates while the others finish and the coordinator reduces. Their bits are the same whenever they are made.
final class DeviatesAhead {
  /// Numbers that are kept at most (4 MiB), and the largest tile: what comes meanwhile waits until one is made.
  private static let (most, mostAtOnce) = (1 << 19, 1 << 14)

  /// The iteration whose samples have been made last, and which those were, in order.
  private var iteration = -1
  private var seen: [SampleRange] = []
  private var numbersSeen = 0
  /// How many of them have been made for the next iteration.
  private var done = 0
  /// The iteration whose deviates are here, and where each tile's begin.
  private var madeFor = -1
  private var starts: [SampleRange: Int] = [:]
  private var used = 0
  private let numbers = Scratch()
  /// Tiles that found their deviates here.
  private(set) var found = 0

  /// Deviates of a tile, `[components, samples, d]`, if they were made ahead. Remembers the tile.
  func take(_ samples: SampleRange, count: Int, iteration: Int) -> UnsafePointer<Double>? {
    if iteration != self.iteration {
      self.iteration = iteration
      seen.removeAll(keepingCapacity: true)
      numbersSeen = 0
      done = 0
    }
    if count <= DeviatesAhead.mostAtOnce, numbersSeen + count <= DeviatesAhead.most {
      seen.append(samples)
      numbersSeen += count
    }
    guard iteration == madeFor, let start = starts[samples] else { return nil }
    found += 1
    return UnsafePointer(numbers.pointer(count: DeviatesAhead.most) + start)
  }

  /// Makes the deviates of one more tile for the iteration after the one that was seen last.
  ///
  /// - Parameters:
  ///   - count: numbers that a tile needs.
  ///   - make: writes a tile's deviates of an iteration.
  /// - Returns: false when nothing is left to do.
  func prepareOne(
    count: (SampleRange) -> Int, _ make: (SampleRange, _ iteration: Int, UnsafeMutablePointer<Double>) -> Void
  ) -> Bool {
    guard iteration >= 0 else { return false }
    if madeFor != iteration + 1 {
      madeFor = iteration + 1
      starts.removeAll(keepingCapacity: true)
      used = 0
      done = 0
    }
    while done < seen.count {
      let samples = seen[done]
      done += 1
      guard starts[samples] == nil else { continue }
      make(samples, madeFor, numbers.pointer(count: DeviatesAhead.most) + used)
      starts[samples] = used
      used += count(samples)
      return true
    }
    return false
  }
}
