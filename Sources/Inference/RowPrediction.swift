import Posteriors

/// What is asked for of each new row.
public struct RowPrediction: Sendable, Hashable, Codable {
  /// What quantiles are of.
  public enum Quantity: String, Sendable, Codable, CaseIterable {
    /// The response itself: noise and all.
    case response
    /// Its expectation given the parameters, or the classes' probabilities.
    case mean
  }

  public var quantity: Quantity
  /// Probabilities in (0, 1), ascending; of classes they are used for `mean` only.
  public var quantiles: [Double]
  /// Draws from the mixture, an even number; nil to integrate without draws (``PredictorLaw``).
  public var draws: Int?
  /// Whether the rows have responses to score the predictions with.
  public var hasResponses: Bool

  public init(quantity: Quantity, quantiles: [Double], draws: Int?, hasResponses: Bool) {
    self.quantity = quantity
    self.quantiles = quantiles
    self.draws = draws
    self.hasResponses = hasResponses
  }

  /// Where the numbers of a row are.
  public struct Layout: Sendable, Hashable {
    /// Expectations: probabilities of the classes (of two only the second's), else one.
    public var expectations: Int
    /// Whether the standard deviation follows.
    public var hasDeviation: Bool
    /// Quantiles after that: for each probability one of each expectation.
    public var quantiles: Int
    /// Whether the log predictive density and the response come last.
    public var hasScores: Bool

    /// Numbers that users see.
    public var shown: Int { expectations + (hasDeviation ? 1 : 0) + quantiles * expectations }
    /// Numbers a row.
    public var width: Int { shown + (hasScores ? 2 : 0) }
  }

  /// The layout for a kind of response; nil where nothing is predicted.
  public func layout(_ response: PredictedResponse?) -> Layout? {
    guard let response else { return nil }
    var hasClasses = false
    if case .classes = response { hasClasses = true }
    return Layout(
      expectations: response.expectationWidth, hasDeviation: !hasClasses,
      quantiles: hasClasses && quantity == .response ? 0 : quantiles.count, hasScores: hasResponses)
  }
}
