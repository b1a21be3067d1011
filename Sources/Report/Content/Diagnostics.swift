import Inference

/// The file `diagnostics.json`: what the fit's judgement of itself was made from, in few numbers.
public struct Diagnostics: Sendable, Codable, Equatable {
  /// Raised whenever the meaning of the file changes.
  public var formatVersion: Int
  /// Draws of the fitted mixture, over all components.
  public var draws: Int
  public var khat: Double?
  /// Above this k̂, importance weights can't be trusted.
  public var khatThreshold: Double
  public var isReliable: Bool
  public var effectiveSampleSize: Double?
  /// Share of the importance weight on each component's draws, `[N]`; `[1]` where draws belong to no component, because
  /// coordinates have mixtures of their own.
  public var usage: [Double]
  public var weights: WeightProfile?

  public static let currentVersion = 1
  public static let fileName = "diagnostics.json"

  public init(_ judgement: Judgement) {
    formatVersion = Diagnostics.currentVersion
    draws = judgement.draws
    khat = judgement.khat
    khatThreshold = judgement.khatThreshold
    isReliable = judgement.isReliable
    effectiveSampleSize = judgement.effectiveSampleSize
    usage = judgement.usage
    weights = judgement.weights
  }
}
