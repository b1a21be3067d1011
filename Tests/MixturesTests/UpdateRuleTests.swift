import Foundation
import Mixtures
import Testing

private let varianceRules: [UpdateRule] = [.ibw, .md, .ngd, .ngdPlain, .ibwShared, .mdShared]

@Suite struct UpdateRuleTests {
  let anisotropic = GaussianProblem(mean: [1, -2, 0.5], precisions: [1, 4, 0.25])

  private func run(
    _ rule: UpdateRule, _ problem: GaussianProblem, from start: IsotropicMixture, stepSize: Double, steps: Int
  ) throws -> IsotropicMixture {
    var mixture = start
    for _ in 0..<steps {
      mixture = try rule.step(mixture, gradient: problem.expectedGradient(mixture), stepSize: stepSize)
    }
    return mixture
  }

  @Test("Every variance rule converges to m = μ and ε = d / tr(Σ⁻¹)", arguments: varianceRules)
  func optimum(rule: UpdateRule) throws {
    let start = anisotropic.single(mean: [4, 4, 4], variance: 3)
    let end = try run(rule, anisotropic, from: start, stepSize: 0.2, steps: 2000)
    for (value, expected) in zip(end.means, anisotropic.mean) { #expect(abs(value - expected) < 1e-9) }
    #expect(abs(end.variances[0] - anisotropic.bestVariance) < 1e-12)
  }

  @Test(
    "With ten samples an iteration and falling steps the rules get within 2 % of it", arguments: varianceRules
  )
  func stochasticOptimum(rule: UpdateRule) throws {
    var mixture = anisotropic.single(mean: [4, 4, 4], variance: 3)
    let schedule = StepSchedule.inverseSqrt(initial: 0.2, timescale: 20)
    for t in 0..<6000 {
      let gradient = anisotropic.estimatedGradient(
        mixture, noise: normals(30, stream: .gradient, iteration: t))
      mixture = try rule.step(mixture, gradient: gradient, stepSize: schedule.stepSize(at: t, of: 6000))
    }
    #expect(abs(mixture.variances[0] / anisotropic.bestVariance - 1) < 0.02)
    // The flattest direction wanders with standard deviation √(γ var(g) / 2λ) ≈ 0.054 at the last step size.
    for (value, expected) in zip(mixture.means, anisotropic.mean) { #expect(abs(value - expected) < 0.2) }
  }

  @Test("The Bures–Wasserstein scheme contracts: W₂²(p_t, p*) ≤ e^{−2αt} W₂²(p_0, p*) where ∇²V ⪰ αI")
  func contraction() throws {
    let alpha = 0.25
    let stepSize = 1e-3
    var mixture = anisotropic.single(mean: [3, 0, -1], variance: 4)
    let best = anisotropic.best
    let start = try #require(mixture.squaredDistance(to: best))
    for step in 1...8000 {
      mixture = try UpdateRule.ibw.step(
        mixture, gradient: anisotropic.expectedGradient(mixture), stepSize: stepSize)
      let bound = exp(-2 * alpha * stepSize * Double(step)) * start
      #expect(try #require(mixture.squaredDistance(to: best)) <= bound * (1 + 1e-9))
    }
  }

  @Test("At q = π every single sample gives a gradient of zero")
  func zeroVariance() {
    let problem = GaussianProblem(mean: [2, -1, 0.5, 3], precisions: [2, 2, 2, 2])
    for trial in 0..<50 {
      let gradient = problem.estimatedGradient(problem.best, noise: normals(4, iteration: trial))
      #expect(gradient.mean.allSatisfy { abs($0) < 1e-14 })
      #expect(abs(gradient.variance[0]) < 1e-14)
    }
  }

  @Test("At q = π the integrand is zero for a mixture of several components too")
  func zeroVarianceMixture() {
    let mixture = randomMixture(components: 5, dimension: 3, spread: 2, variance: 0.5)
    for trial in 0..<50 {
      let point = normals(3, iteration: 2, component: trial).map { 3 * $0 }
      let targetGradient = wideDensity(mixture, at: point).score.map { -$0 }
      for (score, slope) in zip(mixture.score(at: point), targetGradient) {
        #expect(abs(score + slope) < 1e-13)
      }
    }
  }

  @Test(
    "On N(0, σ²I) steps below the stability limit converge and steps above it don't",
    arguments: [(UpdateRule.ibw, 0.9, 1.1), (.md, 1.9, 2.1), (.ibwShared, 0.9, 1.1), (.mdShared, 1.9, 2.1)],
    [0.04, 1, 25])
  func stability(limits: (UpdateRule, Double, Double), variance: Double) throws {
    let (rule, stable, unstable) = limits
    let problem = GaussianProblem.isotropic(variance: variance, dimension: 3)
    // The mean's own limit is 2σ² for all rules: with mean 0 only the variance speaks.
    let start = problem.single(mean: [0, 0, 0], variance: 1.3 * variance)
    let good = try run(rule, problem, from: start, stepSize: stable * variance, steps: 2000)
    #expect(abs(good.variances[0] / variance - 1) < 1e-9)
    let bad = try run(rule, problem, from: start, stepSize: unstable * variance, steps: 2000)
    #expect(abs(bad.variances[0] / variance - 1) > 0.05)
  }

  @Test("From a tiny or a huge variance one step changes log ε by at most the cap", arguments: varianceRules)
  func cap(rule: UpdateRule) throws {
    for variance in [1e-12, 1e-6, 1e6, 1e12] {
      let start = anisotropic.single(mean: anisotropic.mean, variance: variance)
      let gradient = anisotropic.expectedGradient(start)
      guard rule != .ngdPlain || variance > 1 else { continue }
      let next = try rule.step(start, gradient: gradient, stepSize: 0.5)
      let change = abs(log(next.variances[0] / variance))
      #expect(change <= UpdateRule.maximumLogVarianceChange * (1 + 1e-12))
      #expect(change > 0)
    }
    let tiny = anisotropic.single(mean: anisotropic.mean, variance: 1e-8)
    guard rule != .ngdPlain else { return }
    let end = try run(rule, anisotropic, from: tiny, stepSize: 0.2, steps: 2000)
    #expect(abs(end.variances[0] / anisotropic.bestVariance - 1) < 1e-9)
  }

  @Test("One step of each rule is its formula")
  func formulas() throws {
    let mixture = IsotropicMixture(
      componentCount: 2, dimension: 2, means: [1, 2, 3, 4], variances: [0.5, 0.5])
    let gradient = MixtureGradient(mean: [0.1, -0.2, 0.3, 0.4], variance: [0.6, -0.2])
    let step = 0.5
    func variances(_ rule: UpdateRule) throws -> [Double] {
      try rule.step(mixture, gradient: gradient, stepSize: step).variances
    }
    func close(_ values: [Double], _ expected: [Double]) {
      for (value, wanted) in zip(values, expected) { #expect(abs(value - wanted) < 1e-15) }
    }
    close(try variances(.gd), [0.5, 0.5])
    close(try variances(.ibw), [0.5 * 0.7 * 0.7, 0.5 * 1.1 * 1.1])
    close(try variances(.md), [0.5 * exp(-0.3), 0.5 * exp(0.1)])
    close(try variances(.ngdPlain), [1 / (2 + 0.3), 1 / (2 - 0.1)])
    close(
      try variances(.ngd),
      [1 / (2 + 0.3 + 0.5 * 0.25 * 0.5 * 0.36), 1 / (2 - 0.1 + 0.5 * 0.25 * 0.5 * 0.04)])
    close(try variances(.ibwShared), [0.5 * 0.9 * 0.9, 0.5 * 0.9 * 0.9])
    close(try variances(.mdShared), [0.5 * exp(-0.1), 0.5 * exp(-0.1)])
    for rule in UpdateRule.allCases {
      let next = try rule.step(mixture, gradient: gradient, stepSize: step)
      for index in 0..<4 {
        let natural = rule == .ngd || rule == .ngdPlain
        let scale = natural ? next.variances[index / 2] : 1
        #expect(abs(next.means[index] - mixture.means[index] + step * scale * gradient.mean[index]) < 1e-15)
      }
    }
  }

  @Test("A plain natural-gradient step to a negative variance is an error that names the component")
  func negativeVariance() throws {
    let mixture = IsotropicMixture(componentCount: 3, dimension: 1, means: [0, 1, 2], variances: [1, 1, 1])
    let gradient = MixtureGradient(mean: [0, 0, 0], variance: [0, -3, 0])
    let error = #expect(throws: UpdateError.self) {
      try UpdateRule.ngdPlain.step(mixture, gradient: gradient, stepSize: 0.5)
    }
    #expect(error?.code == .variance)
    #expect(error?.component == 1)
    #expect(error?.message.contains("component 2") == true)
    #expect(try UpdateRule.ngd.step(mixture, gradient: gradient, stepSize: 0.5).variances[1] > 0)
  }

  @Test("Gradients that are not finite are errors, for every rule", arguments: UpdateRule.allCases)
  func notFinite(rule: UpdateRule) {
    let mixture = IsotropicMixture(componentCount: 2, dimension: 1, means: [0, 1], variances: [1, 1])
    for bad in [Double.nan, .infinity, -.infinity] {
      let mean = #expect(throws: UpdateError.self) {
        try rule.step(
          mixture, gradient: MixtureGradient(mean: [0, bad], variance: [0, 0]), stepSize: 0.1)
      }
      #expect(mean?.component == 1)
      guard rule != .gd else { continue }
      #expect(throws: UpdateError.self) {
        try rule.step(
          mixture, gradient: MixtureGradient(mean: [0, 0], variance: [0, bad]), stepSize: 0.1)
      }
    }
  }

  @Test("Shared-variance rules refuse unequal variances and gradients of wrong size")
  func refusals() {
    let mixture = IsotropicMixture(componentCount: 2, dimension: 1, means: [0, 1], variances: [1, 2])
    let gradient = MixtureGradient(mean: [0, 0], variance: [0, 0])
    for rule in [UpdateRule.ibwShared, .mdShared] {
      let error = #expect(throws: UpdateError.self) {
        try rule.step(mixture, gradient: gradient, stepSize: 1)
      }
      #expect(error?.code == .unequalVariances && error?.component == 1)
    }
    let error = #expect(throws: UpdateError.self) {
      try UpdateRule.ibw.step(mixture, gradient: MixtureGradient(mean: [0], variance: [0, 0]), stepSize: 1)
    }
    #expect(error?.code == .shape)
  }
}
