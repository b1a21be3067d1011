import NumericsKit

/// The importance weights that k̂ judges, largest first, with the generalised Pareto distribution fitted to their tail.
struct TailPlot {
  let diagnostics: Diagnostics

  func markup() -> Markup {
    guard let weights = diagnostics.weights, !weights.largest.isEmpty, diagnostics.draws > 1 else {
      return Blocks.absent("There are no importance weights to show: not all draws had a finite density.")
    }
    let draws = Double(diagnostics.draws)
    let largest = weights.largest.enumerated().map { rank, weight in
      ((Double(rank) + 0.5) / draws, VectorMath.exponential(min(weight, 700)))
    }
    // The rest from quantiles, from where the largest end.
    let rest = weights.quantiles.enumerated().reversed().compactMap { percent, weight -> (Double, Double)? in
      let share = 1 - Double(percent) / 100
      guard share > largest[largest.count - 1].0, weight.isFinite else { return nil }
      return (min(share, 1), VectorMath.exponential(min(weight, 700)))
    }
    let heaviest = max(largest[0].1, 3)
    let lightest = max(min((rest.last ?? largest[largest.count - 1]).1, 0.5), heaviest * 1e-9, 1e-4)
    var plot = Plot(
      x: Scale(0.5 / draws, 1, logarithmic: true),
      y: Scale(lightest, heaviest, logarithmic: true).padded(0.06), left: 58)
    plot.drawAxes(
      x: "share of draws with at least this weight (log scale)", y: "weight ÷ mean weight (log scale)")
    plot.line([(0.5 / draws, 1), (1, 1)], "reference")
    plot.line([largest[largest.count - 1]] + rest, "line thin")
    for point in largest.prefix(400) { plot.dot(point.0, point.1, radius: 2.2, "point") }
    if let tail = weights.tail {
      let share = Double(tail.count) / draws
      plot.line(
        (0...60).map { step in
          let p = (Double(step) + 0.5) / 61
          let probability = VectorMath.exponential(
            (1 - p) * VectorMath.logarithm(share) + p * VectorMath.logarithm(0.5 / draws))
          return (probability, tail.cutoff + TailPlot.excess(probability / share, tail.shape, tail.scale))
        }, "line c1")
    }
    let khat = diagnostics.khat
    let threshold = NumberText.fixed(diagnostics.khatThreshold, decimals: 2)
    let word =
      khat.map {
        $0 < 0.5 ? "good" : $0 < diagnostics.khatThreshold ? "usable" : "too large"
      } ?? "not defined"
    plot.write(
      khat.map { "k̂ = \(NumberText.fixed($0, decimals: 2)), \(word)" } ?? "k̂ is not defined",
      x: plot.width - 14,
      y: plot.top + 14, "callout end")
    return Blocks.figure(
      "Importance weights and k̂",
      plot.drawing(
        title: "Largest importance weights with the fitted Pareto tail",
        description: "k̂ is \(NumberText.fixed(khat, decimals: 2)), the threshold \(threshold)."),
      caption:
        "Each dot is one draw's weight π/q, largest at the left; the thin line is all the rest, the coloured one the "
        + "generalised Pareto distribution fitted to the tail, whose slope is k̂. A perfect fit has all weights on the "
        + "dotted line at 1. Good: the line rises slowly to the left (k̂ below 0.5). Bad: it shoots up (k̂ above "
        + "\(threshold)): a few draws then stand for mass that the fit misses.")
  }

  /// The quantile of excesses that a share of them is above.
  private static func excess(_ share: Double, _ shape: Double, _ scale: Double) -> Double {
    let logShare = VectorMath.logarithm(share)
    guard abs(shape) > 1e-9 else { return -scale * logShare }
    return scale * (VectorMath.exponential(-shape * logShare) - 1) / shape
  }
}
