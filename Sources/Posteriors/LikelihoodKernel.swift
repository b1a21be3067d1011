import CKernels
import NumericsKit

/// A likelihood over blocks of linear predictors: the one place where families of regressions differ.
struct LikelihoodKernel: Sendable {
  let likelihood: ResponseLikelihood
  /// The prior of the auxiliary parameter's logarithm when it is fitted.
  let auxiliaryPrior: LogHalfNormalPrior?
  /// The auxiliary parameter when it is known: 1/σ² of a noise, log α of an overdispersion.
  private let knownAuxiliary: Double
  /// −log of the density at the prediction of one observation with known noise; of unknown, without log σ.
  private let normalizer: Double

  /// Whether the auxiliary parameter is a coordinate of θ.
  var isFitted: Bool { auxiliaryPrior != nil }

  /// - Throws: ``PosteriorError`` when a number is not positive.
  init(_ likelihood: ResponseLikelihood) throws {
    self.likelihood = likelihood
    let name = likelihood.auxiliaryName
    var logScale = 0.0
    switch likelihood.auxiliary {
    case nil:
      auxiliaryPrior = nil
      knownAuxiliary = 0
    case .halfNormal(let scale):
      auxiliaryPrior = try LogHalfNormalPrior(scale: scale, name: "the scale of the \(name)'s prior")
      knownAuxiliary = 0
    case .known(let value):
      try PosteriorError.requirePositive(value, name == "noise" ? "the noise's scale" : "the \(name)")
      auxiliaryPrior = nil
      logScale = VectorMath.logarithm(value)
      if case .negativeBinomial = likelihood {
        knownAuxiliary = logScale
      } else {
        knownAuxiliary = 1 / (value * value)
      }
    }
    switch likelihood {
    case .gaussian: normalizer = 0.5 * VectorMath.logTwoPi + logScale
    case .studentT(let degrees, _):
      try PosteriorError.requirePositive(degrees, "the degrees of freedom")
      normalizer = StudentT.constant(degrees: degrees) + logScale
    default: normalizer = 0
    }
  }

  // MARK: One sweep.

  /// What a sweep over rows holds of each of some parameter vectors.
  struct Pass {
    let count: Int
    /// 1/σ² or log α, `[count]`.
    let auxiliaries: UnsafePointer<Double>
    /// The derivative of log(1/σ²) by −2 log σ: 1 but for scales so small that 1/σ² goes on along a tangent.
    let shares: UnsafePointer<Double>
    /// Where the residuals' kernel adds values, `[count]`.
    let values: UnsafeMutablePointer<Double>
    /// Where it adds derivatives by the auxiliary parameter's logarithm; nil when that is known.
    let slopes: UnsafeMutablePointer<Double>?
  }

  /// Begins a sweep.
  /// - Parameters:
  ///   - logarithms: of the auxiliary parameter when it is fitted: that of the first vector, `stride` numbers before the
  ///     next one's.
  ///   - value: where values are added in the end.
  func begin(
    count: Int, logarithms: UnsafePointer<Double>, stride: Int, value: UnsafeMutablePointer<Double>,
    workspace: DensityWorkspace
  ) -> Pass {
    let auxiliaries = workspace.auxiliary.reserve(4 * count)
    let shares = auxiliaries + count
    fillAuxiliaries(auxiliaries, shares: shares, count: count, logarithms: logarithms, stride: stride)
    guard isFitted else {
      return Pass(count: count, auxiliaries: auxiliaries, shares: shares, values: value, slopes: nil)
    }
    // The misfit by itself: derivatives need it too.
    let values = shares + count
    values.update(repeating: 0, count: 2 * count)
    return Pass(
      count: count, auxiliaries: auxiliaries, shares: shares, values: values, slopes: values + count)
  }

  /// Writes 1/σ² or log α of each vector; of the former also its share, the derivative of its logarithm.
  private func fillAuxiliaries(
    _ output: UnsafeMutablePointer<Double>, shares: UnsafeMutablePointer<Double>, count: Int,
    logarithms: UnsafePointer<Double>, stride: Int
  ) {
    shares.update(repeating: 1, count: count)
    guard isFitted else { return output.update(repeating: knownAuxiliary, count: count) }
    if case .negativeBinomial = likelihood {
      for s in 0..<count { output[s] = logarithms[s * stride] }
      return
    }
    for s in 0..<count {
      // On along the tangent where σ is next to 0: V stays finite, and still rises.
      let precision = VectorMath.boundedExponential(-2 * logarithms[s * stride])
      output[s] = precision.value
      if precision.slope < precision.value { shares[s] = precision.slope / precision.value }
    }
  }

  /// Turns predictors `[count, rows]` into derivatives of `−log p(y | z)` by them, and adds its sums.
  /// - Parameter upcoming: memory that is read next.
  func residuals(
    _ predictors: UnsafeMutablePointer<Double>, _ responses: UnsafePointer<Double>, rows: Int, _ pass: Pass,
    upcoming: UnsafeRawPointer?, upcomingBytes: Int
  ) {
    switch likelihood {
    case .logistic:
      isomix_logistic_residual(
        predictors, responses, pass.count, rows, pass.values, upcoming, upcomingBytes)
    case .gaussian:
      guard isFitted else {
        return isomix_linear_residual(
          predictors, responses, pass.count, rows, knownAuxiliary, pass.values)
      }
      for s in 0..<pass.count {
        isomix_linear_residual(
          predictors + s * rows, responses, 1, rows, pass.auxiliaries[s], pass.values + s)
      }
    case .poisson: isomix_poisson_residual(predictors, responses, pass.count, rows, pass.values)
    case .studentT(let degrees, _):
      isomix_student_residual(
        predictors, responses, pass.count, rows, degrees, pass.auxiliaries, pass.values, pass.slopes)
    case .negativeBinomial:
      isomix_negative_binomial_residual(
        predictors, responses, pass.count, rows, pass.auxiliaries, pass.values, pass.slopes)
    }
  }

