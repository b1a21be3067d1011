import Inference
import Testing

/// Draws at which a target has no density.
@Suite struct RejectionTests {
  @Test func theObjectiveIsOverTheDrawsThatWereAccepted() {
    let estimate = ObjectiveEstimate(
      integrands: [1, 2, .infinity, 3, 0, 0, 4, 4], components: 2, mayReject: true)
    #expect(estimate.elbo == -2 && estimate.rejectedDraws == 1)
    // Variances 1 over three draws and 16/3 over four: √(1/3 + 4/3) / 2.
    #expect(abs(estimate.standardError - (5.0 / 3).squareRoot() / 2) < 1e-15)
    let same = ObjectiveEstimate(integrands: [1, 2, 6, 3, 0, 0, 4, 4], components: 2, mayReject: true)
    let usual = ObjectiveEstimate(integrands: [1, 2, 6, 3, 0, 0, 4, 4], components: 2)
    #expect(same.elbo == usual.elbo && same.standardError == usual.standardError)
    #expect(same.rejectedDraws == 0 && usual.rejectedDraws == nil)
  }

  @Test func withMostDrawsRejectedOrAllOfAComponentThereIsNone() {
    let infinity = Double.infinity
    for integrands in [
      [1, infinity, infinity, 2, infinity, infinity], [1, 2, 3, infinity, infinity, infinity],
    ] {
      #expect(ObjectiveEstimate(integrands: integrands, components: 2, mayReject: true).elbo == -infinity)
    }
    // Where nothing may be rejected an infinite V is a divergence.
    #expect(ObjectiveEstimate(integrands: [1, infinity], components: 1).elbo == -infinity)
  }

  @Test func rejectedDrawsHaveNoImportanceWeight() throws {
    let integrands = (0..<400).map { $0 % 4 == 0 ? Double.infinity : 2 }
    let judgement = Judgement(integrands: integrands, components: 4, mayReject: true)
    #expect(judgement.objective.elbo == -2)
    #expect(abs(try #require(judgement.effectiveSampleSize) - 300) < 1e-9)
  }

  @Test(
    "A start may have a few rejected draws, and a box with more of them is made smaller", arguments: [3, 40])
  func start(rejected: Int) {
    var search = StartSearch()
    let values = (0..<100).map { $0 < rejected ? Double.infinity : Double($0) }
    #expect(search.take(values: values, dimension: 1, mayReject: true) == (rejected < 10))
    #expect(search.scale == (rejected < 10 ? 1 : 0.5))
  }

  @Test func tilesOfATargetOfUnknownCostAreSmallAndHaveOneShard() throws {
    let plan = Planner.plan(
      ProblemSize(
        components: 20, dimension: 5, samples: 10, objectiveDraws: 1000, predictionDraws: 1000, rows: 7,
        rowsPerShard: 1, testRows: 0, testRowsPerShard: 0, columns: 0, metric: .dense, curvaturePairs: 10,
        searchPoints: 320, evaluationCost: CostModel.foreignEvaluation))
    for job in [plan.gradient, plan.objective, try #require(plan.curvature), try #require(plan.points)] {
      #expect(job.rowsPerTile == 1)
      #expect(job.componentsPerBlock * job.samplesPerTile <= 64, "\(job)")
    }
  }
}
