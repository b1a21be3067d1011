/// Where the components lie: in the plane of two parameters, or of the two directions in which the mixture varies most.
struct ComponentMap {
  let shape: MixtureShape

  private static let gridSize = 100
  private static let mostEllipses = 60
  private static let mostDots = 1000
  /// Components times places of the grid.
  private static let budget = 4_000_000
  private static let shares = [0.95, 0.8, 0.5]

  func markup() -> Markup {
    if shape.dimension == 1 {
      return Blocks.absent("With one parameter there is no map: the marginal above is all of it.")
    }
    if shape.isFactorized {
      return Blocks.absent(
        "With factorization: coordinates each parameter has a mixture of its own, independent of the others: there is no "
          + "map, the marginals above are all of it.")
    }
    if shape.dimension == 2 {
      let components = (0..<shape.count).map { index in
        let c = shape.covariance(of: index, along: [[1, 0], [0, 1]])
        let m = shape.fitted.means[index]
        return PlanarMixture.Component(x: m[0], y: m[1], xx: c.0, xy: c.1, yy: c.2)
      }
      return figure(
        PlanarMixture(components: components), x: shape.fitted.names[0], y: shape.fitted.names[1],
        note: "")
    }
    guard let axes = PrincipalAxes(shape) else {
      return Blocks.absent("The mixture's principal axes can't be computed, so there is no map.")
    }
    let directions = axes.directions.map { direction in
      direction.indices.map { direction[$0] / axes.deviations[$0] }
    }
    let components = (0..<shape.count).map { index in
      let c = shape.covariance(of: index, along: directions)
      let m = shape.fitted.means[index]
      let place = directions.map { direction in
        direction.indices.reduce(0) { $0 + direction[$1] * (m[$1] - axes.mean[$1]) }
      }
      return PlanarMixture.Component(x: place[0], y: place[1], xx: c.0, xy: c.1, yy: c.2)
    }
    let described = (0..<2).map { axis in
      "axis \(axis + 1) (\(NumberText.percent(axes.shares[axis])) of the variance) is mostly "
        + axes.loadings(axis, names: shape.fitted.names).map {
          "\(NumberText.fixed($0.weight, decimals: 2)) × \($0.name)"
        }.joined(separator: ", ")
    }
    return figure(
      PlanarMixture(components: components), x: "axis 1", y: "axis 2",
      note: " Parameters are measured in their own standard deviations; \(described.joined(separator: "; "))."
    )
  }

  private func figure(_ planar: PlanarMixture, x: String, y: String, note: String) -> Markup {
    let extent = planar.extent
    let (xs, ys) = (Scale(extent.x.0, extent.x.1).padded(0.06), Scale(extent.y.0, extent.y.1).padded(0.06))
    var plot = Plot(x: xs, y: ys, height: 400, left: 48)
    plot.drawAxes(x: x, y: y)
    let side = max(
      40, min(ComponentMap.gridSize, Int((Double(ComponentMap.budget) / Double(shape.count)).squareRoot())))
    func places(_ scale: Scale) -> [Double] {
      (0...side).map { scale.low + (scale.high - scale.low) * Double($0) / Double(side) }
    }
    let contours = Contours(xs: places(xs), ys: places(ys), planar.density)
    let levels = contours.levels(holding: ComponentMap.shares)
    for (index, level) in levels.enumerated() where level > 0 {
      plot.area(contours.curves(at: level), "contour k\(index)")
    }
    let n = planar.components.count
    if n <= ComponentMap.mostEllipses {
      for index in planar.components.indices {
        plot.line(planar.ellipse(index), "line thin \(Colours.component(index, of: n))")
      }
    }
    for (index, component) in planar.components.prefix(ComponentMap.mostDots).enumerated() {
      plot.dot(
        component.x, component.y, radius: n > 200 ? 1.5 : 2.8, "fill \(Colours.component(index, of: n))",
        title: "component \(index + 1)")
    }
    let shown =
      n <= ComponentMap.mostEllipses
      ? "dots and ellipses are its components, at their means and one standard deviation around them"
      : "dots are the means of \(n > ComponentMap.mostDots ? "the first \(NumberText.count(ComponentMap.mostDots))" : "its") "
        + "components"
    return Blocks.figure(
      "Map of the components",
      plot.drawing(
        title: "The mixture along \(x) and \(y)",
        description:
          "\(NumberText.count(n, "component", "components")) with contours of the mixture's density."),
      caption:
        "The fitted mixture\(shape.dimension > 2 ? ", projected" : ""): shaded regions hold 50 %, 80 % and 95 % of it; "
        + "\(shown). Components in one heap share out a single mode and its tails; heaps apart are modes.\(note)"
        + Colours.explanation(of: n))
  }
}
