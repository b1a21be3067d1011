import Foundation
import Mixtures
import Testing

@Suite("Steps of relative size")
struct RelativeStepTests {
  private let target = GaussianProblem(mean: [1, -2, 0.5], precisions: [1, 4, 0.25])
  private static let rules: [UpdateRule] = [.ibw, .md, .ngd, .ngdPlain, .ibwShared, .mdShared]

  @Test("are η ε (natural gradient: η) where no limit holds", arguments: UpdateRule.allCases)
  func formula(rule: UpdateRule) throws {
    let mixture = IsotropicMixture(componentCount: 1, dimension: 2, means: [1, 2], variances: [0.5])
    let gradient = MixtureGradient(mean: [0.1, -0.2], variance: [0.3])
    let natural = rule == .ngd || rule == .ngdPlain
    let relative = try rule.step(mixture, gradient: gradient, relativeStep: 0.2)
    let plain = try rule.step(mixture, gradient: gradient, stepSize: natural ? 0.2 : 0.2 * 0.5)
    #expect(zip(relative.means, plain.means).allSatisfy { abs($0 - $1) < 1e-15 })
    #expect(abs(relative.variances[0] - plain.variances[0]) < 1e-15)
  }

  @Test("move a mean by half of √(d ε) and a rate by a half at most")
  func limits() throws {
    let mixture = IsotropicMixture(componentCount: 1, dimension: 2, means: [1, 2], variances: [0.5])
    let gradient = MixtureGradient(mean: [3e6, -4e6], variance: [1e9])
    for rule in UpdateRule.allCases {
      let next = try rule.step(mixture, gradient: gradient, relativeStep: 0.2)
      // √(d ε) = 1: half of it along −(3, −4)/5.
      #expect(abs(next.means[0] - (1 - 0.3)) < 1e-12 && abs(next.means[1] - (2 + 0.4)) < 1e-12, "\(rule)")
      let expected: Double =
        switch rule {
        case .gd: 1
        // (1 − ½)² is beyond the cap on |Δ log ε|.
        case .ibw, .ibwShared: exp(-1)
        case .md, .mdShared: exp(-0.5)
        case .ngd: 1 / 1.625
        case .ngdPlain: 1 / 1.5
        }
      #expect(abs(next.variances[0] / 0.5 - expected) < 1e-14, "\(rule)")
    }
  }

  @Test(
    "lead to the same optimum in as many iterations, whatever the unit of the target", arguments: rules,
    [1e-8, 1, 1e8])
  func units(rule: UpdateRule, unit: Double) throws {
    let scaled = GaussianProblem(
      mean: target.mean.map { $0 * unit }, precisions: target.precisions.map { $0 / (unit * unit) })
    var mixture = scaled.single(mean: [4, 4, 4].map { $0 * unit }, variance: 1e-3 * unit * unit)
    for _ in 0..<1500 {
      mixture = try rule.step(mixture, gradient: scaled.expectedGradient(mixture), relativeStep: 0.2)
    }
    for (value, expected) in zip(mixture.means, target.mean) { #expect(abs(value / unit - expected) < 1e-9) }
    #expect(abs(mixture.variances[0] / scaled.bestVariance - 1) < 1e-9)
  }
}
