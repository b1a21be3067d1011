/// A Monte Carlo estimate of `E_q[log q + V]` with its standard error.
public struct ObjectiveEstimate: Sendable, Hashable, Codable {
  /// `−E_q[log q + V]`: the evidence lower bound, in nats.
  public var elbo: Double
  /// Standard error of `elbo`.
  public var standardError: Double
  /// Draws that the target rejected, which the others are averaged without; nil for a target that rejects none.
  public var rejectedDraws: Int?

  /// From the integrand at equally many draws of every component (a stratified sample of the mixture).
  ///
  /// - Parameters:
  ///   - integrands: `log q + V`, `[components, draws]`, row-major.
  ///   - mayReject: whether the target may reject points: `+∞` is a rejected draw then. The estimate is over those
  ///     accepted; without any of a component, or with more than ``mostRejected`` of all rejected, it is `−∞`.
  public init(integrands: [Double], components: Int, mayReject: Bool = false) {
    let draws = integrands.count / components
    let rejected = mayReject ? integrands.count { $0 == .infinity } : 0
    rejectedDraws = mayReject ? rejected : nil
    var isEmpty = Double(rejected) > ObjectiveEstimate.mostRejected * Double(integrands.count)
    var total = 0.0
    var variance = 0.0
    for component in 0..<components {
      let drawn = integrands[component * draws..<(component + 1) * draws]
      let values = rejected == 0 ? Array(drawn) : drawn.filter { $0 < .infinity }
      isEmpty = isEmpty || values.isEmpty
      let mean = values.reduce(0, +) / Double(max(values.count, 1))
      let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
      total += mean
      variance += squares / Double(max(values.count - 1, 1)) / Double(max(values.count, 1))
    }
    elbo = isEmpty ? -.infinity : -total / Double(components)
    standardError = isEmpty ? .infinity : variance.squareRoot() / Double(components)
  }

  /// A larger share of rejected draws leaves nothing to be said of the rest.
  public static let mostRejected = 0.5
}
