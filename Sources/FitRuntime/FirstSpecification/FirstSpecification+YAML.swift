import Datasets
import Foundation
import Specification

extension FirstSpecification {
  /// The spec, with comments.
  public var yaml: String {
    var lines = [
      "# A first spec for \(comment(data)): \(profile.rows) rows that are complete"
        + (profile.rows < profile.records ? " of \(profile.records)." : "."),
      "# Fit it:          isomix fit THIS-FILE --output out",
      "# All families:    isomix models",
      "model:",
      "  # \(comment(guess.reason))",
      "  family: \(guess.family.rawValue)",
      "  response: \(FirstSpecification.quoted(response.name))",
    ]
    lines += featureLines + priorLines + groupLines
    lines += [
      "data:",
      "  train: \(FirstSpecification.quoted(data))",
      "  # test: more.csv              # rows to score the fit on",
      profile.isSparse
        ? "  standardize: scale            # divided by the standard deviation; sparse columns keep their zeros"
        : "  standardize: true             # numbers to mean 0 and standard deviation 1, by the training rows",
    ]
    if profile.rows < profile.records {
      lines.append("  missing: drop                 # leave out rows with a missing value")
    }
    lines += [
      "mixture:",
      "  components: 5                 # more follow the posterior's shape more closely, and take longer",
      "# Everything else is found by the fit itself; these are the defaults that one may want to change:",
      "# inference:",
      "#   iterations: 10000           # at most",
      "#   seed: 1",
    ]
    if profile.rows > FirstSpecification.manyRows {
      lines.append(
        "#   minibatch: 10000            # gradients from so many rows at a time; scores use all rows")
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// From so many rows on, minibatches are mentioned.
  static let manyRows = 200_000

  private var featureLines: [String] {
    let isPlain = uses.allSatisfy { $0.use == .feature }
    if isPlain { return ["  # features: every other column; columns of texts become 0/1 columns"] }
    var lines: [String] = []
    for (column, use) in uses {
      guard case .leftOut(let reason) = use else { continue }
      lines.append("  # Left out: \(comment(column.name)) (\(reason)).")
    }
    let names = uses.filter { $0.use == .feature }.map { FirstSpecification.quoted($0.column.name) }
    lines.append("  features: [\(names.joined(separator: ", "))]")
    return lines
  }

  /// Priors on the response's scale: a coefficient says what a standard deviation of its feature changes.
  private var priorLines: [String] {
    switch guess.family {
    case .linear, .studentT:
      let deviation = response.standardDeviation
      let reach = abs(response.mean) + 3 * deviation
      var lines = [
        "  # Priors on the response's scale (mean \(number(response.mean)), standard deviation \(number(deviation))).",
        "  prior:",
        "    intercept: {normal: {scale: \(number(reach))}}",
        "    coefficients: {normal: {scale: \(number(2.5 * deviation))}}",
        "  noise: {half_normal: {scale: \(number(deviation))}}",
      ]
      if guess.family == .studentT { lines.append("  degrees: 4") }
      return lines
    case .logistic, .softmax:
      return ["  prior: {normal: {scale: 2.5}}   # of log odds, for a standard deviation of a feature"]
    case .poisson, .negativeBinomial:
      return [
        "  prior:                        # of log rates, for a standard deviation of a feature",
        "    intercept: {normal: {scale: 5}}",
        "    coefficients: {normal: {scale: 1}}",
      ] + (guess.family == .poisson ? [] : ["  overdispersion: {half_normal: {scale: 1}}"])
    }
  }

  private var groupLines: [String] {
    let groups = uses.filter { $0.use == .group }
    guard !groups.isEmpty else { return [] }
    let names = groups.map { FirstSpecification.quoted($0.column.name) }.joined(separator: ", ")
    let scale = guess.family == .linear || guess.family == .studentT ? response.standardDeviation : 1
    return [
      "  # Texts with many values: an intercept for each, with a scale that is learned.",
      "  groups: [\(names)]",
      "  group_scale: {half_normal: {scale: \(number(scale))}}",
    ]
  }

  /// Three significant digits, as YAML reads them.
  private func number(_ value: Double) -> String { String(format: "%.3g", value) }

  /// A text that stays on its comment's line.
  private func comment(_ text: String) -> String {
    String(text.map { $0.isNewline ? " " : $0 })
  }

  /// A YAML scalar: plain where that is safe.
  static func quoted(_ text: String) -> String {
    let isPlain =
      text.first.map { $0.isASCII && $0.isLetter } ?? false
      && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "_-./".contains($0)) }
    let words = ["y", "n", "yes", "no", "true", "false", "on", "off", "null", "nan", "inf"]
    if isPlain, !words.contains(text.lowercased()) { return text }
    return Specification.quoted(text)
  }
}
