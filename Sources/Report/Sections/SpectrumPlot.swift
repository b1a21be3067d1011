import NumericsKit

/// The variances of the components along their own axes: what the metric learned about the target's shape.
struct SpectrumPlot {
  let shape: MixtureShape

  private static let largestMatrix = 600
  private static let mostComponents = 8

  func markup() -> Markup {
    if let factors = shape.fitted.covarianceFactors { return full(factors) }
    if shape.isFactorized {
      return Blocks.absent(
        "There is no metric with factorization: coordinates: every component of every parameter has a variance of its own."
      )
    }
    let d = shape.dimension
    let values: [Double]
    switch shape.metric.kind {
    case .unit:
      return Blocks.absent(
        "The metric is the identity: components are round in θ's own units, and there is no spectrum to show."
      )
    case .diagonal: values = shape.metric.factor.map { $0 * $0 }
    case .dense:
      guard d <= SpectrumPlot.largestMatrix else {
        return Blocks.absent(
          "The spectrum of a dense metric of \(NumberText.count(d)) parameters is not computed here (at most "
            + "\(SpectrumPlot.largestMatrix)).")
      }
      guard let eigen = SymmetricEigen(shape.metric.covariance, dimension: d) else {
        return Blocks.absent("The metric's eigenvalues can't be computed.")
      }
      values = eigen.values
    }
    // In units of θ: a typical component's variances.
    let scale = shape.fitted.variances.sorted()[shape.count / 2]
    return figure([values.map { $0 * scale }.sorted(by: >)], isFull: false)
  }

  private func full(_ factors: [[[Double]]]) -> Markup {
    let d = shape.dimension
    guard d <= SpectrumPlot.largestMatrix else {
      return Blocks.absent(
        "The spectra of \(NumberText.count(d)) × \(NumberText.count(d)) covariances are not computed.")
    }
    let spectra = factors.prefix(SpectrumPlot.mostComponents).compactMap { factor -> [Double]? in
      let flat = factor.flatMap { $0 }
      var covariance = [Double](repeating: 0, count: d * d)
      BLAS.multiply(
        flat, leadingDimension: d, by: flat, leadingDimension: d, transposed: true, rows: d, columns: d,
        inner: d,
        into: &covariance, leadingDimension: d)
      return SymmetricEigen(covariance, dimension: d)?.values.sorted(by: >)
    }
    return figure(spectra, isFull: true)
  }

  private func figure(_ spectra: [[Double]], isFull: Bool) -> Markup {
    let all = spectra.flatMap { $0 }.filter { $0 > 0 && $0.isFinite }
    guard let high = all.max(), let low = all.min() else {
      return Blocks.absent("The metric has no positive eigenvalue to show.")
    }
    let d = spectra[0].count
    var plot = Plot(
      x: Scale(d == 1 ? 0.5 : 1, d == 1 ? 1.5 : Double(d)),
      y: Scale(low.squareRoot(), high.squareRoot(), logarithmic: true).padded(0.08), left: 58)
    plot.drawAxes(
      x: "principal axis, longest first", y: "standard deviation along it (log scale)", xTicks: min(d, 6))
    let stride = max(1, d / 300)
    for (index, values) in spectra.enumerated() {
      let kind = isFull ? Colours.component(index, of: shape.count) : ""
      let points = values.indices.filter { $0 % stride == 0 || $0 == d - 1 }.map {
        (Double($0 + 1), max(values[$0], 0).squareRoot())
      }
      plot.line(points, "line thin \(kind)")
      if d <= 100 { for point in points { plot.dot(point.0, point.1, "point \(kind)") } }
    }
    let ratio = (high / low).squareRoot()
    let whose =
      isFull
      ? "of the components' covariances"
        + (spectra.count < shape.count ? " (the first \(spectra.count))" : "")
      : "of L Lᵀ, times the median variance of a component"
    return Blocks.figure(
      "Spectrum of the metric",
      plot.drawing(
        title: "Standard deviations along the components' principal axes",
        description:
          "From \(NumberText.short(high.squareRoot(), digits: 3)) to \(NumberText.short(low.squareRoot(), digits: 3))."
      ),
      caption:
        "Square roots of the eigenvalues \(whose). The longest axis is \(NumberText.short(ratio, digits: 3)) times as "
        + "long as the shortest. Flat: parameters are alike and hardly correlated. Steep: some directions are much "
        + "better known than others, which only a learned metric can follow.")
  }
}
