import CKernels
import Datasets
import Mixtures
import NumericsKit
import Posteriors

/// Predicts the rows of a tile, by draws from the mixture or without. Belongs to one thread.
final class RowPredictor {
  private let problem: Problem
  private let samples: TileSamples
  private let workspace: DensityWorkspace
  private var integrated: (job: TileJob, rows: any RowIntegrals)?
  private var strata: [Double] = []
  private let likelihoods = Scratch()
  private let expectations = Scratch()
  private let responses = Scratch()
  private let uniforms = Scratch()
  private let columns = Scratch()
  private let sorting = Scratch()
  private let average = Scratch()

  /// Numbers of one array of draws × rows: half a second-level cache.
  private static let blockNumbers = 1 << 16

  /// Numbers of sparse rows that are made dense at once.
  private static let mostDenseNumbers = 1 << 20

  init(_ problem: Problem, samples: TileSamples, workspace: DensityWorkspace) {
    self.problem = problem
    self.samples = samples
    self.workspace = workspace
  }

  /// Writes the numbers of a tile's rows, `[rowsPerTile, width]`, and zeros where the data have ended.
  func predict(_ job: TileJob, _ tile: Tile, into output: UnsafeMutablePointer<Double>) throws {
    guard case .rows(let place) = tile.part, let data = problem.test, let prediction = problem.prediction,
      let layout = prediction.layout(problem.target.predictedResponse)
    else { throw FitError(.software, "this run has no rows to predict") }
    output.update(repeating: 0, count: place.count * layout.width)
    let first = job.iteration * job.plan.rows + place.lowerBound
    let rows = first..<min(first + place.count, data.manifest.rows)
    guard !rows.isEmpty else { return }
    // Jobs come in the order of rows.
    data.release(before: job.iteration * job.plan.rows)
    let integrated = try prediction.draws == nil ? integrated(job, prediction) : nil
    let width = integrated?.numbersPerRow ?? (prediction.draws ?? 1) * layout.expectations
    var size = min(max(RowPredictor.blockNumbers / width / 16 * 16, 16), 512)
    // Sparse rows may be made dense.
    if data.manifest.storage == .sparse {
      size = min(size, max(16, RowPredictor.mostDenseNumbers / data.manifest.columns.count / 16 * 16))
    }
    for start in stride(from: rows.lowerBound, to: rows.upperBound, by: size) {
      let target = output + (start - rows.lowerBound) * layout.width
      let here = start..<min(start + size, rows.upperBound)
      let left = try data.withRows(here) { block in
        let columns = columns.pointer(count: layout.width * block.count)
        var left: [Int] = []
        if let integrated {
          left = integrated.predict(block, quantity: prediction.quantity, layout, into: columns)
        } else {
          draw(job, block, draws: prediction.draws ?? 0, prediction, layout, into: columns)
        }
        store(columns, of: block, layout, into: target)
        return left
      }
      let draws = ProblemBuilder.draws(ProblemBuilder.usualDraws, components: job.plan.components)
      for row in left {
        try data.withRows(start + row..<start + row + 1) { block in
          let columns = columns.pointer(count: layout.width)
          draw(job, block, draws: draws, prediction, layout, into: columns)
          store(columns, of: block, layout, into: target + row * layout.width)
        }
      }
    }
  }

  /// Writes a block's columns `[width, rows]` as rows, with the responses.
  private func store(
    _ columns: UnsafeMutablePointer<Double>, of block: RowBlock, _ layout: RowPrediction.Layout,
    into target: UnsafeMutablePointer<Double>
  ) {
    if layout.hasScores {
      (columns + (layout.shown + 1) * block.count).update(from: block.responses, count: block.count)
    }
    for row in 0..<block.count {
      for k in 0..<layout.width { target[row * layout.width + k] = columns[k * block.count + row] }
    }
  }

  /// What integrates predictions, made once for all jobs with a mixture.
  private func integrated(_ job: TileJob, _ prediction: RowPrediction) throws -> any RowIntegrals {
    if let integrated, integrated.job.hasMixture(of: job) { return integrated.rows }
    guard let law = problem.target.predictorLaw,
      let rows = law.integrals(job, quantiles: prediction.quantiles)
    else {
      throw FitError(
        .software, "family \(problem.specification.model.family) can't be integrated without draws")
    }
    integrated = (job, rows)
    return rows
  }

  /// Averages, deviations and quantiles over draws; columns `[width, rows]`.
  private func draw(
    _ job: TileJob, _ block: RowBlock, draws: Int, _ prediction: RowPrediction,
    _ layout: RowPrediction.Layout, into columns: UnsafeMutablePointer<Double>
  ) {
    let target = problem.target
    samples.makeRowDraws(job, pairs: draws / 2)
    let (count, numbers) = (block.count, layout.expectations * block.count)
    let means = expectations.pointer(count: draws * numbers)
    target.computeExpectations(
      block, draws: samples.positions, count: draws, into: means, workspace: workspace)
    let deviation = layout.hasDeviation ? columns + numbers : nil
    isomix_column_moments(means, draws, numbers, columns, deviation)
    if layout.quantiles > 0 {
      var values = means
      if prediction.quantity == .response {
        values = drawResponses(block, draws: draws)
        // The mean stays that of the expectations, which has less error.
        isomix_column_moments(values, draws, count, average.pointer(count: count), deviation)
      }
      sort(
        values, draws: draws, numbers: numbers, prediction,
        into: columns + numbers + (layout.hasDeviation ? count : 0))
    }
    guard layout.hasScores else { return }
    let logs = likelihoods.pointer(count: draws * count)
    target.computeLogLikelihoods(
      block, draws: samples.positions, count: draws, into: logs, workspace: workspace)
    VectorMath.columnLogMeanExp(
      logs, rows: draws, columns: count, into: columns + layout.shown * count)
  }

  /// A response for each draw and row, by inversion of uniforms that are the same in every row: one in each of as many
  /// strata as there are draws, so that the noise's own quantiles are met almost without error.
  private func drawResponses(_ block: RowBlock, draws: Int) -> UnsafeMutablePointer<Double> {
    if strata.count != draws { strata = samples.makeStrata(count: draws) }
    let uniforms = uniforms.pointer(count: draws * block.count)
    for (draw, uniform) in strata.enumerated() {
      (uniforms + draw * block.count).update(repeating: uniform, count: block.count)
    }
    let values = responses.pointer(count: draws * block.count)
    problem.target.computeResponses(
      block, draws: samples.positions, count: draws, uniforms: uniforms, into: values, workspace: workspace)
    return values
  }

  /// Quantiles of the columns of values `[draws, numbers]`. The i-th of S sorted draws, from 0, is taken for the quantile
  /// of (i + ½)/S, with straight lines between them; of counts the smallest that so many draws don't exceed.
  private func sort(
    _ values: UnsafePointer<Double>, draws: Int, numbers: Int, _ prediction: RowPrediction,
    into output: UnsafeMutablePointer<Double>
  ) {
    let isCount = problem.target.predictedResponse == .count && prediction.quantity == .response
    let places = prediction.quantiles.map { probability in
      let place = Double(draws) * probability - 0.5
      return min(max(isCount ? (place - 0.5).rounded(.up) : place, 0), Double(draws - 1))
    }
    isomix_column_quantiles(
      values, draws, numbers, places, places.count, sorting.pointer(count: 16 * draws), output)
  }
}
