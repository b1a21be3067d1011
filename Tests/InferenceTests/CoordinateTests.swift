import Foundation
import Inference
import Mixtures
import NumericsKit
import Posteriors
import Specification
import TestKit
import Testing

@Suite("A fit whose coordinates have mixtures of their own")
struct CoordinateTests {
  init() { BLAS.prepare() }

  private func analytic(iterations: Int = 6, components: Int = 3, sampling: String = "antithetic") throws
    -> FitSetup
  {
    try Examples.build(
      Examples.target + """
          factorization: coordinates
        mixture: {components: \(components), initial: {uniform: {low: -2, high: 3, variance: 0.8}}}
        inference:
          samples: 7
          sampling: \(sampling)
          step_size: 0.05
          iterations: \(iterations)
          seed: 5
          objective: {draws: 60, every: 2}
          diagnosis: {draws: 60}
        """, folder: "/")
  }

  private func logistic(in folder: TemporaryFolder) throws -> FitSetup {
    _ = try Examples.logistic(in: folder, rows: 300)
    return try Examples.build(
      """
      model: {family: logistic, response: y, prior: {normal: {scale: 2}}, factorization: coordinates}
      data: {train: train.csv, test: train.csv, standardize: false}
      mixture: {components: 3, initial: prior}
      inference: {samples: 6, iterations: 6, seed: 3, objective: {draws: 30}, prediction: {draws: 10}}
      """, folder: folder.path)
  }

  /// Runs a fit from where it stands; nil for `until` runs to its end.
  private func run(_ fit: inout Fit, _ problem: Problem, workers: Int = 1, until iteration: Int? = nil) throws
  {
    while let job = fit.next, fit.iteration < iteration ?? .max {
      _ = try fit.take(
        evaluate(
          problem, job, state: fit.state, workers: workers, pieces: 2 * workers - 1, seed: UInt64(workers)))
    }
  }

  /// KL from the best product of Gaussians to N(μ, S): `½ (Σ log (S⁻¹)_kk + log det S)`.
  @Test(
    "of one component becomes the best product of Gaussians: variances 1 / (S⁻¹)_kk",
    arguments: ["ibw", "md", "ngd", "ibw, step_size: 0.05"])
  func gaussianTarget(algorithm: String) throws {
    let fit = try WholeFit(
      """
      model:
        family: gaussian
        mean: [1, -2, 0.5]
        covariance: [[2, 0.9, -0.3], [0.9, 1, 0.2], [-0.3, 0.2, 0.6]]
        factorization: coordinates
      mixture: {components: 1}
      inference: {algorithm: \(algorithm), samples: 40, iterations: 4000, stop: converged}
      """)
    let s = [2, 0.9, -0.3, 0.9, 1, 0.2, -0.3, 0.2, 0.6]
    let inverse = try #require(LinearSolver.invert(s, dimension: 3)).inverse
    let marginals = try #require(fit.fit.coordinateMixture)
    #expect(zip(marginals.means, [1, -2, 0.5]).allSatisfy { abs($0 - $1) < 1e-5 })
    for k in 0..<3 {
      #expect(abs(marginals.variances[k] * inverse[4 * k] - 1) < 0.03, "\(marginals.variances)")
    }
    let determinant = 2 * (1 * 0.6 - 0.04) - 0.9 * (0.9 * 0.6 + 0.06) - 0.3 * (0.9 * 0.2 + 0.3)
    let expected = 0.5 * (log(determinant) + (0..<3).reduce(0) { $0 + log(inverse[4 * $1]) })
    #expect(abs(fit.kl - expected) < 0.003 + 4 * fit.standardError, "\(fit.kl) for \(expected)")
  }

  @Test("can make the draws again by which it was judged, with log q there: log q + V is what was evaluated")
  func judgedDraws() throws {
    let fit = try WholeFit(
      """
      model:
        family: gaussian
        mean: [1, -2, 0.5]
        covariance: [[2, 0.9, -0.3], [0.9, 1, 0.2], [-0.3, 0.2, 0.6]]
        factorization: coordinates
      mixture: {components: 3}
      inference: {samples: 7, iterations: 50, objective: {draws: 60}, diagnosis: {draws: 500}}
      """)
    let draws = fit.fit.draws(atMost: .max)
    let integrands = try #require(draws.integrands)
    #expect(draws.count == fit.fit.judgement?.draws && draws.count >= 500 && draws.dimension == 3)
    let made = draws.maker().make(0..<draws.count)
    var values = made.logDensities
    fit.problem.target.accumulateBase(
      points: made.positions, count: draws.count, value: &values, gradient: nil, workspace: DensityWorkspace()
    )
    for (value, integrand) in zip(values, integrands) {
      #expect(abs(value - integrand) < 1e-11 * (1 + abs(integrand)))
    }
    // Fewer of them are the first ones.
    let few = fit.fit.draws(atMost: 100).maker().make(30..<40)
    #expect(few.positions == Array(made.positions[90..<120]))
  }

