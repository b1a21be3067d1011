/// A Monte Carlo estimate of `E_q[log q + V]` with its standard error.
public struct ObjectiveEstimate: Sendable, Hashable, Codable {
  /// `−E_q[log q + V]`: the evidence lower bound, in nats.
  public var elbo: Double
  /// Standard error of `elbo`.
  public var standardError: Double

  /// From the integrand at equally many draws of every component (a stratified sample of the mixture).
  ///
  /// - Parameter integrands: `log q + V`, `[components, draws]`, row-major.
  public init(integrands: [Double], components: Int) {
    let draws = integrands.count / components
    var total = 0.0
    var variance = 0.0
    for component in 0..<components {
      let values = integrands[component * draws..<(component + 1) * draws]
      let mean = values.reduce(0, +) / Double(draws)
      let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
      total += mean
      variance += squares / Double(max(draws - 1, 1)) / Double(draws)
    }
    elbo = -total / Double(components)
    standardError = variance.squareRoot() / Double(components)
  }
}
