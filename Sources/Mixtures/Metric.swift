import NumericsKit

/// The coordinates in which the components of a mixture are isotropic: `θ = c + L u`, so that a component
/// `N(m, ε I)` in u is `N(c + L m, ε L Lᵀ)` in θ. Names as in Stan.
public struct Metric: Sendable, Equatable {
  /// How much L can do.
  public enum Kind: String, Sendable, Codable, CaseIterable {
    /// L = I: θ itself, as published (arXiv 2506.13613).
    case unit
    /// L is a diagonal: one scale for each coordinate.
    case diagonal
    /// L is a full matrix.
    case dense

    /// Numbers that L has: none, a diagonal, or a matrix.
    public func factorCount(dimension: Int) -> Int {
      switch self {
      case .unit: 0
      case .diagonal: dimension
      case .dense: dimension * dimension
      }
    }
  }

  public let kind: Kind
  /// Dimension of θ, d.
  public let dimension: Int
  /// The origin of u, `[d]`: c.
  public private(set) var center: [Double]
  /// L: empty (unit), its diagonal `[d]`, or row-major `[d, d]`.
  public private(set) var factor: [Double]
  /// L⁻¹ in the same form.
  public private(set) var inverse: [Double]
  /// log |det L|.
  public private(set) var logDeterminant: Double

  /// The identity, in the form of a kind.
  public init(_ kind: Kind, dimension: Int) {
    self.kind = kind
    self.dimension = dimension
    center = [Double](repeating: 0, count: dimension)
    logDeterminant = 0
    switch kind {
    case .unit: factor = []
    case .diagonal: factor = [Double](repeating: 1, count: dimension)
    case .dense:
      factor = [Double](repeating: 0, count: dimension * dimension)
      for k in 0..<dimension { factor[k * dimension + k] = 1 }
    }
    inverse = factor
  }

  /// The metric of a factor L, with its origin in θ's; nil when L is singular or has another size.
  public init?(_ kind: Kind, dimension d: Int, factor: [Double]) {
    let center = [Double](repeating: 0, count: d)
    switch kind {
    case .unit:
      self.init(kind, center: center, factor: factor, inverse: [], logDeterminant: 0)
    case .diagonal:
      let sum = factor.reduce(0) { $0 + VectorMath.logarithm($1) }
      self.init(
        kind, center: center, factor: factor, inverse: factor.map { 1 / $0 }, logDeterminant: sum)
    case .dense:
      guard factor.count == d * d, let inverted = LinearSolver.invert(factor, dimension: d) else {
        return nil
      }
      self.init(
        kind, center: center, factor: factor, inverse: inverted.inverse,
        logDeterminant: inverted.logDeterminant)
    }
  }

  /// Takes a metric apart into numbers and together again; nil when sizes don't fit, a number is not finite or a
  /// scale of a diagonal is not positive.
  public init?(
    _ kind: Kind, center: [Double], factor: [Double], inverse: [Double], logDeterminant: Double
  ) {
    let d = center.count
    let size = kind.factorCount(dimension: d)
    guard factor.count == size, inverse.count == size, logDeterminant.isFinite,
      center.allSatisfy(\.isFinite), factor.allSatisfy(\.isFinite), inverse.allSatisfy(\.isFinite),
      kind != .diagonal || factor.allSatisfy({ $0 > 0 })
    else { return nil }
    self.kind = kind
    dimension = d
    self.center = center
    self.factor = factor
    self.inverse = inverse
    self.logDeterminant = logDeterminant
  }

  /// The metric of given scales, by coordinate.
  public init(_ kind: Kind, scales: [Double]) {
    self.init(kind, dimension: scales.count)
    guard kind != .unit else { return }
    for k in scales.indices {
      let index = kind == .dense ? k * scales.count + k : k
      factor[index] = scales[k]
      inverse[index] = 1 / scales[k]
      logDeterminant += VectorMath.logarithm(scales[k])
    }
  }

  /// Whether u is θ itself.
  public var isUnit: Bool { kind == .unit }

  /// `θ = c + L u` of `count` points, row-major `[count, d]`.
  public func positions(of points: [Double], count: Int) -> [Double] {
    guard !isUnit else { return points }
    var result = [Double](repeating: 0, count: points.count)
    positions(of: points, count: count, into: &result)
    return result
  }

  /// The same into memory of the caller's.
  public func positions(
    of points: UnsafePointer<Double>, count: Int, into output: UnsafeMutablePointer<Double>
  ) {
    directions(of: points, count: count, into: output)
    for row in 0..<count {
      for k in 0..<dimension { output[row * dimension + k] += center[k] }
    }
  }

