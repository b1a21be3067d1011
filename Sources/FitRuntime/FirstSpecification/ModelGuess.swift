import Coordination
import Datasets
import Foundation

/// The family that a response suggests, and why.
struct ModelGuess: Sendable, Equatable {
  enum Family: String, CaseIterable, Sendable {
    case linear, logistic, softmax, poisson
    case negativeBinomial = "negative_binomial"
    case studentT = "student_t"
  }

  let family: Family
  /// A sentence for the spec's reader.
  let reason: String

  /// Whole numbers from 0 whose mean is at most this are taken for counts; larger ones for measurements.
  static let largestMeanCount = 30.0
  /// Whole numbers without a gap with at most so many different values are taken for classes.
  static let mostClassCodes = 10
  /// A text with more different values than this, or with less than `rowsPerClass` rows for each, is no class.
  static let mostClasses = 100
  static let rowsPerClass = 5

  /// - Throws: ``RuntimeError`` when the column can't be a response.
  static func of(_ response: DatasetProfile.Column, rows: Int) throws -> ModelGuess {
    let name = "'\(response.name)'"
    guard !response.isConstant else {
      throw RuntimeError(
        "the response \(name) has the same value in every row: there is nothing to explain",
        exitCode: ExitCode.badData)
    }
    guard !response.isText else { return try text(response, rows: rows) }
    let values = "\(response.distinct) different values"
    if response.isWhole, response.minimum == 0, response.maximum == 1 {
      return ModelGuess(family: .logistic, reason: "\(name) is 0 or 1.")
    }
    let isGapless = response.maximum - response.minimum + 1 == Double(response.distinct)
    if response.isWhole, isGapless, response.distinct <= mostClassCodes,
      response.minimum == 0 || response.minimum == 1
    {
      return ModelGuess(
        family: .softmax,
        reason:
          "\(name) has \(values), whole numbers without a gap: taken for classes. If they count something, use "
          + "poisson.")
    }
    if response.isWhole, response.minimum >= 0, response.mean <= largestMeanCount {
      let variance = response.standardDeviation * response.standardDeviation
      let isWide = variance > 1.5 * response.mean
      return ModelGuess(
        family: isWide ? .negativeBinomial : .poisson,
        reason: String(
          format: "%@ holds whole numbers from 0, taken for counts: mean %.3g, variance %.3g%@", name,
          response.mean, variance,
          isWide ? ", wider than Poisson's." : "."))
    }
    return ModelGuess(
      family: .linear,
      reason:
        "\(name) is a number. If it has outliers, student_t is the robust choice (it also wants degrees: 4).")
  }

  private static func text(_ response: DatasetProfile.Column, rows: Int) throws -> ModelGuess {
    let count = response.categories.count
    guard count <= mostClasses, count * rowsPerClass <= rows else {
      throw RuntimeError(
        "the response '\(response.name)' holds \(count) different texts in \(rows) rows: too many for classes; choose "
          + "another --response", exitCode: ExitCode.badData)
    }
    let classes = response.categories.prefix(4).map { "'\($0)'" }.joined(separator: ", ")
    if count == 2 {
      return ModelGuess(
        family: .logistic,
        reason:
          "'\(response.name)' is \(classes); the model gives the probability of '\(response.categories[1])'.")
    }
    return ModelGuess(
      family: .softmax,
      reason: "'\(response.name)' has \(count) classes: \(classes)\(count > 4 ? ", …" : "").")
  }
}
