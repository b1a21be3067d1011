import NumericsKit
import Posteriors
import Testing

@Suite struct GradientTests {
  init() { BLAS.prepare() }

  @Test("Gradients of all analytic densities agree with central differences")
  func analytic() throws {
    for (index, density) in try Targets.analytic().enumerated() {
      for trial in 0..<10 {
        let point = normals(density.dimension, component: trial).map { 1.5 * $0 }
        #expect(density.gradientError(at: point) < 2e-8, "density \(index), point \(point)")
      }
    }
  }

  @Test("Gradients of all regressions agree with central differences")
  func regressions() throws {
    for (density, rows) in try Targets.regressions() {
      for trial in 0..<10 {
        let point = normals(density.dimension, component: trial)
        #expect(density.gradientError(at: point, rows) < 2e-8, "\(density.parameterNames)")
      }
    }
  }

  @Test("Values and gradients are added to what the buffers hold, and the gradient may be left out")
  func accumulation() throws {
    let workspace = DensityWorkspace()
    for (density, rows) in try Targets.regressions() {
      let points = normals(3 * density.dimension)
      let (value, gradient) = density.evaluate(points, rows)
      var again = value
      var gradients = gradient
      density.accumulateBase(
        points: points, count: 3, value: &again, gradient: &gradients, workspace: workspace)
      rows.withBlock {
        density.accumulateRows(
          $0, points: points, count: 3, value: &again, gradient: &gradients, workspace: workspace)
      }
      for (sum, part) in zip(again + gradients, value + gradient) {
        #expect(abs(sum - 2 * part) < 1e-12 * max(1, abs(part)))
      }
      var valueOnly = [Double](repeating: 0, count: 3)
      density.accumulateBase(points: points, count: 3, value: &valueOnly, gradient: nil, workspace: workspace)
      rows.withBlock {
        density.accumulateRows(
          $0, points: points, count: 3, value: &valueOnly, gradient: nil, workspace: workspace)
      }
      #expect(valueOnly == value)
    }
  }

  @Test("A workspace's history leaves no trace in the bits")
  func history() throws {
    let used = DensityWorkspace()
    for round in 0..<2 {
      for (density, rows) in try Targets.regressions() {
        for precision in Precision.allCases {
          let points = normals(17 * density.dimension)
          let expected = density.evaluate(points, rows, precision: precision)
          var value = [Double](repeating: 0, count: 17)
          var gradient = [Double](repeating: 0, count: points.count)
          density.accumulateBase(
            points: points, count: 17, value: &value, gradient: &gradient, workspace: used)
          rows.withBlock(precision) {
            density.accumulateRows(
              $0, points: points, count: 17, value: &value, gradient: &gradient, workspace: used)
          }
          #expect(value == expected.value && gradient == expected.gradient, "round \(round)")
        }
      }
    }
  }
}