  @Test("of fixed variances finds the means")
  func fixedVariances() throws {
    let fit = try WholeFit(
      """
      model: {family: gaussian, mean: [1, -2], covariance: [[2, 0.9], [0.9, 1]], factorization: coordinates}
      mixture: {components: 1, initial: {uniform: {variance: 0.3}}}
      inference: {algorithm: gd, iterations: 2000, step_size: 0.1, diagnosis: {draws: 0}}
      """)
    #expect(zip(fit.fit.mixture.means, [1, -2]).allSatisfy { abs($0 - $1) < 1e-6 })
    #expect(fit.fit.mixture.variances == [0.3, 0.3])
  }

  @Test("recovers a product of mixtures, which as many components of the whole parameter can't")
  func product() throws {
    func fit(_ factorization: String) throws -> WholeFit {
      try WholeFit(
        """
        model:
          family: gaussian_mixture
          means: [[-1.5, -4], [-1.5, 4], [1.5, -4], [1.5, 4]]
          covariances: [[0.5, 3], [0.5, 3], [0.5, 3], [0.5, 3]]
          factorization: \(factorization)
        mixture: {components: 2}
        inference: {samples: 20, iterations: 6000}
        """)
    }
    let marginals = try fit("coordinates")
    #expect(marginals.kl < 0.01 && marginals.kl > -4 * marginals.standardError, "\(marginals.kl)")
    #expect(marginals.khat < 0.5 && marginals.hasConverged)
    let mixture = try #require(marginals.fit.coordinateMixture)
    for (k, (mean, variance)) in [(1.5, 0.5), (4, 3)].enumerated() {
      let marginal = mixture.marginal(of: k)
      #expect(zip(marginal.means.sorted(), [-mean, mean]).allSatisfy { abs($0 - $1) < 0.05 * mean })
      #expect(marginal.variances.allSatisfy { abs($0 / variance - 1) < 0.1 }, "\(marginal)")
    }
    #expect(try fit("full").kl > 0.3)
  }

  @Test(
    "has gradients whose mean is the derivative of the objective, by quadrature",
    arguments: ["antithetic", "independent"])
  func unbiased(sampling: String) throws {
    let problem = try Problem(
      Examples.build(
        """
        model:
          family: gaussian_mixture
          means: [[-1, 0.5], [1, -0.5]]
          covariances: [[[1, 0.5], [0.5, 0.6]], [[0.7, -0.4], [-0.4, 1]]]
          factorization: coordinates
        mixture: {components: 3, initial: {uniform: {low: -1, high: 1}}}
        inference: {samples: 4, sampling: \(sampling), seed: 8, step_size: 0.1}
        """, folder: "/"))
    let (n, d) = (3, 2)
    let means = [-1.2, 0.9, 0.3, -0.8, 1.1, 0.1]
    let variances = [0.3, 0.8, 0.5, 0.4, 0.9, 0.6]
    let state = JobState.encode(
      IsotropicMixture(componentCount: n * d, dimension: 1, means: means, variances: variances))

    let iterations = 4000
    var sums = [Double](repeating: 0, count: 2 * n * d)
    var squares = sums
    for iteration in 0..<iterations {
      let values = try evaluate(problem, FitJob(kind: .gradient, iteration: iteration), state: state)
      #expect(values.count == 1)
      for (index, value) in values[0].enumerated() {
        sums[index] += value / 4
        squares[index] += value * value / 16
      }
    }

    // F on a grid, written out.
    let axis = stride(from: -8.0, through: 8, by: 0.05).map { $0 }
    func marginal(_ k: Int, _ x: Double, _ m: [Double], _ v: [Double]) -> Double {
      (0..<n).reduce(0.0) {
        let place = $1 * d + k
        return $0 + exp(-0.5 * (x - m[place]) * (x - m[place]) / v[place]) / sqrt(2 * .pi * v[place]) / 3
      }
    }
    var potential = [Double](repeating: 0, count: axis.count * axis.count)
    for (i, x) in axis.enumerated() {
      for (j, y) in axis.enumerated() {
        problem.target.accumulateBase(
          points: [x, y], count: 1, value: &potential[i * axis.count + j], gradient: nil, workspace: .init())
      }
    }
    func objective(_ m: [Double], _ v: [Double]) -> Double {
      let first = axis.map { marginal(0, $0, m, v) }
      let second = axis.map { marginal(1, $0, m, v) }
      var sum = 0.0
      for i in axis.indices {
        for j in axis.indices {
          let density = first[i] * second[j]
          guard density > 1e-300 else { continue }
          sum += density * (log(density) + potential[i * axis.count + j])
        }
      }
      return sum * 0.05 * 0.05
    }
    func slope(_ index: Int, isMean: Bool) -> Double {
      let h = 1e-4
      let values = [h, -h].map { step -> Double in
        var (m, v) = (means, variances)
        if isMean { m[index] += step } else { v[index] += step }
        return objective(m, v)
      }
      return (values[0] - values[1]) / (2 * h)
    }
    for i in 0..<n {
      for k in 0..<d {
        // Sums are [N, 2d]: of G, then of (x − m) G, whose mean is 2 ε N ∂F/∂ε.
        let place = i * d + k
        let expected = [
          Double(n) * slope(place, isMean: true),
          2 * variances[place] * Double(n) * slope(place, isMean: false),
        ]
        for (part, value) in expected.enumerated() {
          let index = i * 2 * d + part * d + k
          let mean = sums[index] / Double(iterations)
          let spread = squares[index] / Double(iterations) - mean * mean
          let error = (spread / Double(iterations)).squareRoot()
          #expect(abs(mean - value) < 4.5 * error, "\(i) \(k) \(part): \(mean) ± \(error) for \(value)")
          #expect(error < 0.1)
        }
      }
    }
  }

