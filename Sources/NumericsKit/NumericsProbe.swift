import CKernels

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Runs fixed computations, one for every source of bits, and digests their results.
struct NumericsProbe: ~Copyable {
  private var hasher = DigestBuilder()
  private let noise = Noise(seed: 0x6973_6f6d_6978)

  /// Shapes (rows, columns, inner) of the products: tiles of the GLMs, odd sizes that take edge code, and a large
  /// one that is packed and blocked.
  private static let shapes = [
    (50, 128, 30), (160, 30, 128), (33, 65, 17), (7, 5, 301), (1, 13, 54), (512, 256, 512),
  ]

  /// Products in both precisions, plain and with the second operand transposed.
  mutating func multiplyMatrices() {
    for (rows, columns, inner) in Self.shapes {
      let a = normals(rows * inner)
      let b = normals(inner * columns, component: 1)
      let floatA = a.map { Float($0) }
      let floatB = b.map { Float($0) }
      var c = [Double](repeating: 0, count: rows * columns)
      var floatC = [Float](repeating: 0, count: rows * columns)
      for transposed in [false, true] {
        let leading = transposed ? inner : columns
        BLAS.multiply(
          a, leadingDimension: inner, by: b, leadingDimension: leading, transposed: transposed, rows: rows,
          columns: columns,
          inner: inner, beta: 1, into: &c, leadingDimension: columns)
        BLAS.multiply(
          floatA, leadingDimension: inner, by: floatB, leadingDimension: leading, transposed: transposed,
          rows: rows,
          columns: columns, inner: inner, beta: 1, into: &floatC, leadingDimension: columns)
      }
      hasher.update(c)
      hasher.update(floatC.map { Double($0) })
    }
  }

  /// This package's kernels.
  mutating func runKernels() {
    let samples = 5
    let rows = 77
    var responses = [Double](repeating: 0, count: rows)
    for row in stride(from: 0, to: rows, by: 3) { responses[row] = 1 }
    var value = [Double](repeating: 0, count: samples)

    var logits = normals(samples * rows, component: 2).map { 3 * $0 }
    var floatLogits = logits.map { Float($0) }
    var classLogits = logits
    isomix_logistic_residual(&logits, responses, samples, rows, &value, nil, 0)
    isomix_logistic_residual_float(&floatLogits, responses.map { Float($0) }, samples, rows, &value, nil, 0)
    var scratch = [Double](repeating: 0, count: 16 * samples)
    isomix_softmax_residual(&classLogits, responses, 1, samples, rows, &scratch, &value)
    hasher.update(logits)
    hasher.update(floatLogits.map { Double($0) })
    hasher.update(classLogits)
    runNetworkKernels(units: samples, rows: rows)
    runRegressionKernels(samples: samples, rows: rows)

    var exponentials = normals(1000, component: 3).map { 40 * $0 }
    var logarithms = exponentials.map { $0 * $0 }
    isomix_exp(exponentials, &exponentials, exponentials.count)
    isomix_log(logarithms, &logarithms, logarithms.count)
    hasher.update(exponentials)
    hasher.update(logarithms)

    let dimension = 7
    let components = 6
    let points = 21
    var space = [Double](repeating: 0, count: isomix_mixture_scratch(components, dimension))
    var density = [Double](repeating: 0, count: points)
    var score = [Double](repeating: 0, count: points * dimension)
    isomix_mixture_accumulate(
      normals(points * dimension, component: 4), points, dimension, components,
      normals(components * dimension, component: 5), [1, 2, 0.5, 1.5, 0.1, 3], [0, 0, -1, -1, 1, 1], &space,
      &density, &score)
    hasher.update(density)
    hasher.update(score)
    hasher.update(value)
  }

  /// Residuals of counts and of Student's t.
  private mutating func runRegressionKernels(samples: Int, rows: Int) {
    let counts = (0..<rows).map { Double($0 * 7 % 23) }
    var value = [Double](repeating: 0, count: samples)
    var slope = value
    var predictors = [
      normals(samples * rows, component: 9), normals(samples * rows, component: 10),
      normals(samples * rows, component: 11),
    ]
    let logarithms = normals(samples, component: 12)
    isomix_poisson_residual(&predictors[0], counts, samples, rows, &value)
    isomix_negative_binomial_residual(&predictors[1], counts, samples, rows, logarithms, &value, &slope)
    isomix_student_residual(
      &predictors[2], counts, samples, rows, 4, logarithms.map { $0 * $0 }, &value, &slope)
    for residuals in predictors { hasher.update(residuals) }
    hasher.update(value)
    hasher.update(slope)
  }

  /// A hidden layer, forwards and backwards.
  private mutating func runNetworkKernels(units: Int, rows: Int) {
    var products = normals(units * rows, component: 7)
    var predictions = [Double](repeating: 0, count: rows)
    var gradient = [Double](repeating: 0, count: 2 * units + 1)
    let parameters = normals(2 * units + 1, component: 8)
    isomix_relu_forward(products, parameters, units, rows, &predictions)
    isomix_relu_backward(&products, parameters, predictions, units, rows, &gradient)
    hasher.update(products)
    hasher.update(predictions)
    hasher.update(gradient)
  }

  /// The math library's functions that some target uses. Versions and CPU features change them in few places:
  /// for `sinh`, without FMA, some 300 of 400,000 results; so many inputs are needed to notice.
  mutating func callMathLibrary() {
    var results = [Double](repeating: 0, count: 4 * Self.libraryInputs)
    for (index, x) in normals(Self.libraryInputs, component: 6).enumerated() {
      let scaled = 5 * x
      results[4 * index] = log(abs(scaled))
      results[4 * index + 1] = sinh(scaled)
      results[4 * index + 2] = asinh(scaled)
      results[4 * index + 3] = tanh(scaled)
    }
    hasher.update(results)
  }

  private static let libraryInputs = 50_000

  consuming func finish() -> String { hasher.finalize().description }

  private func normals(_ count: Int, component: Int = 0) -> [Double] {
    [Double](unsafeUninitializedCapacity: count) { buffer, initialized in
      if let base = buffer.baseAddress {
        noise.fillNormals(
          .benchmark, iteration: 0, component: component, samples: 0..<1, dimension: count, into: base)
      }
      initialized = count
    }
  }
}
