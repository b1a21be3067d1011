/// Keeps the relative step η of an automatic fit as large as it can be.
///
/// A step that is too large for the curvature shows at once, without any evaluation of the objective: gradients of
/// successive iterations point in opposite directions. When the mean cosine over ten iterations and all components is
/// below ``oscillation``, η is halved; when it is above ``persistence``, η grows again, up to where the stage began.
/// Noise alone makes the cosine slightly negative at most.
public struct StepControl: Sendable, Hashable, Codable {
  /// η now.
  public private(set) var rate = StepControl.start
  /// The largest η of this stage.
  private var ceiling = StepControl.start
  private var cosines = 0.0
  private var count = 0

  /// Where η starts: a fifth of the way to the optimum of the local model, so that ten iterations forget nine tenths of
  /// a start.
  public static let start = 0.2
  /// The mean cosine of an oscillation.
  static let oscillation = -0.3
  /// The mean cosine of steps that all go the same way.
  static let persistence = 0.3
  static let growth = 1.25
  /// Iterations over which the cosine is averaged.
  static let span = 10
  /// Smaller steps get nowhere.
  static let smallest = 1e-6

  public init() {}

  /// Takes the mean gradients of two successive iterations, `[N, d]` each.
  package mutating func observe(_ gradient: [Double], after previous: [Double], dimension: Int) {
    guard gradient.count == previous.count, dimension > 0, !gradient.isEmpty else { return }
    let components = gradient.count / dimension
    var sum = 0.0
    gradient.withUnsafeBufferPointer { gradient in
      previous.withUnsafeBufferPointer { previous in
        for i in 0..<components {
          var (product, first, second) = (0.0, 0.0, 0.0)
          for k in i * dimension..<(i + 1) * dimension {
            product += gradient[k] * previous[k]
            first += gradient[k] * gradient[k]
            second += previous[k] * previous[k]
          }
          let scale = first.squareRoot() * second.squareRoot()
          if scale > 0, scale.isFinite { sum += product / scale }
        }
      }
    }
    cosines += sum / Double(components)
    count += 1
    guard count == StepControl.span else { return }
    let cosine = cosines / Double(count)
    if cosine < StepControl.oscillation { shrink(by: 2) }
    if cosine > StepControl.persistence { rate = min(rate * StepControl.growth, ceiling) }
    cosines = 0
    count = 0
  }

  /// Divides η.
  package mutating func shrink(by divisor: Double) { rate = max(rate / divisor, StepControl.smallest) }

  /// Begins a stage with half the step.
  package mutating func beginStage() {
    shrink(by: 2)
    ceiling = rate
  }
}
