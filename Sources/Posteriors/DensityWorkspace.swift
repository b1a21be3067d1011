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

  public init() {}
}
