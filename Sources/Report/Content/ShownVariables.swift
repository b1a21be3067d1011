import NumericsKit
import Posteriors
import Reporting

/// What users see of θ: for each column of the output variables its name and its distribution, exact where the column
/// is a coordinate of θ, and from draws where it is computed from several or transformed.
package struct ShownVariables {
  package struct Column {
    package var name: String
    package var distribution: Distribution
    package var mean: Double
    package var standardDeviation: Double
    /// Quantiles at 5, 50 and 95 %.
    package var quantiles: [Double]
  }

  package enum Distribution {
    case exact(Marginal)
    /// Sorted values at draws, the finite ones.
    case draws([Double])
  }

  /// The first columns, at most ``mostColumns``.
  package var columns: [Column]
  /// Columns that there are.
  package var total: Int
  /// Draws behind the columns that are not exact.
  package var draws: Int
  /// Why there are only coordinates of θ; nil when there is what the target shows.
  package var problem: String?

  package static let mostColumns = 500
  private static let usualDraws = 2000
  private static let leastDraws = 200
  /// Numbers of outputs that are held at once.
  private static let mostNumbers = 4_000_000
  /// Densities that quantiles may take, so that thousands of components cost no more than a second.
  private static let mostEvaluations = 12_000_000

  package init(_ shape: MixtureShape, target: (any LogDensity)?) {
    let names: [String]
    var copies: [Int?]
    if let target, target.dimension == shape.dimension {
      let variables = target.outputVariables
      names = variables.flatMap(\.columnNames)
      let found = ShownVariables.copies(target, shape, columns: names.count)
      copies = found.places
      problem = found.problem
    } else {
      names = shape.fitted.names
      copies = names.indices.map { $0 }
      problem = nil
    }
    if problem != nil {
      columns = ShownVariables.exact(
        shape, names: shape.fitted.names, places: shape.fitted.names.indices.map { $0 })
      total = shape.dimension
      draws = 0
      return
    }
    total = names.count
    let shown = min(names.count, ShownVariables.mostColumns)
    copies = Array(copies.prefix(shown))
    guard let target, copies.contains(where: { $0 == nil }) else {
      draws = 0
      columns = ShownVariables.exact(
        shape, names: Array(names.prefix(shown)), places: copies.compactMap { $0 })
      return
    }
    let wanted = copies.indices.filter { copies[$0] == nil }
    let count = max(
      ShownVariables.leastDraws,
      min(ShownVariables.usualDraws, ShownVariables.mostNumbers / max(1, names.count + shape.dimension)))
    draws = count
    let values = ShownVariables.values(
      target, shape.draws(count), count: count, width: names.count, wanted: wanted)
    var byColumn: [Int: [Double]] = [:]
    for (place, column) in wanted.enumerated() { byColumn[column] = values[place] }
    columns = copies.indices.map { index in
      if let k = copies[index] {
        return ShownVariables.exact(shape, names: [names[index]], places: [k])[0]
      }
      return ShownVariables.column(names[index], byColumn[index] ?? [])
    }
  }

  private static func exact(_ shape: MixtureShape, names: [String], places: [Int]) -> [Column] {
    let shown = min(places.count, max(12, mostEvaluations / (30 * shape.count)), mostColumns)
    return (0..<shown).map { index in
      let marginal = shape.marginal(places[index])
      return Column(
        name: names[index], distribution: .exact(marginal), mean: marginal.mean,
        standardDeviation: marginal.standardDeviation,
        quantiles: [0.05, 0.5, 0.95].map { marginal.quantile($0) })
    }
  }

  private static func column(_ name: String, _ values: [Double]) -> Column {
    let sorted = values.filter(\.isFinite).sorted()
    let count = Double(sorted.count)
    guard count > 0 else {
      return Column(
        name: name, distribution: .draws([]), mean: .nan, standardDeviation: .nan,
        quantiles: [.nan, .nan, .nan])
    }
    let mean = sorted.reduce(0) { $0 + $1 / count }
    let variance = sorted.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / max(1, count - 1)
    return Column(
      name: name, distribution: .draws(sorted), mean: mean, standardDeviation: variance.squareRoot(),
      quantiles: [0.05, 0.5, 0.95].map { sorted[min(sorted.count - 1, Int($0 * count))] })
  }

  /// Which coordinate of θ each column is a copy of, judged at a few points; nil for what is not one.
  private static func copies(_ target: any LogDensity, _ shape: MixtureShape, columns: Int)
    -> (places: [Int?], problem: String?)
  {
    let (points, d) = (3, shape.dimension)
    let theta = shape.draws(points)
    var output = [Double](repeating: .nan, count: points * columns)
    do {
      try theta.withUnsafeBufferPointer { theta in
        guard let base = theta.baseAddress else { return }
        try target.computeOutputs(points: base, count: points, into: &output, workspace: DensityWorkspace())
      }
    } catch {
      return ([], "The target's own variables can't be computed (\(error)); these are the coordinates of θ.")
    }
    var place: [UInt64: Int] = [:]
    for k in (0..<d).reversed() { place[theta[k].bitPattern] = k }
    let places = (0..<columns).map { column -> Int? in
      guard let k = place[output[column].bitPattern] else { return nil }
      return (1..<points).allSatisfy { output[$0 * columns + column] == theta[$0 * d + k] } ? k : nil
    }
    return (places, nil)
  }

  /// The values of some columns at draws, `[wanted][draws]`; NaN where the target can't be evaluated.
  private static func values(
    _ target: any LogDensity, _ theta: [Double], count: Int, width: Int, wanted: [Int]
  ) -> [[Double]] {
    var result = wanted.map { _ in [Double](repeating: .nan, count: count) }
    var output = [Double](repeating: .nan, count: width)
    let workspace = DensityWorkspace()
    theta.withUnsafeBufferPointer { theta in
      guard let base = theta.baseAddress else { return }
      for draw in 0..<count {
        let point = base + draw * target.dimension
        // A draw outside of what the target can do is left out, as a NaN is.
        guard
          (try? target.computeOutputs(points: point, count: 1, into: &output, workspace: workspace)) != nil
        else { continue }
        for (place, column) in wanted.enumerated() { result[place][draw] = output[column] }
      }
    }
    return result
  }

  /// The columns that get a plot: all, or those whose mean is most standard deviations away from zero.
  package func plotted(_ most: Int) -> [Column] {
    guard columns.count > most else { return columns }
    func rank(_ index: Int) -> Double {
      let column = columns[index]
      let ratio = abs(column.mean) / column.standardDeviation
      return ratio.isFinite ? ratio : -1
    }
    let best = columns.indices.sorted { rank($0) != rank($1) ? rank($0) > rank($1) : $0 < $1 }.prefix(most)
    return best.sorted().map { columns[$0] }
  }
}