  /// Adds to `value` what rows have whatever the predictors, and to the derivatives by log σ or log α.
  func finish(
    _ pass: Pass, rows: RowBlock, logarithms: UnsafePointer<Double>, stride: Int,
    value: UnsafeMutablePointer<Double>, slope: UnsafeMutablePointer<Double>?, slopeStride: Int
  ) {
    let observations = Double(rows.count)
    var constant = observations * normalizer
    switch likelihood {
    case .poisson: constant = isomix_sum_log_factorials(rows.responses, rows.count)
    case .negativeBinomial:
      constant = isomix_sum_log_factorials(rows.responses, rows.count)
      if !isFitted {
        constant -= isomix_sum_rising_factorials(rows.responses, rows.count, knownAuxiliary)
      }
    default: break
    }
    guard let slopes = pass.slopes else {
      for s in 0..<pass.count { value[s] += constant }
      return
    }
    for s in 0..<pass.count {
      let logarithm = logarithms[s * stride]
      switch likelihood {
      case .gaussian:
        value[s] += observations * (logarithm + normalizer) + pass.values[s]
        slope?[s * slopeStride] += observations - 2 * pass.values[s] * pass.shares[s]
      case .studentT:
        value[s] += observations * (logarithm + normalizer) + pass.values[s]
        slope?[s * slopeStride] += observations + slopes[s] * pass.shares[s]
      default:
        value[s] += constant + pass.values[s]
        slope?[s * slopeStride] += slopes[s]
      }
    }
  }

  // MARK: Predictions.

  /// Turns predictors `[count, rows]` into `log p(y | z)`.
  func logLikelihoods(
    _ predictors: UnsafeMutablePointer<Double>, _ responses: UnsafePointer<Double>, rows: Int, count: Int,
    logarithms: UnsafePointer<Double>, stride: Int, workspace: DensityWorkspace
  ) {
    defer { withExtendedLifetime(workspace) {} }
    let auxiliaries = workspace.auxiliary.reserve(3 * count)
    let constants = auxiliaries + count
    fillAuxiliaries(
      auxiliaries, shares: constants + count, count: count, logarithms: logarithms, stride: stride)
    for s in 0..<count { constants[s] = -normalizer - (isFitted ? logarithms[s * stride] : 0) }
    let factorials = workspace.small.reserve(rows)
    switch likelihood {
    case .logistic: isomix_logistic_log_likelihood(predictors, responses, count, rows)
    case .gaussian:
      isomix_gaussian_log_likelihood(predictors, responses, count, rows, auxiliaries, constants)
    case .studentT(let degrees, _):
      isomix_student_log_likelihood(predictors, responses, count, rows, degrees, auxiliaries, constants)
    case .poisson:
      isomix_log_factorials(responses, rows, factorials)
      isomix_poisson_log_likelihood(predictors, responses, count, rows, factorials)
    case .negativeBinomial:
      isomix_log_factorials(responses, rows, factorials)
      isomix_negative_binomial_log_likelihood(predictors, responses, count, rows, auxiliaries, factorials)
    }
  }

  /// Turns predictors into expected responses. Student's t has none with one degree of freedom or fewer: its location.
  func expectations(_ predictors: UnsafeMutablePointer<Double>, count: Int) {
    switch likelihood {
    case .gaussian, .studentT: break
    case .logistic: isomix_logistic_probability(predictors, count)
    case .poisson, .negativeBinomial: isomix_bounded_exp(predictors, predictors, nil, count)
    }
  }

  /// Turns predictors `[count, rows]` into responses drawn by inversion.
  func responses(
    _ predictors: UnsafeMutablePointer<Double>, uniforms: UnsafePointer<Double>, uniformStride: Int,
    rows: Int, count: Int, logarithms: UnsafePointer<Double>, stride: Int, workspace: DensityWorkspace
  ) {
    expectations(predictors, count: count * rows)
    // Deviates are often the same in all rows: noise that doesn't depend on the row is not inverted again.
    var last = (u: Double.nan, noise: 0.0)
    for s in 0..<count {
      let scale = auxiliary(isFitted ? logarithms[s * stride] : 0)
      for j in 0..<rows {
        let mean = predictors[s * rows + j]
        // The middle of the interval that a deviate on (0, 1] stands for.
        let u = uniforms[s * uniformStride + j] - Self.halfDeviate
        if u != last.u { last = (u, noise(at: u, workspace)) }
        predictors[s * rows + j] =
          switch likelihood {
          case .gaussian, .studentT: mean + scale * last.noise
          case .logistic: u <= 1 - mean ? 0 : 1
          case .poisson: isomix_count_quantile(u, mean, 0)
          case .negativeBinomial: isomix_count_quantile(u, mean, scale)
          }
      }
    }
  }

  /// The quantile of the noise of scale 1; 0 where the noise depends on the mean.
  private func noise(at u: Double, _ workspace: DensityWorkspace) -> Double {
    switch likelihood {
    case .gaussian: InverseNormal.value(at: u)
    case .studentT(let degrees, _): workspace.noises.studentQuantile(u, degrees: degrees)
    case .logistic, .poisson, .negativeBinomial: 0
    }
  }

  /// Half of the step between uniform deviates.
  private static let halfDeviate = 0x1p-53

  /// σ or α, from its logarithm when it is fitted.
  private func auxiliary(_ logarithm: Double) -> Double {
    switch likelihood.auxiliary {
    case nil: 0
    case .known(let value): value
    case .halfNormal: VectorMath.boundedExponential(logarithm).value
    }
  }
}
