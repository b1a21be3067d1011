import CKernels
import NumericsKit

/// The part of θ that makes a regression's coefficients β `[K]`, with its prior.
///
/// The first K numbers are β itself, but under a horseshoe its z; then follow log λ of each coefficient under it and one log τ.
struct CoefficientSpace: Sendable {
  /// Number of coefficients, K.
  let count: Int
  /// Coefficients under a horseshoe.
  let shrunk: Range<Int>
  private let blocks: [PriorBlock]
  private let localScale: LogHalfCauchyPrior?
  private let globalScale: LogHalfCauchyPrior?
  let moments: PriorMoments

  /// How many numbers of θ it takes, from the first.
  var parameterCount: Int { shrunk.isEmpty ? count : count + shrunk.count + 1 }
  /// Whether θ's numbers are the coefficients.
  var isIdentity: Bool { shrunk.isEmpty }

  /// - Parameter interceptCount: how many of the coefficients, from the first, are intercepts.
  /// - Throws: ``PosteriorError`` when a number of a law is out of range.
  init(count: Int, interceptCount: Int, priors: CoefficientPriors) throws {
    self.count = count
    let others = interceptCount..<count
    var laws = [(priors.intercept, 0..<interceptCount), (priors.coefficients, others)].filter {
      !$0.1.isEmpty
    }
    // One block where the law is one: the same sums as without blocks.
    if laws.count == 2, priors.intercept == priors.coefficients { laws = [(priors.intercept, 0..<count)] }
    let deviations = laws.flatMap { law, range in
      [Double](repeating: PriorBlock.deviation(law), count: range.count)
    }
    var moments = PriorMoments(means: [Double](repeating: 0, count: count), deviations: deviations)
    if case .horseshoe(let scale) = priors.coefficients, !others.isEmpty {
      shrunk = others
      localScale = try LogHalfCauchyPrior(scale: 1)
      let global = try LogHalfCauchyPrior(scale: scale)
      globalScale = global
      let width = others.count + 1
      moments =
        moments
        + PriorMoments(
          means: [Double](repeating: 0, count: others.count) + [global.logScale],
          deviations: [Double](repeating: LogHalfCauchyPrior.deviation, count: width))
    } else {
      shrunk = count..<count
      localScale = nil
      globalScale = nil
    }
    self.moments = moments
    let isShrunk = !shrunk.isEmpty
    blocks = try laws.map { law, range in
      try PriorBlock(isShrunk && range == others ? .normal(scale: 1) : law, range: range)
    }
  }

  /// The names of its numbers in θ, from those of the coefficients.
  func parameterNames(_ names: [String]) -> [String] {
    guard !isIdentity else { return names }
    return names.enumerated().map { shrunk.contains($0) ? "z[\($1)]" : $1 }
      + names[shrunk].map { "log_local_scale[\($0)]" } + ["log_global_scale"]
  }

  /// Adds the prior at one point.
  func accumulatePrior(
    point: UnsafePointer<Double>, value: UnsafeMutablePointer<Double>, gradient: UnsafeMutablePointer<Double>?
  ) {
    for block in blocks { block.accumulate(point: point, value: value, gradient: gradient) }
    guard let localScale, let globalScale else { return }
    for k in count..<count + shrunk.count {
      localScale.accumulate(logValue: point[k], value: value, gradient: gradient.map { $0 + k })
    }
    let last = count + shrunk.count
    globalScale.accumulate(logValue: point[last], value: value, gradient: gradient.map { $0 + last })
  }

  /// The coefficients of points, row-major `[points, K]`: the points themselves where they are nothing else, or memory
  /// of the workspace.
  /// - Parameter stride: numbers from one point to the next.
  func coefficients(
    _ points: UnsafePointer<Double>, count pointCount: Int, stride: Int, workspace: DensityWorkspace
  ) -> UnsafePointer<Double> {
    guard !isIdentity || stride != count else { return points }
    let output = workspace.coefficients.reserve(pointCount * count)
    for s in 0..<pointCount {
      (output + s * count).update(from: points + s * stride, count: count)
    }
    guard !isIdentity else { return UnsafePointer(output) }
    let scales = shrinkage(points, count: pointCount, stride: stride, workspace: workspace).scales
    for s in 0..<pointCount {
      for k in 0..<shrunk.count {
        output[s * count + shrunk.lowerBound + k] *= scales[s * shrunk.count + k]
      }
    }
    return UnsafePointer(output)
  }

  /// `τ λ_k = e^u` with `u = log λ_k + log τ`, and its derivative by u, each `[points, shrunk]`.
  private func shrinkage(
    _ points: UnsafePointer<Double>, count pointCount: Int, stride: Int, workspace: DensityWorkspace
  ) -> (scales: UnsafePointer<Double>, slopes: UnsafePointer<Double>) {
    let width = shrunk.count
    let scales = workspace.shrinkage.reserve(2 * pointCount * width)
    let slopes = scales + pointCount * width
    for s in 0..<pointCount {
      let logs = points + s * stride + count
      for k in 0..<width { scales[s * width + k] = logs[k] + logs[width] }
    }
    isomix_bounded_exp(scales, scales, slopes, pointCount * width)
    return (UnsafePointer(scales), UnsafePointer(slopes))
  }

  /// Adds the derivatives by θ, given those by the coefficients, `[points, K]`.
  func pullBack(
    _ derivatives: UnsafePointer<Double>, points: UnsafePointer<Double>, count pointCount: Int, stride: Int,
    into gradient: UnsafeMutablePointer<Double>, workspace: DensityWorkspace
  ) {
    defer { withExtendedLifetime(workspace) {} }
    guard !isIdentity else {
      for s in 0..<pointCount {
        VectorMath.add(1, times: derivatives + s * count, count: count, to: gradient + s * stride)
      }
      return
    }
    let (scales, slopes) = shrinkage(points, count: pointCount, stride: stride, workspace: workspace)
    let width = shrunk.count
    for s in 0..<pointCount {
      let (point, row, derivative) = (points + s * stride, gradient + s * stride, derivatives + s * count)
      var sum = 0.0
      for k in 0..<count where !shrunk.contains(k) { row[k] += derivative[k] }
      for k in 0..<width {
        let place = shrunk.lowerBound + k
        row[place] += scales[s * width + k] * derivative[place]
        let byLog = slopes[s * width + k] * point[place] * derivative[place]
        row[count + k] += byLog
        sum += byLog
      }
      row[count + width] += sum
    }
  }

  /// Writes λ `[shrunk]` and τ of a point.
  func writeScales(_ point: UnsafePointer<Double>, into output: UnsafeMutablePointer<Double>) {
    output.update(from: point + count, count: shrunk.count + 1)
    VectorMath.exponentiate(output, count: shrunk.count + 1)
  }
}
