/// The course of the fit: the ELBO, the KL divergence where it is known, steps and gradients.
struct TracePlots {
  let trace: Trace

  /// Dots with words behind them, at most.
  private static let mostDots = 150

  func markup() -> Markup {
    let rows = trace.rows.filter { $0.elbo.isFinite }
    guard rows.count > 1 else {
      return Blocks.section(
        "course", "How it got there",
        [
          Blocks.absent(
            rows.isEmpty
              ? "trace.csv has no evaluations, so there is no course to show."
              : "trace.csv has a single evaluation, so there is no course to show.")
        ])
    }
    var figures = [elbo(rows)]
    if rows.contains(where: { ($0.kl ?? 0) > 0 }) { figures.append(divergence(rows)) }
    if rows.contains(where: { ($0.stepSize ?? 0) > 0 }) { figures.append(steps(rows)) }
    return Blocks.section("course", "How it got there", [Blocks.grid(figures)])
  }

  private func elbo(_ rows: [Trace.Row]) -> Markup {
    let sorted = rows.map(\.elbo).sorted()
    let top = sorted[sorted.count - 1]
    // A start far away would flatten all the rest: the frame ends a few quartiles below the top.
    let quartile = top - sorted[sorted.count / 4]
    let low = max(sorted[0], top - max(3 * quartile, 4 * (rows.last?.standardError ?? 0)))
    let hidden = rows.filter { $0.elbo < low }.count
    var plot = Plot(
      x: Scale(rows[0].iteration, rows[rows.count - 1].iteration), y: Scale(low, top).padded(0.08), left: 62)
    plot.drawAxes(x: "iteration", y: "ELBO (nats)")
    plot.band(
      rows.filter { $0.standardError.isFinite }.map {
        ($0.iteration, $0.elbo - $0.standardError, $0.elbo + $0.standardError)
      }, "band")
    plot.line(rows.map { ($0.iteration, $0.elbo) }, "line")
    dots(rows, \.elbo, "ELBO", &plot)
    let note =
      hidden > 0
      ? " The first \(NumberText.count(hidden, "evaluation lies", "evaluations lie")) below the frame, down to "
        + "\(NumberText.short(sorted[0], digits: 3))." : ""
    let end = rows[rows.count - 1]
    return Blocks.figure(
      "Evidence lower bound",
      plot.drawing(
        title: "ELBO by iteration",
        description:
          "It ends at \(NumberText.short(end.elbo)) nats at iteration \(NumberText.short(end.iteration))."
      ),
      caption:
        "Each evaluation of the ELBO, with a band of one standard error of its Monte Carlo estimate. Good: it "
        + "rises and then stays level within the band. Bad: it still climbs at the right edge, or falls."
        + note)
  }

  private func divergence(_ rows: [Trace.Row]) -> Markup {
    let shown = rows.compactMap { row in row.kl.map { (row, $0) } }.filter { $0.1.isFinite }
    let positive = shown.map(\.1).filter { $0 > 0 }
    guard let largest = positive.max(), let smallest = positive.min() else { return .nothing }
    var plot = Plot(
      x: Scale(rows[0].iteration, rows[rows.count - 1].iteration),
      y: Scale(smallest, largest, logarithmic: true).padded(0.08), left: 62)
    plot.drawAxes(x: "iteration", y: "KL(q ‖ π) (nats, log scale)")
    let floor = smallest / 1e3
    plot.band(
      shown.filter { $0.0.standardError.isFinite }.map {
        ($0.0.iteration, max($0.1 - $0.0.standardError, floor), max($0.1 + $0.0.standardError, floor))
      }, "band")
    plot.line(shown.map { ($0.0.iteration, $0.1 > 0 ? $0.1 : .nan) }, "line")
    dots(shown.map(\.0), { $0.kl ?? .nan }, "KL", &plot)
    return Blocks.figure(
      "Distance from the target",
      plot.drawing(
        title: "KL divergence by iteration",
        description: "It ends at \(NumberText.short(shown.last?.1)) nats."),
      caption:
        "The target's normaliser is known, so the ELBO gives the Kullback–Leibler divergence itself; the band is "
        + "one standard error. Good: it falls to a level near 0 and stays. Values below zero, which noise makes near "
        + "the end, are left out on this scale.")
  }

  private func steps(_ rows: [Trace.Row]) -> Markup {
    let sizes = rows.compactMap { row in row.stepSize.map { (row.iteration, $0) } }.filter {
      $0.1 > 0 && $0.1.isFinite
    }
    let norms = rows.compactMap { row in row.gradientNorm.map { (row.iteration, $0) } }.filter {
      $0.1 > 0 && $0.1.isFinite
    }
    let all = (sizes + norms).map(\.1)
    guard let low = all.min(), let high = all.max() else { return .nothing }
    var plot = Plot(
      x: Scale(rows[0].iteration, rows[rows.count - 1].iteration),
      y: Scale(low, high, logarithmic: true).padded(0.08), left: 62)
    plot.drawAxes(x: "iteration", y: "log scale")
    plot.line(norms, "line c1")
    plot.line(sizes, "line c0")
    return .element(
      "figure", [:],
      [
        .element("h3", text: "Steps and gradients"),
        plot.drawing(
          title: "Step size and gradient norm by iteration",
          description: "The last step size is \(NumberText.short(sizes.last?.1))."),
        Blocks.legend([("swatch c0", "step size"), ("swatch c1", "gradient norm of the last step")]),
        .element(
          "figcaption",
          text:
            "The size of the steps, and the root mean square over components of the gradient's norm. Good: the "
            + "gradient falls to a level set by noise. Bad: either of them grows without end."),
      ])
  }

  private func dots(
    _ rows: [Trace.Row], _ value: (Trace.Row) -> Double, _ name: String, _ plot: inout Plot
  ) {
    let stride = (rows.count + TracePlots.mostDots - 1) / TracePlots.mostDots
    for (index, row) in rows.enumerated() where (rows.count - 1 - index) % stride == 0 {
      plot.dot(
        row.iteration, value(row), radius: 4, "hit",
        title:
          "iteration \(NumberText.short(row.iteration, digits: 7)): \(name) \(NumberText.short(value(row), digits: 6)) "
          + "± \(NumberText.short(row.standardError, digits: 2)), after \(NumberText.duration(row.seconds)) on "
          + NumberText.count(row.workers, "worker", "workers"))
    }
  }
}
