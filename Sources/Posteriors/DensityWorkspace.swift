import CKernels
import NumericsKit

/// Scratch memory of one thread that evaluates densities; grows to what is asked and stays.
///
/// Whoever takes memory from it says `defer { withExtendedLifetime(workspace) {} }`: Swift may otherwise free a
/// workspace after its last mention, while pointers into it are still in use.
public final class DensityWorkspace {
  /// Linear predictors of a block of rows, or whatever an analytic target needs.
  var predictors = ScratchMemory()
  /// Coefficients as the sweep wants them: transposed, or in single precision.
  var coefficients = ScratchMemory()
  var singleCoefficients = ScratchMemory()
  var transposed = ScratchMemory()
  /// Gradient sums in the sweep's layout or precision.
  var gradient = ScratchMemory()
  var singleGradient = ScratchMemory()
  /// Coefficients or gradient sums of a few vectors, transposed as sparse rows want them.
  var slab = ScratchMemory()
  /// Residuals or responses in the other precision.
  var converted = ScratchMemory()
  var responses = ScratchMemory()
  /// The auxiliary parameter of each vector and what belongs to it.
  var auxiliary = ScratchMemory()
  /// Scales of coefficients under a horseshoe.
  var shrinkage = ScratchMemory()
  /// Effects of groups, and derivatives by them.
  var effects = ScratchMemory()
  var effectSums = ScratchMemory()
  /// Predictions of a block of rows.
  var predictions = ScratchMemory()
  /// Derivatives by what the units of two layers of a network get.
  var derivatives = ScratchMemory()
  /// A network's outputs for a block of rows.
  var outputs = ScratchMemory()
  /// A few numbers for a kernel.
  var small = ScratchMemory()
  /// Quantiles of noise of scale 1 that took long to find.
  var noises = KnownNoises()

  public init() {}
}

/// Quantiles of Student's t, which take microseconds each and are often asked for again, row after row.
struct KnownNoises {
  private var degrees = Double.nan
  private var known: [Double: Double] = [:]

  /// Beyond, they are found anew.
  private static let most = 4096

  mutating func studentQuantile(_ probability: Double, degrees: Double) -> Double {
    if degrees != self.degrees {
      self.degrees = degrees
      known = [:]
    }
    if let quantile = known[probability] { return quantile }
    let quantile = isomix_student_quantile(probability, degrees)
    if known.count < Self.most { known[probability] = quantile }
    return quantile
  }
}
