import NumericsKit

/// A logistic regression tile with synthetic data.
final class LogisticTile {
  private let model: GeneralizedLinearModel
  private let features: [Double]
  private let singleFeatures: [Float]
  private let responses: [Double]
  private let points: [Double]
  private let rows: Int
  private let samples: Int
  private let precision: Precision
  private var value: [Double]
  private var gradient: [Double]
  private let workspace = DensityWorkspace()

  init(rows: Int, dimension: Int, samples: Int, precision: Precision) throws {
    model = try GeneralizedLinearModel(
      columnNames: (1...dimension).map { "x\($0)" }, likelihood: .logistic,
      priors: CoefficientPriors(.normal(scale: 1)))
    let doubles = syntheticNormals(rows * dimension, component: 0)
    features = precision == .float64 ? doubles : []
    singleFeatures = precision == .float32 ? doubles.map { Float($0) } : []
    responses = (0..<rows).map { Double($0 & 1) }
    points = syntheticNormals(samples * dimension, component: 1)
    value = [Double](repeating: 0, count: samples)
    gradient = [Double](repeating: 0, count: samples * dimension)
    self.rows = rows
    self.samples = samples
    self.precision = precision
  }

  func evaluate() {
    responses.withUnsafeBufferPointer { responses in
      let evaluate = { (bytes: UnsafeRawBufferPointer) in
        guard let start = bytes.baseAddress, let observed = responses.baseAddress else { return }
        let block = RowBlock(
          features: start, responses: observed, count: self.rows, columns: self.model.dimension,
          precision: self.precision)
        self.model.accumulateRows(
          block, points: self.points, count: self.samples, value: &self.value, gradient: &self.gradient,
          workspace: self.workspace)
      }
      switch precision {
      case .float64: features.withUnsafeBytes(evaluate)
      case .float32: singleFeatures.withUnsafeBytes(evaluate)
      }
    }
  }
}

/// A product of two square matrices.
final class SquareProduct {
  let size: Int
  private let precision: Precision
  private var doubles: [[Double]] = []
  private var floats: [[Float]] = []

  init(size: Int, precision: Precision) {
    self.size = size
    self.precision = precision
    let matrices = (2..<5).map { syntheticNormals(size * size, component: $0) }
    switch precision {
    case .float64: doubles = matrices
    case .float32: floats = matrices.map { $0.map { Float($0) } }
    }
  }

  /// Floating-point operations of one product.
  var operations: Double { 2 * Double(size) * Double(size) * Double(size) }

  func evaluate() {
    switch precision {
    case .float64:
      BLAS.multiply(
        doubles[0], leadingDimension: size, by: doubles[1], leadingDimension: size,
        rows: size, columns: size, inner: size, into: &doubles[2], leadingDimension: size)
    case .float32:
      BLAS.multiply(
        floats[0], leadingDimension: size, by: floats[1], leadingDimension: size,
        rows: size, columns: size, inner: size, into: &floats[2], leadingDimension: size)
    }
  }
}

private func syntheticNormals(_ count: Int, component: Int) -> [Double] {
  [Double](unsafeUninitializedCapacity: count) { buffer, initialized in
    if let base = buffer.baseAddress {
      Noise(seed: 1).fillNormals(
        .benchmark, iteration: 0, component: component, samples: 0..<1, dimension: count, into: base)
    }
    initialized = count
  }
}