  /// `u = L⁻¹ (θ − c)` of `count` points, row-major `[count, d]`.
  public func coordinates(of positions: [Double], count: Int) -> [Double] {
    guard !isUnit else { return positions }
    var shifted = positions
    for row in 0..<count {
      for k in 0..<dimension { shifted[row * dimension + k] -= center[k] }
    }
    return apply(inverse, to: shifted, count: count)
  }

  /// `L o` of `count` differences of points, row-major `[count, d]`.
  public func directions(of offsets: [Double], count: Int) -> [Double] {
    isUnit ? offsets : apply(factor, to: offsets, count: count)
  }

  /// The same into memory of the caller's.
  public func directions(
    of offsets: UnsafePointer<Double>, count: Int, into output: UnsafeMutablePointer<Double>
  ) {
    if isUnit {
      output.update(from: offsets, count: count * dimension)
    } else {
      apply(factor, to: offsets, count: count, into: output)
    }
  }

  /// Gradients in u of gradients in θ, `Lᵀ g`, row-major `[count, d]`.
  public func gradients(of gradients: [Double], count: Int) -> [Double] {
    guard kind == .dense else { return isUnit ? gradients : apply(factor, to: gradients, count: count) }
    var result = [Double](repeating: 0, count: gradients.count)
    guard count > 0 else { return result }
    BLAS.multiply(
      gradients, leadingDimension: dimension, by: factor, leadingDimension: dimension, rows: count,
      columns: dimension, inner: dimension, into: &result, leadingDimension: dimension)
    return result
  }

  /// The covariance `L Lᵀ` that a component of variance 1 has in θ, row-major `[d, d]`.
  public var covariance: [Double] {
    var rows = [Double](repeating: 0, count: dimension * dimension)
    for k in 0..<dimension { rows[k * dimension + k] = kind == .diagonal ? factor[k] : 1 }
    let lower = kind == .dense ? factor : rows
    var result = rows
    BLAS.multiply(
      lower, leadingDimension: dimension, by: lower, leadingDimension: dimension, transposed: true,
      rows: dimension, columns: dimension, inner: dimension, into: &result, leadingDimension: dimension)
    return result
  }

  /// The standard deviation of each coordinate of θ for a component of variance 1, `[d]`.
  public var scales: [Double] {
    switch kind {
    case .unit: [Double](repeating: 1, count: dimension)
    case .diagonal: factor
    case .dense:
      (0..<dimension).map { row in
        factor[row * dimension..<(row + 1) * dimension].reduce(0) { $0 + $1 * $1 }.squareRoot()
      }
    }
  }

  /// `matrix · x` for each row x.
  private func apply(_ matrix: [Double], to points: [Double], count: Int) -> [Double] {
    var result = [Double](repeating: 0, count: points.count)
    apply(matrix, to: points, count: count, into: &result)
    return result
  }

  private func apply(
    _ matrix: [Double], to points: UnsafePointer<Double>, count: Int,
    into output: UnsafeMutablePointer<Double>
  ) {
    guard count > 0 else { return }
    if kind == .diagonal {
      for row in 0..<count {
        for k in 0..<dimension { output[row * dimension + k] = matrix[k] * points[row * dimension + k] }
      }
    } else {
      BLAS.multiply(
        points, leadingDimension: dimension, by: matrix, leadingDimension: dimension, transposed: true,
        rows: count, columns: dimension, inner: dimension, into: output, leadingDimension: dimension)
    }
  }
}

extension Metric {
  /// What a change of coordinates makes of the curvature that is left: eigenvalues below this share of the median are
  /// raised to it, because an estimate says little about them, and negative ones nothing.
  public static let eigenvalueFloor = 1e-2
  /// No eigenvalue is taken for less than this share of the largest at once.
  private static let smallestRatio = 1e-8

