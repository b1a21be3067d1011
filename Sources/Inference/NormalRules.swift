import CKernels
import NumericsKit

/// Rules for averages of logistic functions over a standard normal variable z, each for logits up to a width that change
/// along z: Gauss–Hermite rules of three and five nodes, then equally spaced nodes with weights ∝ e^{−z²/2}, closer where
/// the logits are wider. Errors of a probability are some 1e-5 at the limits (checked with dense rules).
final class NormalRules: Sendable {
  static let shared = NormalRules()

  private let counts: [Int]
  private let limits: [Double]
  private let places: [Double]
  private let weights: [Double]
  private let pairPlaces: [Double]
  private let pairWeights: [Double]

  /// Widths up to which three and five nodes are taken, and eleven.
  private static let (narrow, middling, wide) = (0.3, 0.65, 1.6)
  private static let elevenDistance = 0.9
  /// Nodes of the rules in steps of a quarter, and of those in lanes: multiples of 16.
  private static let counts = [16, 20, 26, 32, 40, 52, 64, 80, 104, 128, 160, 208, 256]
  private static let laneCounts = [16, 32, 48, 64, 80, 96, 128, 160, 208, 256, 384, 512]
  /// The width that a node serves, and the half-length of the rules, in deviations.
  private static let (widthOfNode, halfLength) = (0.15, 5.2)

  private let firstSpaced: Int
  private let firstOfLanes: Int

  private init() {
    var rules = [(Hermite.rule(3), Self.narrow), (Hermite.rule(5), Self.middling)]
    firstSpaced = rules.count
    rules.append((SpacedNodes.rule(11, distance: Self.elevenDistance), Self.wide))
    for count in Self.counts + Self.laneCounts {
      rules.append(
        (
          SpacedNodes.rule(count, distance: 2 * Self.halfLength / Double(count)),
          Self.widthOfNode * Double(count)
        ))
    }
    firstOfLanes = rules.count - Self.laneCounts.count
    counts = rules.map { $0.0.count }
    limits = rules.map { $0.1 }
    places = rules.flatMap { $0.0.map { $0.place } }
    weights = rules.flatMap { $0.0.map { $0.weight } }
    // Five by three nodes, and one of no weight.
    let pairs = Hermite.rule(5).flatMap { first in Hermite.rule(3).map { (first, $0) } }
    pairPlaces = pairs.map { $0.0.place } + [0] + pairs.map { $0.1.place } + [0]
    pairWeights = pairs.map { $0.0.weight * $0.1.weight } + [0]
  }

  /// Gives the rules as the kernel wants them.
  func withRules(_ body: (UnsafePointer<isomix_normal_rules>) -> Void) {
    counts.withUnsafeBufferPointer { counts in
      limits.withUnsafeBufferPointer { limits in
        places.withUnsafeBufferPointer { places in
          weights.withUnsafeBufferPointer { weights in
            pairPlaces.withUnsafeBufferPointer { pairPlaces in
              pairWeights.withUnsafeBufferPointer { pairWeights in
                let rules = isomix_normal_rules(
                  rules: counts.count, first_spaced: firstSpaced, first_of_lanes: firstOfLanes,
                  counts: counts.baseAddress, limits: limits.baseAddress,
                  places: places.baseAddress, weights: weights.baseAddress,
                  pair_places: pairPlaces.baseAddress, pair_weights: pairWeights.baseAddress,
                  pair_limits: (Self.middling, Self.narrow))
                withUnsafePointer(to: rules, body)
              }
            }
          }
        }
      }
    }
  }
}
