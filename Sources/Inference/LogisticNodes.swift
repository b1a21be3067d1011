import CKernels
import NumericsKit

/// Rules for `E f(μ + s z)`, z standard normal: equally spaced nodes with weights ∝ e^{−z²/2}. The trapezoidal rule's
/// error for the logistic function, whose poles are at distance π/s, falls as `e^{−2π²/(s h)}` with the distance h of
/// the nodes (Trefethen, Weideman, SIAM Review 56, 2014); each finer rule serves twice the deviation.
struct LogisticNodes: Sendable {
  private var nodes: [Double] = []
  private var weights: [Double] = []

  static let shared = LogisticNodes()
  /// As the kernel has them.
  private static let (coarsest, levels) = (16, 7)
  private static let distance = 0.75

  private init() {
    for level in 0..<LogisticNodes.levels {
      let count = LogisticNodes.coarsest << level
      let distance = LogisticNodes.distance / Double(1 << level)
      let rule = SpacedNodes.rule(count, distance: distance)
      nodes += rule.map(\.place)
      weights += rule.map(\.weight)
    }
  }

  /// The average of `1/(1 + e^{−η})` over a mixture of normals, for each row of matrices `[terms, rows]`.
  func average(
    centers: UnsafePointer<Double>, deviations: UnsafePointer<Double>, shares: [Double], rows: Int,
    into output: UnsafeMutablePointer<Double>
  ) {
    isomix_logistic_averages(
      centers, deviations, shares, shares.count, rows, nodes, weights, output)
  }
}