  /// Coordinates in which an average curvature H becomes nearer to a multiple of the identity, and what becomes of a
  /// mixture in them: its means stay where they are in θ, and variances change so that `ε tr H` stays what it is: a
  /// component whose variance suits its curvature (`ε tr H = d`) suits the new curvature, too.
  ///
  /// With `Λ = λ̄^(1 − ρ) max(λ, floor)^ρ` over the eigenvalues λ of H, and λ̄ their mean, the new factor is `L Λ^(−1/2)`:
  /// a share ρ of the way in logarithms, so that curvatures many powers of ten apart come together in a few steps.
  ///
  /// - Parameters:
  ///   - curvature: H in the present coordinates: row-major `[d, d]` (dense) or its diagonal `[d]`.
  ///   - share: ρ in (0, 1]: how far to go; a small share averages noisy estimates.
  /// - Returns: nil when the curvature is not finite or has no positive eigenvalue.
  public func adapted(to curvature: [Double], share: Double, carrying mixture: IsotropicMixture)
    -> (metric: Metric, mixture: IsotropicMixture)?
  {
    switch kind {
    case .unit: return (self, mixture)
    case .diagonal:
      guard curvature.count == dimension, let spectrum = Metric.tempered(curvature, share: share) else {
        return nil
      }
      let roots = spectrum.values.map { $0.squareRoot() }
      return moved(mixture, spectrum) { metric in
        for k in roots.indices {
          metric.factor[k] /= roots[k]
          metric.inverse[k] *= roots[k]
        }
      }
    case .dense:
      guard let eigen = SymmetricEigen(curvature, dimension: dimension),
        let spectrum = Metric.tempered(eigen.values, share: share)
      else { return nil }
      let roots = spectrum.values.map { $0.squareRoot() }
      let shrink = eigen.matrix(values: roots.map { 1 / $0 })
      let stretch = eigen.matrix(values: roots)
      return moved(mixture, spectrum) { metric in
        metric.factor = metric.product(metric.factor, shrink)
        metric.inverse = metric.product(stretch, metric.inverse)
      }
    }
  }

  /// Whether a curvature, in the present coordinates, is far from a multiple of the identity: an eigenvalue is more than
  /// `spread` times their mean, or less than that part of it.
  public func isUnsettled(by curvature: [Double], spread: Double) -> Bool {
    let values: [Double]
    switch kind {
    case .unit: return false
    case .diagonal: values = curvature
    case .dense:
      guard let eigen = SymmetricEigen(curvature, dimension: dimension) else { return true }
      values = eigen.values
    }
    let mean = Metric.mean(values)
    return values.contains { $0 > spread * mean || $0 * spread < mean }
  }

  private func moved(
    _ mixture: IsotropicMixture, _ spectrum: (values: [Double], growth: Double),
    change: (inout Metric) -> Void
  ) -> (metric: Metric, mixture: IsotropicMixture)? {
    let positions = positions(of: mixture.means, count: mixture.componentCount)
    var next = self
    for k in 0..<dimension {
      var sum = 0.0
      for i in 0..<mixture.componentCount { sum += positions[i * dimension + k] }
      next.center[k] = sum / Double(mixture.componentCount)
    }
    change(&next)
    next.logDeterminant -= 0.5 * spectrum.values.reduce(0) { $0 + VectorMath.logarithm($1) }
    var carried = mixture
    carried.means = next.coordinates(of: positions, count: mixture.componentCount)
    for i in carried.variances.indices { carried.variances[i] *= spectrum.growth }
    guard next.factor.allSatisfy(\.isFinite), next.inverse.allSatisfy(\.isFinite),
      carried.means.allSatisfy(\.isFinite), carried.variances.allSatisfy({ $0 > 0 && $0.isFinite })
    else { return nil }
    return (next, carried)
  }

  /// Eigenvalues with a floor, drawn towards their mean, and by how much variances grow in the new coordinates; nil when
  /// none is positive.
  static func tempered(_ values: [Double], share: Double) -> (values: [Double], growth: Double)? {
    guard values.allSatisfy(\.isFinite) else { return nil }
    let magnitudes = values.map(abs).sorted()
    guard let largest = values.max(), largest > 0, !magnitudes.isEmpty else { return nil }
    let median = magnitudes[magnitudes.count / 2]
    let floor = max(eigenvalueFloor * median, smallestRatio * largest)
    let raised = values.map { max($0, floor) }
    let mean = mean(raised)
    let drawn = raised.map { mean * VectorMath.exponential(share * VectorMath.logarithm($0 / mean)) }
    let left = zip(raised, drawn).reduce(0) { $0 + $1.0 / $1.1 }
    return (drawn, raised.reduce(0, +) / left)
  }

  private static func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }

  /// `a b` of row-major `[d, d]` matrices.
  private func product(_ a: [Double], _ b: [Double]) -> [Double] {
    var result = [Double](repeating: 0, count: a.count)
    BLAS.multiply(
      a, leadingDimension: dimension, by: b, leadingDimension: dimension, rows: dimension,
      columns: dimension, inner: dimension, into: &result, leadingDimension: dimension)
    return result
  }
}