  @Test("sums G and (x − m) G over samples whose coordinates' components are balanced in every block")
  func writtenOut() throws {
    for sampling in ["antithetic", "independent"] {
      let problem = try Problem(analytic(components: 4, sampling: sampling))
      let fit = try Fit(problem)
      let (n, d) = (4, 3)
      let sums = try evaluate(problem, FitJob(kind: .gradient, iteration: 9), state: fit.state)[0]
      let mixture = fit.mixture
      let marginals = CoordinateMixture(mixture, dimension: d)
      var expected = [Double](repeating: 0, count: 2 * n * d)
      var uses = [Int](repeating: 0, count: n * d)
      let noise = Noise(seed: 5)
      for block in 0..<7 {
        var permutations = [Int32](repeating: 0, count: n * d)
        noise.fillPermutations(
          .assignment, iteration: 9, group: 1, block: sampling == "antithetic" ? block / 2 : block, size: n,
          columns: d, places: 0..<n, into: &permutations, stride: d, scratch: PermutationScratch())
        for place in 0..<n {
          let z = WrittenOut.deviates(
            problem.specification.inference.sampling, seed: 5, iteration: 9, component: place, sample: block,
            d: d)
          let chosen = (0..<d).map { Int(permutations[place * d + $0]) * d + $0 }
          let offset = (0..<d).map { mixture.variances[chosen[$0]].squareRoot() * z[$0] }
          let x = (0..<d).map { mixture.means[chosen[$0]] + offset[$0] }
          let gradient = WrittenOut.gradient(WrittenOut.analytic, x)
          for k in 0..<d {
            let g = gradient[k] + marginals.marginal(of: k).score(at: [x[k]])[0]
            let target = chosen[k] / d * 2 * d + k
            expected[target] += g
            expected[target + d] += g * offset[k]
            uses[chosen[k]] += 1
          }
        }
      }
      #expect(uses.allSatisfy { $0 == 7 })
      #expect(sums.count == expected.count)
      for (found, wanted) in zip(sums, expected) { #expect(WrittenOut.close(found, wanted, 10)) }
    }
  }

  @Test("evaluates log q + V at draws of the product, and its standard error is that of independent blocks")
  func objective() throws {
    let setup = try analytic(components: 4)
    let problem = try Problem(setup)
    let fit = try Fit(problem)
    let plan = setup.plan.objective
    var estimates: [ObjectiveEstimate] = []
    for iteration in 0..<400 {
      let sums = try evaluate(problem, FitJob(kind: .objective, iteration: iteration), state: fit.state)
      estimates.append(problem.plan.problem.objective(plan.integrands(sums)))
    }
    let values = estimates.map(\.elbo)
    let mean = values.reduce(0, +) / 400
    let spread = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 399
    let claimed = estimates.reduce(0) { $0 + $1.standardError * $1.standardError } / 400
    #expect(abs(spread / claimed - 1) < 0.25, "\(spread) and \(claimed)")
  }

  @Test("one and three workers give the same bits", arguments: ["independent", "antithetic"])
  func sameBits(sampling: String) throws {
    let folder = try TemporaryFolder()
    for setup in [try analytic(sampling: sampling), try logistic(in: folder)] {
      let problem = try Problem(setup)
      var digests: Set<String> = []
      for workers in [1, 3] {
        var fit = try Fit(problem)
        let start = fit.stateDigest
        try run(&fit, problem, workers: workers)
        #expect(fit.iteration == 6 && fit.judgement != nil && fit.stateDigest != start)
        digests.insert(fit.stateDigest.description)
      }
      #expect(digests.count == 1)
    }
  }

  @Test("cuts change how sums are added, not what is added")
  func cuts() throws {
    var setup = try analytic(components: 5)
    let whole = try Problem(setup)
    let state = try Fit(whole).state
    setup.plan.gradient.componentsPerBlock = 2
    setup.plan.gradient.samplesPerTile = 3
    let cut = try Problem(setup)
    #expect(setup.plan.gradient.tilesPerBlock == 9 && setup.plan.gradient.blockCount == 1)
    let job = FitJob(kind: .gradient, iteration: 4)
    let (first, second) = (
      try evaluate(whole, job, state: state)[0], try evaluate(cut, job, state: state)[0]
    )
    #expect(first.count == 5 * 6 && zip(first, second).allSatisfy { abs($0 - $1) < 1e-10 })
  }

  @Test("the digest is the SHA-256 of means, then variances of every coordinate")
  func digest() throws {
    let problem = try Problem(analytic())
    var fit = try Fit(problem)
    try run(&fit, problem)
    let marginals = try #require(fit.coordinateMixture)
    #expect(marginals.variances.count == 9)
    #expect(fit.stateDigest == Digest.of(Float64Bytes.encode([marginals.means, marginals.variances])))
  }

  @Test("restored from a snapshot goes on to the same bits, also in its stages; another fit refuses it")
  func resume() throws {
    let problem = try Problem(
      Examples.build(
        Examples.target + """
            factorization: coordinates
          mixture: {components: 3}
          inference: {iterations: 900, warmup: 100, objective: {draws: 60}, diagnosis: {draws: 60}}
          """, folder: "/"))
    var whole = try Fit(problem)
    try run(&whole, problem)
    for iteration in [60, 650] {
      var first = try Fit(problem)
      try run(&first, problem, until: iteration)
      var second = try Fit(problem)
      try second.restore(first.snapshot)
      #expect(second.iteration == iteration && second.mixture == first.mixture)
      try run(&second, problem)
      #expect(second.stateDigest == whole.stateDigest && second.snapshot == whole.snapshot)
      var isotropic = try Fit(Problem(Examples.analytic()))
      #expect(throws: FitError.self) { try isotropic.restore(first.snapshot) }
    }
  }

  @Test("a divergence goes back to the best state and names component and coordinate")
  func divergence() throws {
    let problem = try Problem(analytic(iterations: 100))
    var fit = try Fit(problem)
    try run(&fit, problem, until: 1)
    let start = try Fit(problem).mixture
    #expect(fit.mixture != start)
    var sums = [Double](repeating: 0, count: problem.plan.gradient.width(ofBlock: 0))
    #expect(sums.count == 18)
    sums[6 + 2] = .nan
    _ = try fit.take([sums])
    #expect(fit.notes.first?.contains("component 2 of coordinate 3") == true, "\(fit.notes)")
    #expect(fit.mixture == start)
  }

  @Test("wide problems are cut so that a tile's samples fit")
  func wide() throws {
    let plan = Planner.plan(
      ProblemSize(
        components: 5, dimension: 1_000_000, samples: 10, objectiveDraws: 1000, predictionDraws: 1,
        rows: 1000,
        rowsPerShard: 1000, testRows: 0, testRowsPerShard: 0, columns: 100, factorization: .coordinates))
    let tile = plan.gradient.componentsPerBlock * plan.gradient.samplesPerTile
    #expect(tile * 8_000_000 <= 32 << 20)
    #expect(plan.gradient.unitWidth == 2_000_000 && plan.gradient.blockCount == 1)
  }
}
