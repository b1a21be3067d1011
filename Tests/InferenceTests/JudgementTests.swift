import Inference
import Mixtures
import NumericsKit
import Testing

@Suite struct JudgementTests {
  @Test("Equal weights are a perfect fit, whatever their value")
  func equal() {
    let judgement = Judgement(integrands: [Double](repeating: 3.5, count: 400), components: 4)
    #expect(judgement.khat == 0 && judgement.isReliable)
    #expect(judgement.usage.allSatisfy { abs($0 - 0.25) < 1e-12 } && judgement.idleComponents == 0)
    #expect(judgement.verdict(metric: .dense, dimension: 2).contains("close to the target"))
  }

  @Test(
    "Weights that differ by less than three parts in a hundred are equal, others have the k̂ of their tail")
  func nearlyEqual() {
    // Exponential tails of log weights: a Pareto tail of the same shape.
    func judged(_ spread: Double) -> Judgement {
      let integrands = (0..<4000).map { index in
        spread * VectorMath.logarithm((Double(index) + 0.5) / 4000)
      }
      return Judgement(integrands: integrands, components: 1)
    }
    #expect(judged(0.01).khat == 0 && judged(0.01).isReliable)
    for shape in [0.2, 0.5, 1.2] {
      let khat = judged(shape).khat ?? .nan
      #expect(abs(khat - shape) < 0.1, "\(khat) for \(shape)")
      #expect(judged(shape).isReliable == (shape < 0.7))
    }
  }

  @Test("Without a k̂ because few draws have all the weight, a fit is not reliable")
  func degenerate() {
    // All but two weights underflow beside the largest: no tail can be fitted.
    var integrands = (0..<400).map { 5000 + Double($0) }
    integrands[17] = 0
    integrands[18] = 1
    let judgement = Judgement(integrands: integrands, components: 4)
    #expect(judgement.khat == nil && !judgement.isReliable)
    #expect(judgement.verdict(metric: .dense, dimension: 2).contains("can't be relied on"))
    #expect(judgement.idleComponents == 3)
  }

  @Test("Draws at which the target is not finite make no judgement")
  func infinite() {
    for value in [Double.nan, -.infinity] {
      var integrands = [Double](repeating: 1, count: 100)
      integrands[5] = value
      let judgement = Judgement(integrands: integrands, components: 1)
      #expect(!judgement.isReliable && judgement.usage.isEmpty)
      #expect(judgement.verdict(metric: .unit, dimension: 2).contains("can't be judged"))
    }
  }

  @Test("What is advised is possible: no dense coordinates of thousands of dimensions")
  func advice() {
    // One draw has nearly all the weight.
    var integrands = (0..<400).map { 0.01 * Double($0 % 7) }
    integrands[3] = -60
    let judgement = Judgement(integrands: integrands, components: 1)
    #expect(!judgement.isReliable)
    #expect(judgement.verdict(metric: .unit, dimension: 50).contains("inference.metric: dense"))
    #expect(judgement.verdict(metric: .diagonal, dimension: 50).contains("inference.metric: dense"))
    #expect(judgement.verdict(metric: .unit, dimension: 5001).contains("inference.metric: diagonal"))
    for metric in [Metric.Kind.dense, .diagonal] {
      #expect(!judgement.verdict(metric: metric, dimension: 5001).contains("inference.metric"))
    }
  }
}
