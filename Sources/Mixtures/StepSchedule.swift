import Foundation

/// How the step size γ changes over a fit; iterations are counted from 0.
public enum StepSchedule: Sendable, Hashable, Codable {
  /// `γ_t = size`.
  case constant(size: Double)
  /// `γ_t = size / √(1 + t / offset)`.
  case inverseSqrt(size: Double, offset: Double)
  /// From `from` at the first iteration to `to` at the last, in equal steps.
  case linear(from: Double, to: Double)
  /// `γ_t = size · factor^⌊t / every⌋`.
  case stepDecay(size: Double, factor: Double, every: Int)

  /// The step size of an iteration (from 0) in a fit of `total` iterations.
  public func stepSize(at iteration: Int, of total: Int) -> Double {
    switch self {
    case .constant(let size): size
    case .inverseSqrt(let size, let offset): size / (1 + Double(iteration) / offset).squareRoot()
    case .linear(let from, let to):
      total <= 1 ? from : from + (to - from) * Double(iteration) / Double(total - 1)
    case .stepDecay(let size, let factor, let every):
      // A product of exact steps, not `pow`: the same bits whatever the C library.
      (0..<(iteration / every)).reduce(size) { size, _ in size * factor }
    }
  }
}
