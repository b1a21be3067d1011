import NumericsKit
import Posteriors

/// How much the coordinates of θ that a predictor is not linear in are spread out: a Gauss–Hermite rule for each of them
/// and each component.
struct ConditionalRule: Sendable, Hashable {
  /// Coordinates that are given.
  let conditions: Int
  /// Nodes for each of them.
  let perCondition: Int
  /// Points of a standard normal vector, `[nodes, conditions]`.
  let points: [Double]
  /// Their weights, which sum to 1.
  let weights: [Double]
  var nodes: Int { weights.count }

  /// Terms of a row's mixture up to which five nodes are taken, and up to which there are any: with more, draws cost
  /// less.
  private static let (fineTerms, mostTerms) = (512, 1024)

  /// Standard deviations up to here take three nodes: what they leave out is of the order of its sixth power.
  static let narrow = 0.15

  /// The rule for a law and a number of components; nil when it would be longer than as many draws.
  /// - Parameter deviation: the largest standard deviation of a coordinate that is given, in any component.
  init?(_ law: PredictorLaw, components: Int, deviation: Double) {
    let conditions = law.conditions.count
    let terms = { (nodes: Int) in (0..<conditions).reduce(components) { terms, _ in terms * nodes } }
    let isFine = deviation > ConditionalRule.narrow && terms(5) <= Self.fineTerms
    self.init(conditions: conditions, perCondition: isFine ? 5 : 3)
    guard terms(3) <= Self.mostTerms else { return nil }
  }

  private init(conditions: Int, perCondition: Int) {
    self.conditions = conditions
    self.perCondition = perCondition
    let rule = Hermite.rule(perCondition)
    var points: [[Double]] = [[]]
    var weights = [1.0]
    for _ in 0..<conditions {
      weights = weights.flatMap { weight in rule.map { weight * $0.weight } }
      points = points.flatMap { point in rule.map { point + [$0.place] } }
    }
    self.points = points.flatMap { $0 }
    self.weights = weights
  }
}

/// Gauss–Hermite rules of the standard normal distribution, in closed form (Abramowitz and Stegun 25.4.46, with x = √2 t):
/// n nodes are exact for polynomials up to degree 2n − 1.
enum Hermite {
  /// Three nodes, or five.
  static func rule(_ count: Int) -> [(place: Double, weight: Double)] {
    guard count > 3 else {
      let outer = 3.0.squareRoot()
      return [(-outer, 1.0 / 6), (0, 2.0 / 3), (outer, 1.0 / 6)]
    }
    let root = 10.0.squareRoot()
    let (inner, outer) = ((5 - root).squareRoot(), (5 + root).squareRoot())
    let (near, far) = ((7 + 2 * root) / 60, (7 - 2 * root) / 60)
    return [(-outer, far), (-inner, near), (0, 8.0 / 15), (inner, near), (outer, far)]
  }
}

/// Equally spaced nodes around 0 with weights ∝ e^{−z²/2}: the trapezoidal rule for averages over a standard normal
/// variable.
enum SpacedNodes {
  static func rule(_ count: Int, distance: Double) -> [(place: Double, weight: Double)] {
    let places = (0..<count).map { (Double($0) - 0.5 * Double(count - 1)) * distance }
    let weights = places.map { VectorMath.exponential(-0.5 * $0 * $0) }
    let total = weights.reduce(0, +)
    return zip(places, weights).map { ($0, $1 / total) }
  }
}
