import Foundation
import NumericsKit

/// A map from values to places along an axis, linear or logarithmic.
package struct Scale: Sendable {
  /// A labelled place on the axis.
  package struct Tick: Sendable {
    package var value: Double
    package var label: String
  }

  package let low: Double
  package let high: Double
  package let isLogarithmic: Bool
  /// Places of the ends.
  package var from = 0.0
  package var to = 1.0

  /// A scale over finite values; one that spans nothing is widened.
  package init(_ low: Double, _ high: Double, logarithmic: Bool = false) {
    var (a, b) = (min(low, high), max(low, high))
    if !a.isFinite || !b.isFinite { (a, b) = (logarithmic ? 1 : 0, logarithmic ? 10 : 1) }
    if logarithmic {
      b = max(b, .leastNormalMagnitude * 1e10)
      a = max(a, b * 1e-15)
      if b < a * 1.001 { (a, b) = (a / 2, b * 2) }
    } else if b - a <= 1e-12 * max(abs(a), abs(b), 1e-290) {
      let half = max(abs(a) * 0.01, 0.5)
      (a, b) = (a - half, b + half)
    }
    self.low = a
    self.high = b
    isLogarithmic = logarithmic
  }

  /// The same scale with its ends widened by a share of its length.
  package func padded(_ share: Double) -> Scale {
    if isLogarithmic {
      let factor = VectorMath.exponential(share * VectorMath.logarithm(high / low))
      return Scale(low / factor, high * factor, logarithmic: true)
    }
    let margin = share * (high - low)
    return Scale(low - margin, high + margin)
  }

  /// The place of a value, not clamped; NaN for what has none.
  package func callAsFunction(_ value: Double) -> Double {
    let share: Double
    if isLogarithmic {
      guard value > 0 else { return value == 0 ? from - 10 * (to - from) : .nan }
      share = VectorMath.logarithm(value / low) / VectorMath.logarithm(high / low)
    } else {
      share = (value - low) / (high - low)
    }
    return from + share * (to - from)
  }

  /// Round values, about as many as asked for.
  package func ticks(_ count: Int) -> [Tick] { isLogarithmic ? powers(count) : steps(count) }

  private func steps(_ count: Int) -> [Tick] {
    let raw = (high - low) / Double(max(1, count))
    let exponent = (log10(raw)).rounded(.down)
    let unit = pow(10, exponent)
    let step = unit * ([1.0, 2, 5, 10].first { $0 * unit >= raw * 0.999 } ?? 10)
    guard step > 0, step.isFinite else { return [] }
    let decimals = max(0, Int(-(log10(step) + 1e-9).rounded(.down)))
    let first = (low / step - 1e-9).rounded(.up)
    var ticks: [Tick] = []
    while ticks.count < 20 {
      let value = (first + Double(ticks.count)) * step
      if value > high + step * 1e-9 { break }
      let isLong = decimals > 4 || abs(high) >= 1e5 || abs(low) >= 1e5
      ticks.append(
        Tick(
          value: value,
          label: isLong ? compact(value, step: step) : NumberText.fixed(value, decimals: decimals)))
    }
    return ticks
  }

  /// In powers of ten, with only as many digits as tell neighbours apart.
  private func compact(_ value: Double, step: Double) -> String {
    guard abs(value) > step / 2 else { return "0" }
    let exponent = Int((log10(abs(value)) + 1e-12).rounded(.down))
    let digits = max(0, exponent - Int((log10(step) + 1e-9).rounded(.down)))
    let mantissa = value / pow(10, Double(exponent))
    return NumberText.fixed(mantissa, decimals: min(digits, 6)) + "·10" + NumberText.superscript(exponent)
  }

  private func powers(_ count: Int) -> [Tick] {
    let (first, last) = (Int(log10(low).rounded(.down)), Int(log10(high).rounded(.up)))
    let stride = max(1, (last - first + count - 1) / max(1, count))
    var ticks: [Tick] = []
    let mantissas: [Double] =
      log10(high / low) < 1.2 ? [1, 2, 3, 5] : log10(high / low) < 2.2 ? [1, 3] : [1]
    for exponent in Swift.stride(from: first, through: last, by: stride) {
      for mantissa in mantissas {
        let value = mantissa * pow(10, Double(exponent))
        guard value >= low * 0.999, value <= high * 1.001 else { continue }
        ticks.append(Tick(value: value, label: Scale.power(mantissa, exponent)))
      }
    }
    return ticks
  }

  private static func power(_ mantissa: Double, _ exponent: Int) -> String {
    if (-3...4).contains(exponent) {
      return NumberText.fixed(mantissa * pow(10, Double(exponent)), decimals: max(0, -exponent))
    }
    return (mantissa == 1 ? "" : "\(Int(mantissa))·") + "10" + NumberText.superscript(exponent)
  }
}
