import Foundation
import NumericsKit
import Posteriors
import Testing

@Suite("Networks of one to three hidden layers")
struct NeuralNetworkTests {
  init() { BLAS.prepare() }

  @Test("Values agree with NumPy's forward pass", arguments: ForwardPass.all)
  func values(pass: ForwardPass) throws {
    for (network, rows, expected) in try pass.cases() {
      let theta = (0..<network.dimension).map { 0.8 * cos(2 + Double($0)) }
      #expect(abs(network.value(at: theta, rows) - expected) < 1e-13 * expected, "\(network.response)")
    }
  }

  @Test("Gradients agree with central differences", arguments: ForwardPass.all)
  func gradients(pass: ForwardPass) throws {
    for (network, rows, _) in try pass.cases() {
      // A kink between the two points of a difference spoils it, so most of the points have to agree, not all.
      let errors = (0..<9).map { network.gradientError(at: normals(network.dimension, component: $0), rows) }
      #expect(errors.sorted()[6] < 2e-8, "\(network.response): \(errors)")
      if pass.activation == .tanh { #expect(errors.allSatisfy { $0 < 2e-8 }, "\(errors)") }
    }
  }

  @Test(
    "Sums over many blocks of rows are those over single rows", arguments: [NetworkActivation.relu, .tanh])
  func cuts(activation: NetworkActivation) throws {
    for response in [NetworkResponse.realWithNoise(priorScale: 1), .classes(["a", "b", "c", "d"])] {
      let network = try Targets.deep(activation, response, hidden: [30, 17, 9])
      let count = 1301
      let rows = TestRows(
        features: normals(count * 4), responses: (0..<count).map { Double($0 % 4) }, columns: 4)
      let points = normals(2 * network.dimension, component: 3).map { 0.5 * $0 }
      func sums(_ ranges: [Range<Int>]) -> [Double] {
        var value = [0.0, 0]
        var gradient = [Double](repeating: 0, count: points.count)
        let workspace = DensityWorkspace()
        for range in ranges {
          rows.withBlock(range: range) {
            network.accumulateRows(
              $0, points: points, count: 2, value: &value, gradient: &gradient, workspace: workspace)
          }
        }
        return value + gradient
      }
      let whole = sums([0..<count])
      let size = whole.map { abs($0) }.max() ?? 1
      for (a, b) in zip(sums((0..<count).map { $0..<($0 + 1) }), whole) { #expect(abs(a - b) < 1e-13 * size) }
    }
  }

  @Test("Two classes are softmax over an output of 0 and the network's")
  func twoClasses() throws {
    let binary = try Targets.deep(.tanh, .classes(["x", "y"]), hidden: [3])
    let three = try Targets.deep(.tanh, .classes(["x", "y", "z"]), hidden: [3])
    let theta = normals(binary.dimension)
    // The hidden layer, then outputs of three classes: 0, f and next to nothing.
    var wide = Array(theta[..<15])
    let zeros = [0.0, 0, 0]
    wide += zeros
    wide += theta[15..<18]
    wide += zeros
    wide += [0, theta[18], -600]
    let threeClasses = wide
    func likelihood(_ network: NeuralNetwork, _ point: [Double]) -> Double {
      var value = 0.0
      TestRows.binary.withBlock {
        network.accumulateRows(
          $0, points: point, count: 1, value: &value, gradient: nil, workspace: DensityWorkspace())
      }
      return value
    }
    #expect(abs(likelihood(binary, theta) - likelihood(three, threeClasses)) < 1e-12)
  }

  @Test("Parameters are named and shaped by layer, unit, feature and class")
  func names() throws {
    let network = try NeuralNetwork(
      columnNames: ["age", "bmi"], hidden: [2, 3], activation: .tanh, response: .classes(["a", "b", "c"]),
      priorScale: 1)
    #expect(network.dimension == 2 * 2 + 2 + 3 * 2 + 3 + 3 * 3 + 3)
    let names = network.parameterNames
    #expect(Array(names[..<6]) == ["w1[1,age]", "w1[1,bmi]", "w1[2,age]", "w1[2,bmi]", "b1[1]", "b1[2]"])
    #expect(Array(names[6..<10]) == ["w2[1,1]", "w2[1,2]", "w2[2,1]", "w2[2,2]"] && names[12] == "b2[1]")
    #expect(names[15] == "w3[a,1]" && names[23] == "w3[c,3]" && names[24...] == ["b3[a]", "b3[b]", "b3[c]"])
    let variables = network.outputVariables
    #expect(
      variables.map(\.name) == [
        "weights_1", "biases_1", "weights_2", "biases_2", "weights_out", "biases_out",
      ])
    #expect(
      variables.map { $0.axes.map(\.name) } == [
        ["unit_1", "feature"], ["unit_1"], ["unit_2", "unit_1"], ["unit_2"], ["class", "unit_2"], ["class"],
      ])
    for variable in variables { #expect(variable.axes.reduce(1) { $0 * $1.labels.count } == variable.count) }
    #expect(variables.flatMap(\.columnNames) == names)
    let single = try Targets.deep(.relu, .real(noise: 1), hidden: [3])
    #expect(single.outputVariables.map { $0.axes.map(\.name) }.suffix(2) == [["unit_1"], []])
    #expect(single.outputVariables.flatMap(\.columnNames) == single.parameterNames)
  }

  @Test("A learned noise is shown as itself, and fitted by its logarithm")
  func noise() throws {
    let network = try Targets.deep(.tanh, .realWithNoise(priorScale: 2), hidden: [2])
    #expect(
      network.parameterNames.last == "log_noise" && network.priorMoments?.means.count == network.dimension)
    #expect(network.outputVariables.last == OutputVariable(name: "noise"))
    let points = normals(2 * network.dimension)
    var output = [Double](repeating: 0, count: points.count)
    try network.computeOutputs(points: points, count: 2, into: &output, workspace: DensityWorkspace())
    let d = network.dimension
    #expect(Array(output[..<(d - 1)]) == Array(points[..<(d - 1)]))
    #expect(abs(output[2 * d - 1] - exp(points[2 * d - 1])) < 1e-15)
  }

  @Test("The paper's network is planned by its dimension, deeper ones by their weights")
  func operations() throws {
    #expect(try Targets.network().rowOperations == nil)
    let deep = try Targets.deep(.tanh, .real(noise: 1), hidden: [5, 3])
    #expect(deep.rowOperations == RowOperations(products: 4 * 5 + 5 * 3 + 3, functions: 9))
  }
}
