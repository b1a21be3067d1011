/// How much of the importance weight each component's draws carry.
struct UsagePlot {
  let usage: [Double]
  /// Bars that fit.
  private static let mostBars = 60

  func markup() -> Markup {
    guard usage.count > 1 else { return .nothing }
    let n = Double(usage.count)
    let relative = usage.map { $0 * n }
    let largest = max(relative.filter(\.isFinite).max() ?? 1, 1.2)
    let idle = relative.filter { $0 < 0.1 }.count
    let isByComponent = usage.count <= UsagePlot.mostBars
    // Too many for a bar each: in order of size.
    let shown = isByComponent ? relative : relative.sorted(by: >)
    var plot = Plot(x: Scale(0.5, n + 0.5), y: Scale(0, largest * 1.08), left: 40)
    plot.drawAxes(
      x: isByComponent ? "component" : "components, largest share first", y: "share × N",
      xTicks: min(usage.count, 8))
    if isByComponent {
      for (index, value) in shown.enumerated() {
        let at = Double(index + 1)
        plot.box(
          at - 0.36, at + 0.36, 0, value, "fill \(Colours.component(index, of: usage.count))",
          title: "component \(index + 1): \(NumberText.percent(usage[index])) of the weight")
      }
    } else {
      let stride = max(1, shown.count / 400)
      plot.band(
        shown.indices.filter { $0 % stride == 0 || $0 == shown.count - 1 }.map {
          (Double($0 + 1), 0, shown[$0])
        }, "band strong")
    }
    plot.line([(0.5, 1), (n + 0.5, 1)], "reference")
    return Blocks.figure(
      "What each component carries",
      plot.drawing(
        title: "Share of the importance weight by component",
        description: "\(idle) of \(usage.count) components carry less than a tenth of an equal share."),
      caption:
        "The share of the importance weight on each component's draws, in units of an equal share (dotted). Good: "
        + "bars near 1. A bar near 0 is a component where the target has hardly any mass; one far above 1 is alone "
        + "where the target has much.\(Colours.explanation(of: usage.count))")
  }
}
