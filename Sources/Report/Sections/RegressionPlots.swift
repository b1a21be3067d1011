/// Predictions of numbers: against what was observed, residuals against normal quantiles, and predictive ranks.
package struct RegressionPlots {
  let predictions: Predictions

  package init(predictions: Predictions) { self.predictions = predictions }

  private static let mostDots = 1500
  private static let bins = 20

  package func markup() -> [Markup] {
    let pairs = zip(predictions.expected, predictions.observed).filter { $0.0.isFinite && $0.1.isFinite }
    guard pairs.count > 1 else { return [Blocks.absent("There are too few finite predictions to show.")] }
    let figures = [against(pairs), quantiles(pairs)]
    return predictions.ranks.isEmpty ? figures : figures + [ranks()]
  }

  private func against(_ pairs: [(Double, Double)]) -> Markup {
    let all = pairs.flatMap { [$0.0, $0.1] }
    let scale = Scale(all.min() ?? 0, all.max() ?? 1).padded(0.04)
    var plot = Plot(x: scale, y: scale, height: 400, left: 56)
    plot.drawAxes(x: "predicted mean", y: "observed \(predictions.response)", yTicks: 5)
    plot.line([(scale.low, scale.low), (scale.high, scale.high)], "reference")
    let stride = (pairs.count + RegressionPlots.mostDots - 1) / RegressionPlots.mostDots
    for index in pairs.indices where index % stride == 0 {
      plot.dot(pairs[index].0, pairs[index].1, radius: pairs.count > 400 ? 1.6 : 2.6, "point")
    }
    let count = Double(pairs.count)
    let mean = pairs.reduce(0) { $0 + $1.1 / count }
    let error = pairs.reduce(0) { $0 + ($1.1 - $1.0) * ($1.1 - $1.0) / count }
    let spread = pairs.reduce(0) { $0 + ($1.1 - mean) * ($1.1 - mean) / count }
    return Blocks.figure(
      "Predicted and observed",
      plot.drawing(
        title: "Observed against predicted",
        description: "Root mean squared error \(NumberText.short(error.squareRoot()))."),
      caption:
        "Each row's response against its predictive mean. Good: dots scatter evenly around the dotted diagonal. A bend "
        + "is structure that the model misses. Root mean squared error \(NumberText.short(error.squareRoot(), digits: 3)), "
        + "\(NumberText.percent(1 - error / spread)) of the variance explained."
        + (stride > 1 ? " Every \(stride)th row is drawn." : ""))
  }

  private func quantiles(_ pairs: [(Double, Double)]) -> Markup {
    let residuals = pairs.map { $0.1 - $0.0 }.sorted()
    let count = Double(residuals.count)
    let mean = residuals.reduce(0) { $0 + $1 / count }
    let deviation = residuals.reduce(0) { $0 + ($1 - mean) * ($1 - mean) / count }.squareRoot()
    guard deviation > 0 else {
      return Blocks.absent("All residuals are the same: there are no quantiles to show.")
    }
    let stride = (residuals.count + 799) / 800
    let points = residuals.indices.filter { $0 % stride == 0 || $0 == residuals.count - 1 }.map {
      (NormalCurve.quantile((Double($0) + 0.5) / count), residuals[$0] / deviation)
    }
    let reach = max(points[points.count - 1].0, 1)
    var plot = Plot(
      x: Scale(-reach, reach).padded(0.05),
      y: Scale(min(points[0].1, -reach), max(points[points.count - 1].1, reach)).padded(0.05), height: 400,
      left: 44)
    plot.drawAxes(x: "quantile of a normal distribution", y: "residual ÷ its s.d.", yTicks: 6)
    plot.line([(-reach, -reach), (reach, reach)], "reference")
    for point in points { plot.dot(point.0, point.1, radius: 2.2, "point") }
    return Blocks.figure(
      "Residual quantiles",
      plot.drawing(
        title: "Residuals against normal quantiles",
        description: "Standard deviation of the residuals \(NumberText.short(deviation))."),
      caption:
        "Sorted residuals (observed − predicted mean, over their standard deviation of \(NumberText.short(deviation, digits: 3))) "
        + "against what normal noise would give. Good, for normal noise: dots on the dotted line. Ends that bend away "
        + "from it are heavier tails: consider a student-t response.")
  }

  private func ranks() -> Markup {
    var counts = [Int](repeating: 0, count: RegressionPlots.bins)
    for rank in predictions.ranks {
      counts[min(RegressionPlots.bins - 1, Int(rank * Double(RegressionPlots.bins)))] += 1
    }
    let expected = Double(predictions.ranks.count) / Double(RegressionPlots.bins)
    let wide = 1.96 * (expected * (1 - 1 / Double(RegressionPlots.bins))).squareRoot()
    let most = max(Double(counts.max() ?? 1), expected + wide)
    let inside = predictions.ranks.filter { $0 >= 0.05 && $0 <= 0.95 }.count
    var plot = Plot(x: Scale(0, 1), y: Scale(0, most * 1.05), left: 44)
    plot.drawAxes(x: "share of predictive draws below the observation", y: "rows")
    plot.band(
      [(0, max(0, expected - wide), expected + wide), (1, max(0, expected - wide), expected + wide)], "band")
    for (bin, count) in counts.enumerated() where count > 0 {
      let left = Double(bin) / Double(RegressionPlots.bins)
      plot.box(left + 0.003, left + 0.047, 0, Double(count), "bar")
    }
    return Blocks.figure(
      "Predictive ranks",
      plot.drawing(
        title: "Histogram of predictive ranks",
        description: "\(inside) of \(predictions.ranks.count) rows lie in their central 90 % interval."),
      caption:
        "Where each observation lies among draws from its own predictive distribution. Good: flat, most bars within the "
        + "band (95 % of chance). A hump: predictions are too wide; a valley: too narrow; a slope: biased. The central "
        + "90 % interval holds \(NumberText.percent(Double(inside) / Double(predictions.ranks.count))) of the rows."
    )
  }
}
