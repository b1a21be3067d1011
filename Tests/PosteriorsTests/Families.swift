import NumericsKit
import Posteriors

/// Every likelihood under every prior, without and with groups.
enum Families {
  static let names = ["intercept", "b", "c", "d"]

  static let likelihoods: [(ResponseLikelihood, TestRows)] = [
    (.gaussian(noise: .known(0.7)), .real), (.gaussian(noise: .halfNormal(scale: 0.9)), .real),
    (.logistic, .binary), (.poisson, .counts), (.negativeBinomial(overdispersion: .known(0.7)), .counts),
    (.negativeBinomial(overdispersion: .halfNormal(scale: 0.9)), .counts),
    (.studentT(degrees: 4, noise: .known(0.7)), .real),
    (.studentT(degrees: 4, noise: .halfNormal(scale: 0.9)), .real),
  ]

  static let priors: [CoefficientPriors] = [
    CoefficientPriors(.normal(scale: 1.5)),
    CoefficientPriors(
      intercept: .studentT(degrees: 3, scale: 2), coefficients: .laplace(scale: 0.6)),
    CoefficientPriors(intercept: .laplace(scale: 2), coefficients: .studentT(degrees: 1, scale: 0.5)),
    CoefficientPriors(intercept: .normal(scale: 10), coefficients: .horseshoe(scale: 0.5)),
  ]

  /// Two group columns: four levels, of which rows of the fixture have a fifth one too, and three.
  static let groups = [
    GroupFactor(name: "g", levels: ["p", "q", "r", "s"]), GroupFactor(name: "h", levels: ["1", "2", "3"]),
  ]
  /// One of them centred.
  static let centredGroups = [
    GroupFactor(name: "g", levels: groups[0].levels, isCentred: true), groups[1],
  ]

  static func levels(_ rows: Int) -> [Int32] {
    var levels: [Int32] = []
    for row in 0..<rows {
      levels.append(Int32(row * 3 % 5))
      levels.append(Int32(row * 5 % 3))
    }
    return levels
  }

  static func model(
    _ likelihood: ResponseLikelihood, _ priors: CoefficientPriors = priors[0], groups: [GroupFactor] = []
  ) throws -> GeneralizedLinearModel {
    try GeneralizedLinearModel(
      columnNames: names, hasIntercept: true, likelihood: likelihood, priors: priors, groups: groups,
      groupScale: 0.8)
  }

  /// Every combination, with its rows.
  static func all() throws -> [(any LogDensity, TestRows)] {
    var result: [(any LogDensity, TestRows)] = []
    for prior in priors {
      for (likelihood, rows) in likelihoods {
        result.append((try model(likelihood, prior), rows))
        for groups in [groups, centredGroups] {
          result.append((try model(likelihood, prior, groups: groups), rows.grouped(levels(rows.count))))
        }
      }
      result.append(
        (
          try SoftmaxRegression(
            columnNames: names, hasIntercept: true, classNames: ["x", "y", "z"], priors: prior), .classes
        ))
    }
    return result
  }
}
