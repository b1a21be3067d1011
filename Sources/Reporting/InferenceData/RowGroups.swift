import Datasets
import Foundation
import Inference
import NumericsKit
import Posteriors

/// The groups about rows: `observed_data`, `posterior_predictive` and `log_likelihood`.
///
/// The training rows' response has its own name and the dimension `row`, the test rows' the name with `_test` and the
/// dimension `test_row`; rows are numbered as in the prepared data. A set with more rows than
/// ``InferenceData/mostRows`` is left out.
struct RowGroups {
  private let target: any LogDensity
  private let seed: Noise
  private var sets: [RowSet] = []

  /// One set of rows.
  private struct RowSet {
    let design: Design
    let replicas: NetCDFVariable
    let logLikelihood: NetCDFVariable?
    /// The iteration of the noise that responses are drawn with.
    let iteration: Int
  }

  private static let noiseIterations = (train: 3, test: 4)

  /// Nil when there is nothing to write.
  init?(_ data: InferenceData, _ root: NetCDFGroup) throws {
    guard let response = data.target.predictedResponse, let train = data.train else { return nil }
    target = data.target
    seed = data.draws.noise
    var names = NetCDFNames(taken: PosteriorLayout.drawAxes + ["row", "test_row"])
    let name = names.name(for: data.response ?? "response")
    let testName = names.name(for: "\(data.response ?? "response")_test")
    let candidates = [
      (train, name, "row", RowGroups.noiseIterations.train),
      data.test.map { ($0, testName, "test_row", RowGroups.noiseIterations.test) },
    ].compactMap { $0 }.filter { $0.0.manifest.rows <= data.mostRows }
    guard !candidates.isEmpty else { return nil }
    let observed = try root.group("observed_data")
    try data.describe(observed)
    let predictive = try data.drawGroup("posterior_predictive", in: root)
    for (design, name, axis, iteration) in candidates {
      let rows = design.manifest.rows
      let variable = try observed.variable(
        name, response.format, [try observed.index(axis, count: rows)], isCompressed: true)
      try RowGroups.forEachBlock(design) { block, start in
        let values = Array(UnsafeBufferPointer(start: block.responses, count: block.count))
        try variable.write(values, from: [start], count: [block.count])
      }
      let replicas = try predictive.group.variable(
        name, response.drawFormat, predictive.dimensions + [try predictive.group.index(axis, count: rows)],
        isCompressed: response.drawFormat != .float)
      if case .classes(let classes) = response {
        let meaning = classes.enumerated().map { "\($0.offset): \($0.element)" }.joined(separator: ", ")
        for variable in [variable, replicas] { try variable.describe("classes", meaning) }
      }
      var logLikelihood: NetCDFVariable?
      if axis == "row" {
        let (group, dimensions) = try data.drawGroup("log_likelihood", in: root)
        logLikelihood = try group.variable(
          name, .double, dimensions + [try group.index(axis, count: rows)])
      }
      sets.append(
        RowSet(design: design, replicas: replicas, logLikelihood: logLikelihood, iteration: iteration))
    }
  }

  /// Computes and writes what belongs to draws at positions `[count, d]`.
  func write(
    _ positions: [Double], at place: DrawPlace, _ workspace: DensityWorkspace, check: () throws -> Void
  ) throws {
    for set in sets {
      try RowGroups.forEachBlock(set.design) { block, start in
        try check()
        try write(set, block, start, positions, place, workspace)
      }
    }
  }

  private func write(
    _ set: RowSet, _ block: RowBlock, _ start: Int, _ positions: [Double], _ place: DrawPlace,
    _ workspace: DensityWorkspace
  ) throws {
    let corner = [place.chain, place.start, start]
    let shape = [1, place.count, block.count]
    var values = [Double](repeating: 0, count: place.count * block.count)
    if let variable = set.logLikelihood {
      target.computeLogLikelihoods(
        block, draws: positions, count: place.count, into: &values, workspace: workspace)
      try variable.write(values, from: corner, count: shape)
    }
    var uniforms = [Double](repeating: 0, count: values.count)
    seed.fillUniforms(
      .draws, iteration: set.iteration, component: start, samples: place.number..<place.number + place.count,
      dimension: block.count, into: &uniforms)
    target.computeResponses(
      block, draws: positions, count: place.count, uniforms: uniforms, into: &values, workspace: workspace)
    try set.replicas.write(values, from: corner, count: shape)
  }

  /// Rows of a design in blocks that lie within a shard.
  private static func forEachBlock(_ design: Design, _ body: (RowBlock, Int) throws -> Void) throws {
    let size = min(design.manifest.rowsPerShard, mostRowsPerBlock)
    for start in stride(from: 0, to: design.manifest.rows, by: size) {
      try design.withRows(start..<min(start + size, design.manifest.rows)) { try body($0, start) }
    }
  }

  /// A power of two, so that blocks lie within shards.
  private static let mostRowsPerBlock = 1024
}

extension PredictedResponse {
  /// How observed responses are kept.
  fileprivate var format: NetCDFGroup.Format {
    switch self {
    case .real: .double
    case .count: .int64
    case .classes: .int32
    }
  }

  /// How drawn responses are kept: of a real one seven digits are enough.
  fileprivate var drawFormat: NetCDFGroup.Format {
    if case .real = self { return .float }
    return format
  }
}
