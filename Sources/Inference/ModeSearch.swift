import NumericsKit

/// Searches for modes of the target from many points at once: a limited-memory BFGS descent of V from each (Nocedal and
/// Wright, Numerical Optimization, algorithm 7.4), in step with the others, so that one distributed job evaluates all.
///
/// A pure state machine: `proposals` are the points whose V and gradient `take` receives.
public struct ModeSearch: Sendable {
  /// One search.
  private struct Path: Sendable {
    var point: [Double]
    var value = Double.infinity
    var gradient: [Double] = []
    var direction: [Double] = []
    var step = 0.0
    var pairs: [(s: [Double], y: [Double], product: Double)] = []
    var isDone = false
    /// Whether it ended because there is nothing to gain any more.
    var hasConverged = false
    var accepted = 0
  }

  public let dimension: Int
  private var paths: [Path]
  /// Evaluations so far.
  public private(set) var rounds = 0

  /// Pairs of steps and gradient differences that a search remembers.
  private static let memory = 8
  /// Evaluations at most.
  public static let mostRounds = 40
  /// A search ends when a step gains less than this, in nats.
  private static let smallestGain = 1e-3
  /// Mean square of a gradient's coordinates at a mode, in coordinates in which the posterior's curvature is about 1.
  private static let largestGradient = 0.1
  /// Sufficient decrease (Armijo).
  private static let decrease = 1e-4
  private static let backtracking = 0.3
  /// Steps below this share of a direction lead nowhere.
  private static let smallestStep = 1e-6

  /// - Parameter starts: row-major `[count, d]`.
  public init(starts: [Double], dimension: Int) {
    self.dimension = dimension
    paths = (0..<starts.count / max(1, dimension)).map {
      Path(point: Array(starts[$0 * dimension..<($0 + 1) * dimension]))
    }
  }

  /// Whether every search has ended.
  public var isDone: Bool { rounds >= ModeSearch.mostRounds || paths.allSatisfy(\.isDone) }

  /// The points to evaluate next, row-major `[count, d]`; searches that have ended repeat theirs.
  public var proposals: [Double] {
    paths.flatMap { path in
      path.isDone || path.direction.isEmpty
        ? path.point : zip(path.point, path.direction).map { $0 + path.step * $1 }
    }
  }

  /// Takes V `[count]` and its gradient `[count, d]` at the proposals.
  public mutating func take(values: [Double], gradients: [Double]) {
    for index in paths.indices where !paths[index].isDone {
      let gradient = Array(gradients[index * dimension..<(index + 1) * dimension])
      advance(&paths[index], value: values[index], gradient: gradient)
    }
    rounds += 1
  }

  private func advance(_ path: inout Path, value: Double, gradient: [Double]) {
    let isFinite = value.isFinite && gradient.allSatisfy(\.isFinite)
    guard !path.direction.isEmpty else {
      path.value = value
      path.gradient = gradient
      let length = norm(gradient)
      guard isFinite, length > 0 else {
        path.isDone = true
        return
      }
      path.direction = gradient.map { -$0 / length * Double(dimension).squareRoot() }
      path.step = 1
      return
    }
    let slope = dot(path.direction, path.gradient)
    guard isFinite, value <= path.value + ModeSearch.decrease * path.step * slope else {
      path.step *= ModeSearch.backtracking
      if path.step < ModeSearch.smallestStep { path.isDone = true }
      return
    }
    let s = path.direction.map { path.step * $0 }
    let y = zip(gradient, path.gradient).map { $0 - $1 }
    let product = dot(s, y)
    if product > 1e-10 * norm(s) * norm(y) {
      path.pairs.append((s, y, product))
      if path.pairs.count > ModeSearch.memory { path.pairs.removeFirst() }
    }
    path.accepted += 1
    path.isDone = path.value - value < ModeSearch.smallestGain && path.accepted > 3
    // A descent that crawls along a narrow valley gains as little as one at its end, but not with as small a gradient.
    path.hasConverged =
      path.isDone && dot(gradient, gradient) <= ModeSearch.largestGradient * Double(dimension)
    for k in 0..<dimension { path.point[k] += s[k] }
    path.value = value
    path.gradient = gradient
    path.direction = newtonDirection(path)
    path.step = 1
    if dot(path.direction, gradient) >= 0 || !path.direction.allSatisfy(\.isFinite) {
      let length = norm(gradient)
      path.direction = gradient.map { length > 0 ? -$0 / length : 0 }
    }
  }

  /// `−H⁻¹ g` by the two-loop recursion.
  private func newtonDirection(_ path: Path) -> [Double] {
    var q = path.gradient
    var factors: [Double] = []
    for pair in path.pairs.reversed() {
      let factor = dot(pair.s, q) / pair.product
      factors.append(factor)
      for k in q.indices { q[k] -= factor * pair.y[k] }
    }
    if let last = path.pairs.last {
      let scale = last.product / dot(last.y, last.y)
      for k in q.indices { q[k] *= scale }
    }
    for (pair, factor) in zip(path.pairs, factors.reversed()) {
      let other = dot(pair.y, q) / pair.product
      for k in q.indices { q[k] += pair.s[k] * (factor - other) }
    }
    return q.map { -$0 }
  }

  /// The modes found, lowest V first, without those nearer than `distance` to a better one. Searches that have not
  /// converged (on their way still, or along a V without a minimum) found none.
  public func modes(atLeast distance: Double) -> [(point: [Double], value: Double)] {
    points(atLeast: distance) { $0.hasConverged }
  }

  /// The best points reached, converged or not.
  public func bestPoints(atLeast distance: Double) -> [(point: [Double], value: Double)] {
    points(atLeast: distance) { _ in true }
  }

  private func points(atLeast distance: Double, where isWanted: (Path) -> Bool) -> [(
    point: [Double], value: Double
  )] {
    var modes: [(point: [Double], value: Double)] = []
    let order = paths.indices.filter { paths[$0].value.isFinite && isWanted(paths[$0]) }
      .sorted { (paths[$0].value, $0) < (paths[$1].value, $1) }
    for index in order {
      let point = paths[index].point
      let isNew = modes.allSatisfy { mode in
        var sum = 0.0
        for k in point.indices { sum += (point[k] - mode.point[k]) * (point[k] - mode.point[k]) }
        return sum > distance * distance
      }
      if isNew { modes.append((point, paths[index].value)) }
    }
    return modes
  }

  private func dot(_ a: [Double], _ b: [Double]) -> Double {
    var sum = 0.0
    for k in a.indices { sum += a[k] * b[k] }
    return sum
  }

  private func norm(_ a: [Double]) -> Double { dot(a, a).squareRoot() }
}
