import Inference
import Posteriors

/// The group `posterior`: the output variables at every draw.
struct PosteriorGroup {
  private let target: any LogDensity
  private let layout: PosteriorLayout
  private let variables: [NetCDFVariable]

  init(_ data: InferenceData, _ root: NetCDFGroup) throws {
    target = data.target
    layout = PosteriorLayout(target.outputVariables)
    let (group, draws) = try data.drawGroup("posterior", in: root)
    try group.describe(
      "draws", "independent draws from the fitted mixture q, not from a chain; see sample_stats.log_weight")
    let axes = try layout.axes.map { try group.labelled($0.name, $0.labels) }
    variables = try layout.entries.map { entry in
      let variable = try group.variable(entry.name, .double, draws + entry.axes.map { axes[$0] })
      if entry.name != entry.variable.name { try variable.describe("long_name", entry.variable.name) }
      return variable
    }
  }

  /// Writes the variables at positions `[count, d]`.
  func write(_ positions: [Double], at place: DrawPlace, _ workspace: DensityWorkspace) throws {
    var outputs = [Double](repeating: 0, count: place.count * layout.width)
    try outputs.withUnsafeMutableBufferPointer { outputs in
      try positions.withUnsafeBufferPointer { positions in
        guard let outputs = outputs.baseAddress, let positions = positions.baseAddress else { return }
        try target.computeOutputs(points: positions, count: place.count, into: outputs, workspace: workspace)
      }
    }
    for (entry, variable) in zip(layout.entries, variables) {
      let sizes = entry.axes.map { layout.axes[$0].labels.count }
      try variable.write(
        layout.columns(entry, of: outputs, rows: place.count),
        from: [place.chain, place.start] + sizes.map { _ in 0 }, count: [1, place.count] + sizes)
    }
  }
}
