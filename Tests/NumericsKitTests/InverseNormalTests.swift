import NumericsKit
import Testing

@Suite struct InverseNormalTests {
  // SciPy 1.17.1, special.ndtri: cluster/examples/reference/diagnostics.py.
  @Test(
    "Quantiles are SciPy's to fourteen digits",
    arguments: [
      (1e-300, -37.0470962993612),
      (1e-20, -9.262340089798409),
      (4.656612873077393e-10, -6.120756285971941),
      (1e-06, -4.753424308822899),
      (0.001, -3.090232306167813),
      (0.02425, -1.972961051311885),
      (0.075, -1.4395314709384563),
      (0.0750000001, -1.4395314702320188),
      (0.3, -0.5244005127080409),
      (0.4999, -0.0002506628300880075),
      (0.6, 0.2533471031357997),
      (0.925, 1.4395314709384563),
      (0.99, 2.3263478740408408),
      (0.9999999995343387, 6.120756285971941),
    ])
  func scipy(probability: Double, expected: Double) {
    #expect(abs(InverseNormal.value(at: probability) / expected - 1) < 1e-14)
  }

  @Test("The distribution is symmetric, and its ends are infinite")
  func symmetry() {
    for i in 1..<1024 {
      let p = Double(i) / 1024
      #expect(InverseNormal.value(at: p) == -InverseNormal.value(at: 1 - p))
    }
    #expect(InverseNormal.value(at: 0.5) == 0)
    #expect(InverseNormal.value(at: 0) == -.infinity)
    #expect(InverseNormal.value(at: 1) == .infinity)
    #expect(InverseNormal.value(at: -0.1).isNaN)
    #expect(InverseNormal.value(at: 1.1).isNaN)
    #expect(InverseNormal.value(at: .nan).isNaN)
  }

  @Test("A long array has the same bits as its numbers one by one")
  func blocks() {
    var values = (0..<1500).map { (Double($0) + 0.5) / 1500 }
    let single = values.map { InverseNormal.value(at: $0) }
    InverseNormal.transform(&values, count: values.count)
    #expect(values == single)
  }
}
