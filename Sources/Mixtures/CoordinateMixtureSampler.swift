/// Turns standard normal deviates into draws of a ``CoordinateMixture``, with its log density there.
///
/// Holds buffers; belongs to one thread.
public final class CoordinateMixtureSampler {
  private let mixture: CoordinateMixture
  private let components: IsotropicMixture
  private let density: CoordinateMixtureDensity

  public init(_ mixture: CoordinateMixture) {
    self.mixture = mixture
    components = mixture.components
    density = CoordinateMixtureDensity(
      componentCount: mixture.componentCount, dimension: mixture.dimension)
    density.load(components)
  }

  /// Draws `x_sk = m_ik + √ε_ik z_sk` with `i = chosen[s, k]`, row-major `[count, d]`, and `log q(x_s)`, `[count]`.
  /// - Parameters:
  ///   - deviates: z, row-major `[count, d]`.
  ///   - chosen: components in `0..<N`, row-major `[count, d]`.
  public func draws(from deviates: [Double], chosen: [Int32]) -> (
    positions: [Double], logDensities: [Double]
  ) {
    let count = chosen.count / mixture.dimension
    var offsets = deviates
    var points = deviates
    CoordinateMixture.place(
      chosen: chosen, count: count, dimension: mixture.dimension, of: components, offsets: &offsets,
      points: &points)
    var logDensities = [Double](repeating: 0, count: count)
    density.accumulate(points: points, count: count, logDensity: &logDensities, score: nil)
    return (points, logDensities)
  }
}
