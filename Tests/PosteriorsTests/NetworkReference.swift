import Posteriors

/// V of a network on the fixture's rows at θ_j = 0.8 cos(2 + j), prior scale 1.5, as NumPy gives it.
///
/// Written by cluster/examples/reference/network_reference.py, which has the formulas.
struct ForwardPass: Sendable {
  let activation: NetworkActivation
  let hidden: [Int]
  let real: Double
  let learned: Double
  let binary: Double
  let classes: Double

  init(
    _ activation: NetworkActivation, _ hidden: [Int], real: Double, learned: Double, binary: Double,
    classes: Double
  ) {
    self.activation = activation
    self.hidden = hidden
    self.real = real
    self.learned = learned
    self.binary = binary
    self.classes = classes
  }

  /// The networks with their rows and values.
  func cases() throws -> [(network: NeuralNetwork, rows: TestRows, value: Double)] {
    let responses: [(NetworkResponse, TestRows, Double)] = [
      (.real(noise: 0.7), .real, real), (.realWithNoise(priorScale: 0.9), .real, learned),
      (.classes(["x", "y"]), .binary, binary), (.classes(["x", "y", "z"]), .classes, classes),
    ]
    return try responses.map { response, rows, value in
      (try Targets.deep(activation, response, hidden: hidden), rows, value)
    }
  }

  static let all = [
    ForwardPass(
      .relu, [3], real: 58.80708016429609, learned: 61.17807106724696, binary: 44.90070559272354,
      classes: 68.74401219271864),
    ForwardPass(
      .relu, [5, 3], real: 111.57239798325034, learned: 103.15292439600495, binary: 81.81000483444349,
      classes: 106.96661212834252),
    ForwardPass(
      .relu, [4, 3, 2], real: 101.13281355570064, learned: 107.1571489636506, binary: 79.69755471826281,
      classes: 102.82396430812184),
    ForwardPass(
      .tanh, [3], real: 53.31634468522763, learned: 54.71516454874268, binary: 42.460202325061694,
      classes: 67.64635890765238),
    ForwardPass(
      .tanh, [5, 3], real: 99.38825801417264, learned: 99.46214687704698, binary: 81.13162817504423,
      classes: 108.9802298396674),
    ForwardPass(
      .tanh, [4, 3, 2], real: 131.30427252415427, learned: 148.32993337440087, binary: 81.31223184477702,
      classes: 98.13944712475924),
  ]
}
