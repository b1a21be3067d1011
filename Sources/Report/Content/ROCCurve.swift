/// The receiver operating characteristic of a score for a yes-or-no outcome.
package struct ROCCurve {
  /// False and true positive rates from (0, 0) to (1, 1), one point for each different score, or fewer.
  package let points: [(Double, Double)]
  /// The area under the curve: the chance that a positive scores higher than a negative, ties counted half.
  package let area: Double
  /// Points that are kept, about.
  package static let mostPoints = 400

  /// Nil when all outcomes are the same.
  package init?(scores: [Double], outcomes: [Bool]) {
    let pairs = zip(scores, outcomes).filter { $0.0.isFinite }.sorted { $0.0 > $1.0 }
    let positives = pairs.reduce(0) { $0 + ($1.1 ? 1 : 0) }
    let negatives = pairs.count - positives
    guard positives > 0, negatives > 0 else { return nil }
    var all: [(Double, Double)] = [(0, 0)]
    var (hits, alarms) = (0, 0)
    var sum = 0.0
    var index = 0
    while index < pairs.count {
      let (before, beforeAlarms) = (hits, alarms)
      let score = pairs[index].0
      while index < pairs.count, pairs[index].0 == score {
        if pairs[index].1 { hits += 1 } else { alarms += 1 }
        index += 1
      }
      sum += Double(alarms - beforeAlarms) * Double(hits + before) / 2
      all.append((Double(alarms) / Double(negatives), Double(hits) / Double(positives)))
    }
    area = sum / (Double(positives) * Double(negatives))
    let stride = max(1, all.count / ROCCurve.mostPoints)
    points = all.indices.filter { $0 % stride == 0 || $0 == all.count - 1 }.map { all[$0] }
  }
}
