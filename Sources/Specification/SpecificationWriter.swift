import Mixtures

extension FitSpecification {
  /// The spec as YAML with every default written out; reading it gives the same spec.
  public var resolvedYAML: String { yaml(withPlaces: true) }

  /// The spec without what says where data are kept and how they get to workers: what a fit's numbers depend on.
  public var essentialYAML: String { yaml(withPlaces: false) }

  private func yaml(withPlaces: Bool) -> String {
    var lines = ["# The spec of this fit as resolved, with every default."]
    lines.append("model:")
    lines += model.lines + ["  factorization: \(factorization.rawValue)"]
    if let data { lines += data.lines + (withPlaces ? data.placeLines : []) }
    lines += [
      "mixture:",
      "  components: \(mixture.components)",
      "  initial: \(mixture.initial.yaml)",
      "inference:",
      "  algorithm: \(inference.algorithmName)",
    ]
    if let metric = inference.metric { lines.append("  metric: \(metric.rawValue)") }
    lines += [
      "  samples: \(inference.samples)",
      "  sampling: \(inference.sampling.rawValue)",
      "  step_size: \(inference.stepSize.yaml)",
      "  iterations: \(inference.iterations)",
    ]
    if let warmUp = inference.warmUp { lines.append("  warmup: \(warmUp)") }
    lines += [
      "  relocation: \(inference.relocation)",
      "  stop: \(inference.stop.rawValue)",
      "  seed: \(inference.seed)",
    ]
    if let minibatch = inference.minibatch { lines.append("  minibatch: \(minibatch.yaml)") }
    let every = inference.objectiveInterval.map { ", every: \($0)" } ?? ""
    lines.append("  objective: {draws: \(inference.objectiveDraws)\(every)}")
    lines.append("  prediction: {draws: \(inference.predictionDraws)}")
    lines.append("  diagnosis: {draws: \(inference.diagnosisDraws)}")
    return lines.joined(separator: "\n") + "\n"
  }
}

extension ModelSpecification {
  fileprivate var lines: [String] {
    let head = "  family: \(family)"
    switch self {
    case .regression(let regression):
      return [head] + regression.lines
    case .network(let network): return [head] + network.lines(quoted: quoted)
    case .gaussian(let mean, let covariance):
      return [head, "  mean: \(list(mean))", "  covariance: \(compact(covariance))"]
    case .gaussianMixture(let weights, let means, let covariances):
      return [
        head, "  weights: \(list(weights))", "  means: \(matrix(means))",
        "  covariances: [\(covariances.map(compact).joined(separator: ", "))]",
      ]
    case .studentMixture(let weights, let means, let scales, let degrees):
      return [
        head, "  weights: \(list(weights))", "  means: \(matrix(means))",
        "  scales: [\(scales.map(compact).joined(separator: ", "))]", "  degrees: \(list(degrees))",
      ]
    case .stan(let stan): return [head] + stan.lines
    case .custom(let custom): return [head] + custom.lines
    case .funnel(let variance, let dimension):
      return [head, "  variance: \(variance)", "  dimension: \(dimension)"]
    case .banana(let variance, let curvature, let dimension):
      return [
        head, "  variance: \(variance)", "  curvature: \(curvature)", "  dimension: \(dimension)",
      ]
    case .sinhArcsinh(let covariance, let skew, let tail):
      return [
        head, "  covariance: \(compact(covariance))", "  skew: \(list(skew))", "  tail: \(list(tail))",
      ]
    }
  }
}

extension RegressionSpecification {
  fileprivate var lines: [String] {
    var lines = ["  response: \(quoted(response))"]
    if let features { lines.append("  features: [\(features.map(quoted).joined(separator: ", "))]") }
    lines.append("  intercept: \(intercept)")
    lines.append("  prior: \(priors.yaml(hasIntercept: intercept))")
    if family.hasNoise { lines.append("  noise: \(noise.yaml)") }
    if family == .studentT { lines.append("  degrees: \(degrees)") }
    if family == .negativeBinomial { lines.append("  overdispersion: \(overdispersion.yaml)") }
    if !groups.isEmpty {
      lines.append("  groups: [\(groups.map(quoted).joined(separator: ", "))]")
      lines.append("  group_scale: \(SpecificationNode.halfNormal(groupScale))")
      let effects = zip(groups, groupEffects).map { "\(quoted($0)): \($1.rawValue)" }
      lines.append(
        "  group_effects: \(effects.isEmpty ? "auto" : "{\(effects.joined(separator: ", "))}")")
    }
    return lines
  }
}

