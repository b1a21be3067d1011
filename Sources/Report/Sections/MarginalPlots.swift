/// Small multiples: the marginal distribution of each shown variable, with its components.
struct MarginalPlots {
  let variables: ShownVariables
  let components: Int

  static let most = 12
  private static let bins = 40

  func markup() -> [Markup] {
    let shown = variables.plotted(MarginalPlots.most)
    guard !shown.isEmpty else { return [Blocks.absent("The target shows no variables.")] }
    var parts: [Markup] = [
      Blocks.grid(shown.map(plot), kind: "small-multiples"), Blocks.paragraph(explanation(shown), "caption"),
    ]
    if let problem = variables.problem { parts.insert(Blocks.absent(problem), at: 0) }
    return parts
  }

  private func explanation(_ shown: [ShownVariables.Column]) -> String {
    var text = ""
    if shown.count < variables.total {
      text +=
        "These are \(shown.count) of \(NumberText.count(variables.total)) variables: those whose mean is most standard "
        + "deviations away from zero"
        + (variables.columns.count < variables.total
          ? ", among the first \(NumberText.count(variables.columns.count)). " : ". ")
    }
    let isExact = shown.contains { if case .exact = $0.distribution { true } else { false } }
    let isDrawn = shown.contains { if case .draws = $0.distribution { true } else { false } }
    if isExact {
      text +=
        "Shaded: the fitted marginal density, computed exactly from the mixture"
        + (components > 1 && components <= Colours.mostComponents
          ? "; coloured lines: its components, which add up to it. " : ". ")
    }
    if isDrawn {
      text +=
        "Histograms show variables that are computed from θ, from \(NumberText.count(variables.draws)) draws. "
    }
    text +=
      "The bar below spans the 5 % to 95 % quantiles, its dot is the median. What to look for: several humps are modes that "
      + "one number can't summarise; a bar that holds 0 is an effect whose sign is open."
    if components > 1, isExact { text += Colours.explanation(of: components) }
    return text
  }

  private func plot(_ column: ShownVariables.Column) -> Markup {
    let drawing =
      switch column.distribution {
      case .exact(let marginal): curve(column, marginal)
      case .draws(let values): histogram(column, values)
      }
    return .element(
      "figure", [:],
      [
        .element("h4", ["title": column.name], text: column.name), drawing,
        .element(
          "figcaption",
          text:
            "\(NumberText.short(column.mean, digits: 3)) ± \(NumberText.short(column.standardDeviation, digits: 2))"
        ),
      ])
  }

  private func frame(_ low: Double, _ high: Double, _ top: Double) -> Plot {
    let ceiling = top > 0 && top.isFinite ? top : 1
    var plot = Plot(
      x: Scale(low, high), y: Scale(-0.12 * ceiling, 1.04 * ceiling), width: 280, height: 140,
      left: 8,
      right: 8, top: 6, bottom: 26)
    plot.drawHorizontalAxis("", ticks: 4)
    return plot
  }

  private func interval(_ column: ShownVariables.Column, _ plot: inout Plot) {
    // Half-way between the curves' ground and the axis.
    let (middle, half) = (plot.y.low / 2, -0.1 * plot.y.low)
    plot.box(column.quantiles[0], column.quantiles[2], middle - half, middle + half, "interval")
    plot.dot(column.quantiles[1], middle, radius: 3, "median")
  }

  private func description(_ column: ShownVariables.Column) -> String {
    "Mean \(NumberText.short(column.mean)), 90 % between \(NumberText.short(column.quantiles[0])) and "
      + "\(NumberText.short(column.quantiles[2]))."
  }

  private func curve(_ column: ShownVariables.Column, _ marginal: Marginal) -> Markup {
    var (low, high) = (marginal.quantile(0.001), marginal.quantile(0.999))
    (low, high) = (low - 0.08 * (high - low), high + 0.08 * (high - low))
    var places = (0...120).map { low + (high - low) * Double($0) / 120 }
    let isColoured = marginal.means.count <= Colours.mostComponents
    if isColoured {
      // Narrow components are missed by an even grid.
      for (m, s) in zip(marginal.means, marginal.deviations) {
        for z in [0, 0.3, 0.6, 1, 1.5, 2, 3] { places += [m - z * s, m + z * s] }
      }
      places = places.filter { $0 >= low && $0 <= high }.sorted()
    }
    let densities = places.map { marginal.density(at: $0) }
    var plot = frame(low, high, densities.max() ?? 1)
    plot.band(zip(places, densities).map { ($0, 0, $1) }, "band")
    if isColoured, marginal.means.count > 1 {
      for i in marginal.means.indices {
        plot.line(
          places.filter { abs($0 - marginal.means[i]) < 4.5 * marginal.deviations[i] }.map {
            ($0, marginal.density(i, at: $0))
          }, "line thin \(Colours.component(i, of: marginal.means.count))")
      }
    }
    plot.line(Array(zip(places, densities)), "line ink")
    interval(column, &plot)
    return plot.drawing(
      title: "Marginal of \(column.name)", description: description(column), kind: "plot small")
  }

  private func histogram(_ column: ShownVariables.Column, _ values: [Double]) -> Markup {
    guard values.count > 1, let first = values.first, let last = values.last else {
      return Blocks.absent("no finite values")
    }
    // A few far draws would leave one bin for all others.
    let (low, high) = (
      max(
        first, values[values.count / 200] - 0.5 * (values[values.count * 3 / 4] - values[values.count / 4])),
      min(
        last,
        values[values.count - 1 - values.count / 200] + 0.5
          * (values[values.count * 3 / 4] - values[values.count / 4])
      )
    )
    guard high > low else { return Blocks.absent("always \(NumberText.short(first))") }
    var counts = [Int](repeating: 0, count: MarginalPlots.bins)
    let width = (high - low) / Double(MarginalPlots.bins)
    for value in values where value >= low && value <= high {
      counts[min(MarginalPlots.bins - 1, Int((value - low) / width))] += 1
    }
    var plot = frame(low - 0.03 * (high - low), high + 0.03 * (high - low), Double(counts.max() ?? 1))
    for (bin, count) in counts.enumerated() where count > 0 {
      plot.box(low + width * Double(bin), low + width * Double(bin + 1), 0, Double(count), "bar")
    }
    interval(column, &plot)
    return plot.drawing(
      title: "Histogram of \(column.name)", description: description(column), kind: "plot small")
  }
}
