import NumericsKit
import Posteriors

/// Quantiles and likelihoods of rows' counts under the terms of a ``PredictorMixture``: by few merged terms where that is
/// as good, else by all terms with as many nodes as the row's own width takes. Each row's choice is its own, so that its
/// numbers don't depend on its neighbours.
final class CountIntegrals {
  /// Laws of rows' linear predictors, `[terms, rows]`, and their counts' expectations.
  struct Rows {
    let count: Int
    let centers: UnsafePointer<Double>
    let deviations: UnsafePointer<Double>
    let expectations: UnsafePointer<Double>
  }

  private let terms: Int
  private let leastOverdispersion: Double
  private let mergings: [CountMerging]
  private let rules: [(limit: Double, terms: CountTerms)]
  private let gathered = Scratch()
  private let results = Scratch()

  /// Of most rows.
  var numbersPerRow: Int { 5 * terms }

  init(_ mixture: PredictorMixture) {
    terms = mixture.terms
    leastOverdispersion = mixture.auxiliaries.min() ?? 0
    mergings = CountMerging.all(mixture)
    rules = CountTerms.nodes.filter { CountTerms.isWorthwhile(mixture, nodes: $0) }.map {
      (CountTerms.limit(nodes: $0), CountTerms(mixture, nodes: $0))
    }
  }

  /// Writes quantiles `[probabilities, rows]`.
  /// - Returns: rows whose counts are too large to be summed, or spread too far.
  func quantiles(_ rows: Rows, at probabilities: [Double], into output: UnsafeMutablePointer<Double>) -> [Int]
  {
    guard !probabilities.isEmpty else { return [] }
    var open = Array(0..<rows.count)
    var left: [Int] = []
    func put(_ results: UnsafePointer<Double>, _ chosen: [Int], _ place: Int) {
      var isSummed = true
      for index in probabilities.indices {
        let value = results[index * chosen.count + place]
        output[index * rows.count + chosen[place]] = value
        isSummed = isSummed && value >= 0
      }
      if !isSummed { left.append(chosen[place]) }
    }
    for merging in mergings where !open.isEmpty {
      let chosen = open
      let own = gather(chosen, of: rows)
      let results = results.pointer(count: probabilities.count * chosen.count)
      let isMerged = merging.quantiles(own, at: probabilities, into: results)
      open = []
      for place in chosen.indices {
        if isMerged[place] > 0 { put(results, chosen, place) } else { open.append(chosen[place]) }
      }
    }
    let unserved = integrate(open, of: rows) { rule, own, chosen in
      let results = results.pointer(count: probabilities.count * chosen.count)
      rule.quantiles(own.centers, own.deviations, rows: chosen.count, at: probabilities, into: results)
      for place in chosen.indices { put(results, chosen, place) }
    }
    return left + unserved
  }

  /// Writes `log p(y)` of each row.
  /// - Returns: rows whose counts spread too far.
  func logLikelihoods(
    _ rows: Rows, _ responses: UnsafePointer<Double>, into output: UnsafeMutablePointer<Double>
  ) -> [Int] {
    integrate(Array(0..<rows.count), of: rows) { rule, own, chosen in
      let ownResponses = results.pointer(count: 2 * chosen.count)
      let results = ownResponses + chosen.count
      for (place, row) in chosen.enumerated() { ownResponses[place] = responses[row] }
      rule.logLikelihoods(own.centers, own.deviations, ownResponses, rows: chosen.count, into: results)
      for (place, row) in chosen.enumerated() { output[row] = results[place] }
    }
  }

  /// Gives rows to the rules that they take.
  /// - Returns: rows that none serves.
  private func integrate(_ chosen: [Int], of rows: Rows, by body: (CountTerms, Rows, [Int]) -> Void) -> [Int]
  {
    guard !chosen.isEmpty else { return [] }
    var ofRule = [[Int]](repeating: [], count: rules.count)
    var left: [Int] = []
    for row in chosen {
      var largest = 0.0
      for term in 0..<terms { largest = max(largest, rows.deviations[term * rows.count + row]) }
      let mean = rows.expectations[row]
      let width = largest * (1 + mean / (1 + leastOverdispersion * mean)).squareRoot()
      if largest <= CountTerms.largestDeviation, let rule = rules.firstIndex(where: { width <= $0.limit }) {
        ofRule[rule].append(row)
      } else {
        left.append(row)
      }
    }
    for (rule, own) in zip(rules, ofRule) where !own.isEmpty { body(rule.terms, gather(own, of: rows), own) }
    return left
  }

  /// Some of the rows; valid until the next call.
  private func gather(_ chosen: [Int], of rows: Rows) -> Rows {
    let count = chosen.count
    guard count < rows.count else { return rows }
    let centers = gathered.pointer(count: (2 * terms + 1) * count)
    let (deviations, expectations) = (centers + terms * count, centers + 2 * terms * count)
    for term in 0..<terms {
      for (place, row) in chosen.enumerated() {
        centers[term * count + place] = rows.centers[term * rows.count + row]
        deviations[term * count + place] = rows.deviations[term * rows.count + row]
      }
    }
    for (place, row) in chosen.enumerated() { expectations[place] = rows.expectations[row] }
    return Rows(count: count, centers: centers, deviations: deviations, expectations: expectations)
  }
}