extension DataSpecification {
  fileprivate var lines: [String] {
    var lines = ["data:", "  train: \(train.yaml)"]
    if let test { lines.append("  test: \(test.yaml)") }
    return lines + [
      "  standardize: \(standardization)", "  storage: \(storage?.rawValue ?? "auto")",
      "  precision: \(precision.rawValue)", "  missing: \(missing.rawValue)",
    ]
  }

  /// How workers come by the data, which changes no number of the fit.
  fileprivate var placeLines: [String] {
    let parts = [
      (cache?.folder).map { "folder: \(quoted($0))" }, (cache?.limit).map { "limit: \($0.bytes)" },
    ].compactMap { $0 }
    return ["  transport: \(transport.rawValue)"]
      + (parts.isEmpty ? [] : ["  cache: {\(parts.joined(separator: ", "))}"])
  }

  private var standardization: String {
    guard standardize else { return "false" }
    return centring.map { $0 ? "true" : "scale" } ?? "auto"
  }
}

extension DataSpecification.Source {
  fileprivate var yaml: String {
    if let responseFile, let features = paths.first {
      return "{features: \(quoted(features)), response: \(quoted(responseFile))}"
    }
    return paths.count == 1 ? quoted(paths[0]) : "[\(paths.map(quoted).joined(separator: ", "))]"
  }
}

extension InitialSpecification {
  fileprivate var yaml: String {
    switch self {
    case .auto: "auto"
    case .uniform(let low, let high, let variance):
      "{uniform: {low: \(low), high: \(high), variance: \(variance)}}"
    case .prior: "prior"
    case .data: "data"
    case .file(let path): "{file: \(quoted(path))}"
    }
  }
}

extension StepSizeSpecification {
  fileprivate var yaml: String {
    switch self {
    case .auto: "auto"
    case .schedule(let schedule): schedule.yaml
    }
  }
}

extension StepSchedule {
  fileprivate var yaml: String {
    switch self {
    case .constant(let size): "\(size)"
    case .inverseSqrt(let size, let offset):
      "{schedule: {inverse_sqrt: {size: \(size), offset: \(offset)}}}"
    case .linear(let from, let to): "{schedule: {linear: {from: \(from), to: \(to)}}}"
    case .stepDecay(let size, let factor, let every):
      "{schedule: {step_decay: {size: \(size), factor: \(factor), every: \(every)}}}"
    }
  }
}

private func list(_ values: [Double]) -> String { "[\(values.map { "\($0)" }.joined(separator: ", "))]" }

/// A covariance as short as it can be written: a variance, a diagonal, or a matrix.
private func compact(_ rows: [[Double]]) -> String {
  for (i, row) in rows.enumerated() {
    for (j, value) in row.enumerated() where i != j && value != 0 { return matrix(rows) }
  }
  let diagonal = rows.indices.map { rows[$0][$0] }
  guard diagonal.allSatisfy({ $0 > 0 }) else { return matrix(rows) }
  return Set(diagonal).count == 1 ? "\(diagonal[0])" : list(diagonal)
}

private func matrix(_ rows: [[Double]]) -> String { "[\(rows.map(list).joined(separator: ", "))]" }

/// A YAML double-quoted text.
package func quoted(_ text: String) -> String {
  var result = "\""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "\"": result += "\\\""
    case "\\": result += "\\\\"
    case "\n": result += "\\n"
    case "\r": result += "\\r"
    case "\t": result += "\\t"
    default:
      if isPlain(scalar) {
        result.unicodeScalars.append(scalar)
      } else {
        let hexadecimal = String(scalar.value, radix: 16)
        result += "\\U" + String(repeating: "0", count: 8 - hexadecimal.count) + hexadecimal
      }
    }
  }
  return result + "\""
}

/// Whether YAML reads a character back as it is: it refuses most control characters and takes others for line ends.
private func isPlain(_ scalar: Unicode.Scalar) -> Bool {
  switch scalar.value {
  case 0x20...0x7E, 0xA0...0x2027, 0x202A...0xD7FF, 0xE000...0xFEFE, 0xFF00...0xFFFD, 0x10000...0x10FFFF: true
  default: false
  }
}
