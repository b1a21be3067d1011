/// How the step size γ depends on the iteration t = 0, 1, … of T.
public enum StepSchedule: Sendable, Codable, Equatable {
  /// γ.
  case constant(stepSize: Double)
  /// γ₀ / √(1 + t/t₀).
  case inverseSqrt(initial: Double, timescale: Double)
  /// From `from` at t = 0 to `to` at t = T − 1, on a straight line.
  case linear(from: Double, to: Double)
  /// γ₀ · factor^⌊t/every⌋.
  case stepDecay(initial: Double, factor: Double, every: Int)

  private enum CodingKeys: String, CodingKey {
    case constant
    case inverseSqrt = "inverse_sqrt"
    case linear
    case stepDecay = "step_decay"
  }

  private enum ConstantCodingKeys: String, CodingKey { case stepSize = "step_size" }

  /// The step size at an iteration (from 0) of `total`.
  public func stepSize(at iteration: Int, of total: Int) -> Double {
    switch self {
    case .constant(let stepSize):
      return stepSize
    case .inverseSqrt(let initial, let timescale):
      return initial / (1 + Double(iteration) / timescale).squareRoot()
    case .linear(let from, let to):
      let share = total > 1 ? min(1, Double(iteration) / Double(total - 1)) : 0
      return from + (to - from) * share
    case .stepDecay(let initial, let factor, let every):
      return initial * power(factor, iteration / max(1, every))
    }
  }

  /// By repeated squaring: the same bits on every machine, unlike libm's `pow`.
  private func power(_ base: Double, _ exponent: Int) -> Double {
    var result = 1.0
    var square = base
    var remaining = max(0, exponent)
    while remaining > 0 {
      if remaining & 1 == 1 { result *= square }
      square *= square
      remaining >>= 1
    }
    return result
  }
}
