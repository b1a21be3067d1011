import CKernels
import NumericsKit

extension NeuralNetwork {
  public func computeLogLikelihoods(
    _ rows: RowBlock, draws: UnsafePointer<Double>, count: Int, into output: UnsafeMutablePointer<Double>,
    workspace: DensityWorkspace
  ) {
    defer { withExtendedLifetime(workspace) {} }
    visitOutputs(rows, draws: draws, count: count, workspace: workspace) { block, outputs in
      var logDensities = outputs
      switch likelihood {
      case .normal, .learnedNoise: takeNormalLogDensities(block, outputs, draws: draws, count: count)
      case .logistic: isomix_logistic_log_likelihood(outputs, block.responses, count, block.count)
      case .softmax(let classes):
        logDensities = workspace.coefficients.reserve(count * block.count)
        isomix_softmax_log_likelihood(outputs, block.responses, count, classes, block.count, logDensities)
      }
      for s in 0..<count {
        (output + s * rows.count + block.start).update(
          from: logDensities + s * block.count, count: block.count)
      }
    }
  }

  public func computeExpectations(
    _ rows: RowBlock, draws: UnsafePointer<Double>, count: Int, into output: UnsafeMutablePointer<Double>,
    workspace: DensityWorkspace
  ) {
    defer { withExtendedLifetime(workspace) {} }
    let width = shape.outputs
    visitOutputs(rows, draws: draws, count: count, workspace: workspace) { block, outputs in
      takeExpectations(block, outputs, count: count, workspace: workspace)
      for line in 0..<count * width {
        (output + line * rows.count + block.start).update(
          from: outputs + line * block.count, count: block.count)
      }
    }
  }

  public func computeResponses(
    _ rows: RowBlock, draws: UnsafePointer<Double>, count: Int, uniforms: UnsafePointer<Double>,
    into output: UnsafeMutablePointer<Double>, workspace: DensityWorkspace
  ) {
    defer { withExtendedLifetime(workspace) {} }
    visitOutputs(rows, draws: draws, count: count, workspace: workspace) { block, outputs in
      takeExpectations(block, outputs, count: count, workspace: workspace)
      let quantiles = workspace.small.reserve(block.count)
      for s in 0..<count {
        let expectations = outputs + s * shape.outputs * block.count
        let target = output + s * rows.count + block.start
        let uniforms = uniforms + s * rows.count + block.start
        switch likelihood {
        case .normal, .learnedNoise:
          for row in 0..<block.count { quantiles[row] = min(uniforms[row], Self.largestUniform) }
          InverseNormal.transform(quantiles, count: block.count)
          let scale = noiseScale(draws + s * dimension)
          for row in 0..<block.count { target[row] = expectations[row] + scale * quantiles[row] }
        case .logistic:
          for row in 0..<block.count { target[row] = uniforms[row] <= 1 - expectations[row] ? 0 : 1 }
        case .softmax(let classes):
          for row in 0..<block.count {
            var index = 0
            var below = expectations[row]
            while index + 1 < classes, uniforms[row] > below {
              index += 1
              below += expectations[index * block.count + row]
            }
            target[row] = Double(index)
          }
        }
      }
    }
  }

  /// The largest number below 1: at 1 the normal distribution's quantile is infinite.
  private static let largestUniform = 1 - 0x1p-53

  /// σ of a draw.
  private func noiseScale(_ draw: UnsafePointer<Double>) -> Double {
    switch response {
    case .real(let noise): noise
    case .realWithNoise: VectorMath.exponential(draw[shape.dimension])
    case .classes: 1
    }
  }

  /// Calls back with the outputs `[count, outputs, rows]` of each block of rows, to be overwritten.
  private func visitOutputs(
    _ rows: RowBlock, draws: UnsafePointer<Double>, count: Int, workspace: DensityWorkspace,
    _ body: (NetworkBlock, UnsafeMutablePointer<Double>) -> Void
  ) {
    defer { withExtendedLifetime(workspace) {} }
    NetworkBlock.visit(rows, shape: shape, held: count * shape.outputs, workspace: workspace) { block in
      let width = shape.outputs * block.count
      let outputs = workspace.outputs.reserve(count * width)
      for s in 0..<count { block.predict(draws + s * dimension, into: outputs + s * width) }
      body(block, outputs)
    }
  }

  /// Turns outputs `[count, rows]` into log p(y | θ_s), each with its own σ.
  private func takeNormalLogDensities(
    _ block: NetworkBlock, _ outputs: UnsafeMutablePointer<Double>, draws: UnsafePointer<Double>, count: Int
  ) {
    for s in 0..<count {
      var (precision, constant) = (0.0, 0.0)
      if case .normal(let noise) = likelihood {
        (precision, constant) = (noise.precision, noise.constant)
      } else {
        let draw = draws + s * dimension
        (precision, constant) = (noisePrecision(draw), -0.5 * VectorMath.logTwoPi - draw[shape.dimension])
      }
      isomix_gaussian_log_likelihood(
        outputs + s * block.count, block.responses, 1, block.count, &precision, &constant)
    }
  }

  /// Turns outputs `[count, outputs, rows]` into expectations in place.
  private func takeExpectations(
    _ block: NetworkBlock, _ outputs: UnsafeMutablePointer<Double>, count: Int, workspace: DensityWorkspace
  ) {
    switch likelihood {
    case .normal, .learnedNoise: break
    case .logistic: isomix_logistic_probability(outputs, count * block.count)
    case .softmax(let classes): isomix_softmax_probability(outputs, count, classes, block.count)
    }
  }
}
