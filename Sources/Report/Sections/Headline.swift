import Posteriors

/// The top of a report: what was fitted, whether it is any good, and the numbers to quote.
struct Headline {
  let content: ReportContent

  /// How good the fit is, in a word and a sentence.
  struct Verdict {
    /// Of the style sheet: `good`, `poor` or `open`.
    var kind: String
    var mark: String
    var title: String
    var sentence: String
  }

  var title: String {
    let family = Headline.name(of: content.mixture.family)
    guard let response = content.train?.manifest.response else { return family }
    return "\(family) of \(response)"
  }

  /// A family's name as one says it.
  static func name(of family: String) -> String {
    switch family {
    case "linear", "logistic", "softmax", "poisson":
      family.prefix(1).uppercased() + family.dropFirst() + " regression"
    case "negative_binomial": "Negative binomial regression"
    case "student_t": "Student-t regression"
    case "bnn_regression": "Neural network regression"
    case "bnn_classification": "Neural network classification"
    case "sinh_arcsinh": "Sinh-arcsinh target"
    case "stan": "Stan model"
    default: family.prefix(1).uppercased() + family.dropFirst().replacing("_", with: " ")
    }
  }

  var subtitle: String {
    let mixture = content.mixture
    var parts = [
      NumberText.count(mixture.dimension, "parameter", "parameters"),
      NumberText.count(mixture.components, "mixture component", "mixture components"),
      mixture.factorization == .coordinates
        ? "of each parameter"
        : mixture.covarianceFactors != nil ? "full covariances" : "\(mixture.metric) metric",
    ]
    if let train = content.train { parts.append("\(NumberText.count(train.manifest.rows)) training rows") }
    if let test = content.test { parts.append("\(NumberText.count(test.manifest.rows)) test rows") }
    return parts.joined(separator: " · ")
  }

  var verdict: Verdict {
    let sentence = content.summary?.verdict
    guard let diagnostics = content.diagnostics else {
      return Verdict(
        kind: "open", mark: "?", title: "Not judged",
        sentence: sentence
          ?? "This fit did not judge itself: it was interrupted, or inference.diagnosis.draws is 0. "
          + "`isomix diagnose` does it from the folder.")
    }
    guard diagnostics.isReliable else {
      return Verdict(
        kind: "poor", mark: "!", title: "Do not rely on this fit", sentence: sentence ?? "k̂ is too large.")
    }
    let isClose = (diagnostics.khat ?? 1) < 0.5 && gap.map { $0 < 0.1 } ?? false
    return Verdict(
      kind: "good", mark: "✓", title: isClose ? "Close to its target" : "Usable",
      sentence: sentence ?? "k̂ is below its threshold.")
  }

  private var gap: Double? {
    guard let summary = content.summary, let elbo = summary.elbo,
      let weighted = summary.importanceWeightedElbo
    else { return nil }
    return weighted - elbo
  }

  func markup() -> Markup {
    let verdict = verdict
    var parts: [Markup] = [
      .element("h1", text: title), .element("p", ["class": "subtitle"], text: subtitle),
      .element(
        "div", ["class": "verdict \(verdict.kind)", "role": "status"],
        [
          .element("span", ["class": "mark", "aria-hidden": "true"], text: verdict.mark),
          .element(
            "div", [:],
            [
              .element("p", ["class": "word"], text: verdict.title),
              .element("p", [:], text: verdict.sentence), convergence,
            ]),
        ]), numbers,
    ]
    let warnings = content.summary?.warnings ?? []
    if !warnings.isEmpty {
      parts.append(
        .element(
          "div", ["class": "warnings"],
          [
            .element("h3", text: warnings.count == 1 ? "A warning" : "\(warnings.count) warnings"),
            .element("ul", [:], warnings.map { .element("li", text: $0) }),
          ]))
    }
    for gap in content.gaps { parts.append(Blocks.absent(gap)) }
    return .element("header", [:], parts)
  }

  private var convergence: Markup {
    guard let summary = content.summary else { return .nothing }
    let reason = summary.stoppedBy ?? "an end that was not recorded"
    let text =
      switch summary.converged {
      case .some(true): "Converged: \(reason.replacing("converged: ", with: ""))."
      case .some(false): "Not converged: \(reason)."
      case nil: "Ended by \(reason), without a stopping rule."
      }
    return .element("p", ["class": "quiet"], text: text)
  }

  // MARK: Key numbers

  private var numbers: Markup {
    guard let summary = content.summary else {
      return Blocks.absent("The folder has no summary.json: key numbers are missing.")
    }
    var entries: [(String, String, String)] = []
    let error = summary.elboSe
    entries.append(
      ("ELBO", plusMinus(summary.elbo, error), "nats; at most the log evidence"))
    if let kl = summary.kl {
      entries.append(("KL(q ‖ π)", plusMinus(kl, error), "nats from the target; 0 is perfect"))
    }
    entries.append(
      (
        "k̂", NumberText.fixed(summary.khat, decimals: 2),
        content.diagnostics.map {
          "good below 0.5, usable below \(NumberText.fixed($0.khatThreshold, decimals: 2))"
        } ?? "not judged"
      ))
    if let weighted = summary.importanceWeightedElbo {
      entries.append(
        ("Importance-weighted ELBO", rounded(weighted, error), "nats; nearer the log evidence"))
    }
    if let diagnostics = content.diagnostics, let size = diagnostics.effectiveSampleSize {
      entries.append(
        (
          "Effective draws", NumberText.percent(size / Double(diagnostics.draws)),
          "of \(NumberText.count(diagnostics.draws)), after weighting"
        ))
    }
    if let test = summary.test {
      let rows = NumberText.count(test.rows, "test row", "test rows")
      entries.append(
        (
          "Test log score", NumberText.short(test.logPredictiveDensity),
          "nats a row, \(rows); higher is better"
        ))
      if let accuracy = test.accuracy {
        entries.append(("Test accuracy", NumberText.percent(accuracy), "most probable class is right"))
      }
      if let rmse = test.rmse {
        entries.append(("Test RMSE", NumberText.short(rmse), "in units of the response"))
      }
    }
    if let iterations = summary.iterations {
      entries.append(("Iterations", NumberText.count(iterations), "steps of the mixture"))
    }
    if let seconds = summary.seconds {
      entries.append(("Time", NumberText.duration(seconds), "wall clock, first pass to last"))
    }
    if let workers = summary.workers {
      let lost = summary.lostWorkers ?? 0
      entries.append(
        (
          "Workers", NumberText.count(workers),
          lost == 0 ? "none lost" : "\(NumberText.count(lost)) lost, nothing else was"
        ))
    }
    return .element(
      "dl", ["class": "numbers"],
      entries.map { entry in
        .element(
          "div", [:],
          [
            .element("dt", text: entry.0), .element("dd", ["class": "value"], text: entry.1),
            .element("dd", ["class": "note"], text: entry.2),
          ])
      })
  }

  /// A number with its standard error, to the digits that this leaves.
  private func plusMinus(_ value: Double?, _ error: Double?) -> String {
    guard let error, error.isFinite, error > 0, let value, value.isFinite else {
      return rounded(value, error)
    }
    return "\(rounded(value, error)) ± \(rounded(error, error))"
  }

  /// A number to two digits of a standard error.
  private func rounded(_ value: Double?, _ error: Double?) -> String {
    guard let error, error.isFinite, error > 0 else { return NumberText.short(value, digits: 6) }
    var decimals = 0
    var scaled = error
    while scaled < 2, decimals < 6 {
      scaled *= 10
      decimals += 1
    }
    return NumberText.fixed(value, decimals: decimals)
  }
}
