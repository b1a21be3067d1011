import CKernels
import Mixtures
import NumericsKit
import Posteriors

/// The law of rows' linear predictors under a mixture of Gaussians for θ: a mixture of univariate normals. Where η is
/// linear in θ there is a term for each component; where it is given some coordinates (``PredictorLaw/conditions``), one
/// for each component and node of a rule for those.
final class PredictorMixture {
  let law: PredictorLaw
  /// Weights of the terms, which sum to 1, and the auxiliary parameter in each.
  let shares: [Double]
  let auxiliaries: [Double]
  var terms: Int { shares.count }

  private let rule: ConditionalRule
  private let dimension: Int
  private let components: Int
  /// Means in θ, `[N, d]`.
  private let means: [Double]
  /// √ε of each component.
  private let roots: [Double]
  /// One for all components, or one for each.
  private let frames: [PredictorFrame]
  /// Scales of the groups' effects, `[N, nodes, groups]`.
  private let scales: [Double]

  private let design = Scratch()
  private let products = Scratch()
  private let effects = Scratch()

  /// Nil where the law takes more terms than draws are worth.
  init?(_ job: TileJob, law: PredictorLaw) {
    let components = job.mixture.componentCount
    let dimension = job.metric.dimension
    self.law = law
    self.components = components
    self.dimension = dimension
    let means = job.metric.positions(of: job.mixture.means, count: components)
    self.means = means
    let (variances, frames) = job.frames { PredictorFrame($0, dimension: dimension, law: law) }
    let roots = variances.map { $0.squareRoot() }
    self.frames = frames
    self.roots = roots
    let widths = roots.indices.map { roots[$0] * frames[frames.count > 1 ? $0 : 0].largestLength }
    guard let rule = ConditionalRule(law, components: components, deviation: widths.max() ?? 0) else {
      return nil
    }
    self.rule = rule
    var (shares, auxiliaries, scales): ([Double], [Double], [Double]) = ([], [], [])
    let (conditions, r) = (law.conditions, law.conditions.count)
    for component in 0..<components {
      let coefficients = frames[frames.count > 1 ? component : 0].coefficients
      for node in 0..<rule.nodes {
        var logarithms = conditions.map { means[component * dimension + $0] }
        for k in 0..<r {
          for j in 0...k {
            logarithms[k] += roots[component] * coefficients[k * r + j] * rule.points[node * r + j]
          }
        }
        let values = logarithms.map { VectorMath.boundedExponential($0).value }
        shares.append(rule.weights[node] / Double(components))
        var next = values.makeIterator()
        scales += law.groups.map { $0.logScale == nil ? 1 : next.next() ?? 1 }
        switch law.auxiliary {
        case .none: auxiliaries.append(0)
        case .known(let value): auxiliaries.append(value)
        case .coordinate: auxiliaries.append(values[r - 1])
        }
      }
    }
    self.shares = shares
    self.auxiliaries = auxiliaries
    self.scales = scales
  }

  /// Writes centres and standard deviations of η, `[terms, rows]`.
  func write(
    _ block: RowBlock, centers: UnsafeMutablePointer<Double>, deviations: UnsafeMutablePointer<Double>
  ) {
    let (count, columns, groups) = (block.count, block.columns, law.groups.count)
    let rows = block.denseRows(design)
    let levels = groups > 0 ? block.levels : nil
    let products = products.pointer(count: components * count)
    BLAS.multiply(
      means, leadingDimension: dimension, by: rows, leadingDimension: columns, transposed: true,
      rows: components, columns: count, inner: columns, into: products, leadingDimension: count)
    let effects = effects.zeroed(count: groups * count)
    var parts = frames[0].parts(rows, levels: levels, count: count, columns: columns)
    for component in 0..<components {
      let frame = frames[frames.count > 1 ? component : 0]
      if frames.count > 1, component > 0 {
        parts = frame.parts(rows, levels: levels, count: count, columns: columns)
      }
      for (g, group) in law.groups.enumerated() {
        for j in 0..<count {
          guard let level = frame.level(j, group: g, levels) else { continue }
          effects[g * count + j] = means[component * dimension + group.levels.lowerBound + level]
        }
      }
      parts.centers = UnsafePointer(products + component * count)
      parts.effects = UnsafePointer(effects)
      let first = component * rule.nodes
      scales.withUnsafeBufferPointer { scales in
        withUnsafePointer(to: parts) {
          isomix_conditional_predictors(
            $0, roots[component], rule.nodes, rule.points,
            scales.baseAddress.map { $0 + first * groups }, centers + first * count,
            deviations + first * count)
        }
      }
    }
  }
}
