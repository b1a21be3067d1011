import Foundation
import Specification
import Testing

/// Specs that are well formed, to be changed by the tests.
enum Examples {
  static let mixture = "mixture: {components: 5}"
  static let inference = "inference: {step_size: 0.03}"

  static func analytic(_ model: String) -> String {
    "model: \(model)\n\(mixture)\n\(inference)\n"
  }

  /// A linear regression with other keys beside family and response, and other data.
  static func linear(_ keys: String, data: String = "train: t.csv") -> String {
    "model: {family: linear, response: y\(keys)}\ndata: {\(data)}\n\(mixture)\n\(inference)\n"
  }

  /// A regression of a family with other keys beside family and response.
  static func family(_ family: String, _ keys: String) -> String {
    "model: {family: \(family), response: y\(keys)}\ndata: {train: t.csv}\n\(mixture)\n\(inference)\n"
  }

  static let logistic = """
    model:
      family: logistic
      response: malignant
      features: [radius, texture]
      intercept: false
      prior: {normal: {scale: 3}}
    data:
      train: train.csv
      test: test.csv
      standardize: false
      precision: float32
      missing: drop
    mixture:
      components: 7
      initial: {uniform: {low: -2, high: 3, variance: 0.5}}
    inference:
      algorithm: md
      metric: unit
      samples: 12
      step_size: {schedule: {linear: {from: 0.1, to: 0.001}}}
      iterations: 321
      seed: 18446744073709551615
      objective: {draws: 400, every: 25}
      prediction: {draws: 77}

    """

  /// A spec of every family, with many ways to write things.
  static let all = [
    logistic,
    "model: {family: softmax, response: cultivar}\ndata: {train: [a.csv, b.csv]}\n\(mixture)\n\(inference)\n",
    "model: {family: linear, response: \"y \\\"q\\\" \\\\ \\t ü\", noise: 0.1}\n"
      + "data: {train: {features: x.npy, response: y.npy}, test: /abs/t.csv}\n\(mixture)\n\(inference)\n",
    linear(", noise: {half_normal: {scale: 2.5}}"),
    linear(", noise: {half_normal: {scale: 10}}, features: []"),
    family("poisson", ", groups: [origin, \"a b\"], prior: {laplace: {scale: 2}}"),
    family(
      "negative_binomial",
      ", overdispersion: 0.5, intercept: false, prior: {coefficients: {horseshoe: {scale: 1}}}"),
    family(
      "negative_binomial",
      ", overdispersion: {half_normal: {scale: 2}}, groups: [g], group_scale: {half_normal: {scale: 0.5}}"),
    family(
      "student_t",
      ", noise: 1, degrees: 2.5, prior: {intercept: {student_t: {degrees: 3, scale: 4}}, coefficients: {laplace: {scale: 1}}}"
    ),
    family("logistic", ", groups: [g], prior: {student_t: {degrees: 1, scale: 2.5}}"),
    family("softmax", ", prior: {intercept: {normal: {scale: 3}}}"),
    "model: {family: bnn_regression, response: y, noise: 0.7, hidden: 12, prior: {normal: {scale: 2}}}\n"
      + "data: {train: a.csv}\n\(mixture)\n\(inference)\n",
    analytic("{family: custom, name: ring, settings: {radius: 3, \"a b\": 1e-3}}"),
    "model: {family: custom, name: mine, response: y, features: [a], intercept: false}\ndata: {train: t.csv}\n\(mixture)\n",
    analytic("{family: stan, library: model.so}"),
    analytic("{family: stan, library: /abs/libstanli.so, program: m.stan, data: [a.json, \"b \\\"c.json\"]}"),
    analytic(
      "{family: stan, library: model.so, data: d.json, shard_by: {size: N, slice: [X, y], shards: 7}, "
        + "outputs: {transformed: true, generated: true}}"),
    analytic("{family: gaussian, mean: [1, -2.5e-7], covariance: [[2, 0.3], [0.3, 1]]}"),
    analytic("{family: gaussian, mean: [1, 2, 3], covariance: [1, 2, 3]}"),
    analytic("{family: gaussian, mean: [0.1], covariance: 4}"),
    analytic(
      "{family: gaussian_mixture, weights: [0.25, 0.75], means: [[0, 1], [2, 3]], "
        + "covariances: [[1, 2], [[2, 1], [1, 2]]]}"),
    analytic("{family: gaussian_mixture, means: [[0], [2], [4]], covariances: [1, [2], [[3]]]}"),
    "model: {family: bnn_regression, response: y, noise: {half_normal: {scale: 2}}, hidden: [12, 3], activation: tanh}\n"
      + "data: {train: a.csv}\n\(mixture)\n\(inference)\n",
    "model: {family: bnn_classification, response: y, features: [a, b], hidden: [7]}\n"
      + "data: {train: a.csv}\n\(mixture)\n\(inference)\n",
    analytic("{family: funnel}"), analytic("{family: funnel, variance: 3.3}"),
    analytic("{family: funnel, dimension: 7}"), analytic("{family: banana}"),
    analytic("{family: banana, variance: 2.5, curvature: -0.1, dimension: 3}"),
    analytic(
      "{family: student_t_mixture, weights: [0.25, 0.75], means: [[0, 1], [2, 3]], "
        + "scales: [[1, 2], [[2, 1], [1, 2]]], degrees: [3, 4.5]}"),
    analytic("{family: student_t_mixture, means: [[0], [2]], scales: [1, [2]], degrees: 1}"),
    analytic("{family: sinh_arcsinh, skew: [-0.2, 0.5], tail: [0.8333333333333334, 1]}"),
    analytic("{family: sinh_arcsinh, covariance: [[1, 0.4], [0.4, 1]], skew: [0, 0], tail: [1, 1]}"),
    "model: {family: funnel}\nmixture: {components: 1}\n"
      + "inference: {step_size: {schedule: {inverse_sqrt: {size: 0.1, offset: 50}}}, algorithm: ibw-shared}\n",
    "model: {family: funnel}\nmixture: {components: 1}\n"
      + "inference: {step_size: {schedule: {step_decay: {size: 0.1, factor: 0.5, every: 100}}}, algorithm: gd}\n",
    "model: {family: funnel}\nmixture: {components: 1}\n"
      + "inference: {step_size: {schedule: {constant: {size: 1e-5}}}, algorithm: ngd}\n",
  ]

  static func read(_ yaml: String, folder: String = "/srv/specs", set overrides: [String] = []) throws
    -> FitSpecification
  {
    try FitSpecification(yaml: yaml, source: "fit.yaml", folder: folder, overrides: overrides)
  }
}

/// What is said about a bad spec.
func complaint(
  _ yaml: String, folder: String = "/srv/specs", set overrides: [String] = [],
  sourceLocation: SourceLocation = #_sourceLocation
) -> String {
  do {
    let specification = try FitSpecification(
      yaml: yaml, source: "fit.yaml", folder: folder, overrides: overrides)
    Issue.record("accepted: \(specification)", sourceLocation: sourceLocation)
    return ""
  } catch {
    return error.message
  }
}

/// A folder of its own for a test, removed with it.
final class TemporaryFolder {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "isomix-spec-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func write(_ name: String, _ text: String) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: path + "/" + name))
  }
}
