import Foundation

/// How well predictions meet the responses that came with the rows; standard errors over rows.
public struct PredictionScores: Sendable, Encodable {
  public private(set) var rows = 0
  private var density = RunningMoments()
  private var correct = RunningMoments()
  private var squared = RunningMoments()
  private let hasClasses: Bool

  public init(hasClasses: Bool) { self.hasClasses = hasClasses }

  /// The mean log predictive density, in nats.
  public var logPredictiveDensity: Double { density.mean }
  public var logPredictiveDensityError: Double { density.standardError }
  /// The share of rows whose most probable class is the observed one; nil where a number is predicted.
  public var accuracy: Double? { hasClasses ? correct.mean : nil }
  public var accuracyError: Double? { hasClasses ? correct.standardError : nil }
  /// The root of the mean squared error of the predictive mean; nil for classes.
  public var rmse: Double? { hasClasses ? nil : squared.mean.squareRoot() }
  /// By the delta method.
  public var rmseError: Double? {
    rmse.map { $0 > 0 ? squared.standardError / (2 * $0) : 0 }
  }

  /// Adds rows `[rows, layout.width]`.
  public mutating func add(_ numbers: [Double], columns: PredictionColumns) {
    let width = columns.layout.width
    numbers.withUnsafeBufferPointer { numbers in
      guard let base = numbers.baseAddress else { return }
      for start in stride(from: 0, to: numbers.count, by: width) {
        let row = base + start
        let response = row[width - 1]
        rows += 1
        density.add(row[width - 2])
        if hasClasses {
          correct.add(Double(columns.predictedClass(row)) == response ? 1 : 0)
        } else {
          squared.add((row[0] - response) * (row[0] - response))
        }
      }
    }
  }

  /// A line for people.
  public var text: String {
    func figure(_ value: Double, _ error: Double) -> String { String(format: "%.4f ± %.4f", value, error) }
    var parts = ["\(rows) rows"]
    if let accuracy, let accuracyError { parts.append("accuracy \(figure(accuracy, accuracyError))") }
    if let rmse, let rmseError { parts.append(String(format: "RMSE %.4g ± %.2g", rmse, rmseError)) }
    parts.append(
      "mean log predictive density \(figure(logPredictiveDensity, logPredictiveDensityError))")
    return "Scores: " + parts.joined(separator: ", ") + " (standard errors over rows)"
  }

  private enum CodingKeys: String, CodingKey {
    case rows, accuracy, rmse
    case accuracyError = "accuracy_se"
    case rmseError = "rmse_se"
    case logPredictiveDensity = "log_predictive_density"
    case logPredictiveDensityError = "log_predictive_density_se"
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(rows, forKey: .rows)
    try container.encode(logPredictiveDensity, forKey: .logPredictiveDensity)
    try container.encode(logPredictiveDensityError, forKey: .logPredictiveDensityError)
    try container.encodeIfPresent(accuracy, forKey: .accuracy)
    try container.encodeIfPresent(accuracyError, forKey: .accuracyError)
    try container.encodeIfPresent(rmse, forKey: .rmse)
    try container.encodeIfPresent(rmseError, forKey: .rmseError)
  }
}

/// Mean and variance of numbers as they come (Welford, Technometrics 4, 1962).
private struct RunningMoments: Sendable {
  private var count = 0.0
  private(set) var mean = 0.0
  private var squares = 0.0

  mutating func add(_ value: Double) {
    count += 1
    let before = value - mean
    mean += before / count
    squares += before * (value - mean)
  }

  /// The standard error of the mean; 0 of a single number.
  var standardError: Double { count > 1 ? (squares / (count - 1) / count).squareRoot() : 0 }
}
