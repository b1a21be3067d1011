import Foundation
import NumericsKit
import Posteriors
import Testing

@Suite("Families of regressions")
struct FamilyTests {
  init() { BLAS.prepare() }

  private static let theta = [0.3, -1.2, 0.8, 0.5]

  @Test(
    "Gradients agree with central differences for every likelihood under every prior, with and without groups"
  )
  func gradients() throws {
    for (model, rows) in try Families.all() {
      for trial in 0..<4 {
        let point = normals(model.dimension, component: trial).map { 0.7 * $0 }
        #expect(model.gradientError(at: point, rows) < 3e-8, "\(model.parameterNames), trial \(trial)")
      }
    }
  }

  // SciPy: sums of norm, t, laplace, halfcauchy and halfnorm.logpdf, poisson.logpmf(y, exp(z)) and
  // nbinom.logpmf(y, 1/a, 1/(1 + a exp(z))) over the fixture's rows; of scales that are fitted, plus their logarithm.
  @Test("Priors, Jacobians and likelihoods with all constants agree with SciPy's")
  func scipy() throws {
    let poisson = ResponseLikelihood.poisson
    let half = ScaleParameter.halfNormal(scale: 0.9)
    let cases: [(GeneralizedLinearModel, [Double], TestRows, Double)] = [
      (try Families.model(poisson), Self.theta, .counts, 163.88269746304792),
      (
        try Families.model(.negativeBinomial(overdispersion: .known(0.7))), Self.theta, .counts,
        119.20075263257618
      ),
      (
        try Families.model(.negativeBinomial(overdispersion: half)), Self.theta + [-0.4], .counts,
        120.74984204248493
      ),
      (
        try Families.model(.negativeBinomial(overdispersion: half)), Self.theta + [-3], .counts,
        158.97330665944574
      ),
      (try Families.model(.studentT(degrees: 4, noise: .known(0.7))), Self.theta, .real, 46.32772530684622),
      (try Families.model(.studentT(degrees: 4, noise: half)), Self.theta + [-0.4], .real, 47.68766594350648),
      (try Families.model(poisson, Families.priors[1]), Self.theta, .counts, 164.46991651692818),
      (
        try Families.model(poisson, Families.priors[3]), Self.theta + [0.2, -0.5, 1, -0.7], .counts,
        162.21898509121905
      ),
      (
        try Families.model(poisson, groups: [Families.groups[0]]), Self.theta + [0.4, -0.9, 1.1, 0.2, -0.6],
        TestRows.counts.grouped((0..<23).map { Int32($0 * 3 % 5) }), 172.18481649198966
      ),
    ]
    for (model, point, rows, expected) in cases {
      let value = model.value(at: point, rows)
      #expect(abs(value - expected) < 1e-12 * expected, "\(model.likelihood): \(value)")
    }
  }

  @Test("An overdispersion near zero is a Poisson regression, to the last digits")
  func poissonLimit() throws {
    let poisson = try Families.model(.poisson)
    let (value, gradient) = poisson.evaluate(Self.theta, .counts)
    let likelihood = value[0] - poisson.value(at: Self.theta)
    for alpha in [1e-12, 1e-30, 1e-80, 1e-200] {
      let model = try Families.model(.negativeBinomial(overdispersion: .known(alpha)))
      let (other, slopes) = model.evaluate(Self.theta, .counts)
      #expect(abs(other[0] - model.value(at: Self.theta) - likelihood) < 1e-9, "α = \(alpha)")
      for (a, b) in zip(slopes, gradient) { #expect(abs(a - b) < 1e-9 * max(1, abs(b))) }
    }
  }

  @Test("V and its gradient stay finite wherever a sample strays")
  func wildSamples() throws {
    for (model, rows) in try Families.all() {
      for scale in [30.0, 1e3, 1e5] {
        for trial in 0..<3 {
          let point = normals(model.dimension, component: trial).map { scale * $0 }
          let (value, gradient) = model.evaluate(point, rows)
          #expect(
            value[0].isFinite && gradient.allSatisfy(\.isFinite), "\(model.parameterNames), scale \(scale)")
        }
      }
    }
  }

  @Test("A horseshoe's prior integrates to one over each of its logarithms")
  func horseshoeIsNormalised() throws {
    let model = try Families.model(.poisson, Families.priors[3])
    let step = 0.01
    for place in 4..<8 {
      // At the other coordinates' zeros; normals at 0 and the other half-Cauchy laws at λ = 1 (of τ at 1, s = 0.5).
      let others = 1 / (10 * pow(2 * Double.pi, 2))
      let unit = 1 / Double.pi
      let global = 2 / (Double.pi * 0.5 * (1 + 4))
      let rest = place == 7 ? unit * unit * unit : unit * unit * global
      var total = 0.0
      for index in -4000...4000 {
        var point = [Double](repeating: 0, count: 8)
        point[place] = Double(index) * step
        total += exp(-model.value(at: point)) * step
      }
      #expect(abs(total / (others * rest) - 1) < 1e-10)
    }
  }

  @Test("The derivative of a Laplace prior at 0 is 0")
  func laplaceAtZero() throws {
    let model = try Families.model(.poisson, CoefficientPriors(.laplace(scale: 2)))
    #expect(model.evaluate([0, 0, 0, 1]).gradient == [0, 0, 0, 0.5])
  }

  @Test("Sums over parts of the rows add up, and thousands of rows agree with the sum over each")
  func additivity() throws {
    let rows = 1000
    for (likelihood, small) in Families.likelihoods {
      let model = try Families.model(likelihood, groups: Families.groups)
      let data = TestRows(
        features: normals(rows * 4).map { 0.3 * $0 }, responses: (0..<rows).map { small.responses[$0 % 23] },
        columns: 4, levels: Families.levels(rows))
      let points = normals(17 * model.dimension, component: 3).map { 0.3 * $0 }
      let whole = model.evaluate(points, data)
      var value = model.evaluate(points).value
      var gradient = model.evaluate(points).gradient
      for row in 0..<rows {
        data.withBlock(range: row..<row + 1) {
          model.accumulateRows(
            $0, points: points, count: 17, value: &value, gradient: &gradient, workspace: DensityWorkspace())
        }
      }
      for (a, b) in zip(value + gradient, whole.value + whole.gradient) {
        #expect(abs(a - b) < 1e-11 * max(1, abs(b)))
      }
    }
  }

  @Test("Names are unique, and a column that takes a coordinate's name is refused")
  func names() throws {
    let model = try Families.model(
      .negativeBinomial(overdispersion: .halfNormal(scale: 1)), Families.priors[3],
      groups: [Families.groups[1]])
    #expect(
      model.parameterNames == [
        "intercept", "z[b]", "z[c]", "z[d]", "log_local_scale[b]", "log_local_scale[c]", "log_local_scale[d]",
        "log_global_scale", "z_h[1]", "z_h[2]", "z_h[3]", "log_scale_h", "log_overdispersion",
      ])
    #expect(model.priorMoments?.means.count == 13 && model.priorMoments?.deviations.count == 13)
    #expect(throws: PosteriorError.self) {
      try GeneralizedLinearModel(
        columnNames: ["log_scale_h"], likelihood: .poisson, priors: Families.priors[0],
        groups: [Families.groups[1]])
    }
    #expect(throws: PosteriorError.self) {
      try Families.model(.poisson, CoefficientPriors(.horseshoe(scale: 1)))
    }
  }
}
