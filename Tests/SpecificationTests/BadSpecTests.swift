import Foundation
import Specification
import Testing

/// A bad spec and what the complaint about it has to contain.
struct BadSpec: CustomTestStringConvertible, Sendable {
  var yaml: String
  var parts: [String]

  init(_ yaml: String, _ parts: String...) {
    self.yaml = yaml
    self.parts = parts
  }

  /// The logistic example with one line replaced.
  static func line(_ old: String, _ new: String, _ parts: String...) -> BadSpec {
    var spec = BadSpec(Examples.logistic.replacingOccurrences(of: old, with: new))
    spec.parts = parts
    return spec
  }

  static func model(_ model: String, _ parts: String...) -> BadSpec {
    var spec = BadSpec(Examples.analytic(model))
    spec.parts = parts
    return spec
  }

  var testDescription: String { yaml }
}

@Suite("Bad specs are refused in words")
struct BadSpecTests {
  private func check(_ specs: [BadSpec]) {
    for spec in specs {
      let message = complaint(spec.yaml)
      for part in spec.parts { #expect(message.contains(part), "\(message)\n\(spec.yaml)") }
      #expect(message.hasPrefix("fit.yaml"), "\(message)")
    }
  }

  /// A network with other keys beside family and response, and other data.
  private func network(_ keys: String, data: String = "train: t.csv") -> String {
    "model: {family: bnn_regression, response: y\(keys)}\ndata: {\(data)}\n\(Examples.mixture)\n\(Examples.inference)"
  }

  @Test("Stan models")
  func stan() {
    func stan(_ keys: String) -> String { Examples.analytic("{family: stan\(keys)}") }
    check([
      BadSpec(stan(""), "fit.yaml:1:", "'model.library' is missing"),
      BadSpec(stan(", librari: m.so"), "did you mean 'library'?"),
      BadSpec(stan(", library: m.so, data: []"), "model.data lists 0 files"),
      BadSpec(stan(", library: m.so, data: {x: 1}"), "model.data must be a text"),
      BadSpec(stan(", library: m.so, shard_by: {size: N, slice: [y]}"), "give one file as model.data, not 0"),
      BadSpec(
        stan(", library: m.so, data: [a.json, b.json], shard_by: {size: N, slice: [y]}"),
        "give one file as model.data, not 2"),
      BadSpec(
        stan(", library: m.so, data: a.json, shard_by: {slice: [y]}"), "'model.shard_by.size' is missing"),
      BadSpec(
        stan(", library: m.so, data: a.json, shard_by: {size: N, slice: []}"),
        "model.shard_by.slice names no array"),
      BadSpec(
        stan(", library: m.so, data: a.json, shard_by: {size: N, slice: y}"),
        "model.shard_by.slice must be a list"),
      BadSpec(
        stan(", library: m.so, data: a.json, shard_by: {size: N, slice: [y], shards: 0}"),
        "model.shard_by.shards must be at least 1"),
      BadSpec(
        stan(", library: m.so, outputs: {generated: maybe}"), "model.outputs.generated must be true or false"),
      BadSpec(
        stan(", library: m.so") + "data: {train: t.csv}\n",
        "'data' has no place here: a Stan model's data are named by model.data"),
    ])
  }

  @Test("networks")
  func networks() {
    check([
      BadSpec(network(""), "fit.yaml:1:", "'model.noise' is missing"),
      BadSpec(
        network(", noise: 1, intercept: true"), "fit.yaml:1:", "'model.intercept' has no place here",
        "biases of a network are always there"),
      BadSpec(network(", noise: 1, intercept: false"), "'model.intercept' has no place here"),
      BadSpec(network(", noise: 1, hiden: 3"), "did you mean 'hidden'?"),
      BadSpec(network(", noise: 1, hidden: 0"), "model.hidden must be at least 1, not 0"),
      BadSpec(network(", noise: 1, hidden: 10001"), "model.hidden must be at most 10000, not 10001"),
      BadSpec(network(", noise: 1, hidden: 2.5"), "model.hidden must be a whole number"),
      BadSpec(network(", noise: -1"), "model.noise must be greater than 0"),
      BadSpec(
        network(", noise: 1", data: "train: t.csv, precision: float32"), "fit.yaml:2:",
        "data.precision float32 is for logistic and softmax", "family bnn_regression", "use float64"),
      BadSpec(network(", noise: 1, hidden: []"), "model.hidden must list 1 to 32 layers, not 0"),
      BadSpec(network(", noise: 1, hidden: [3, 0]"), "model.hidden[2] must be at least 1, not 0"),
      BadSpec(network(", noise: 1, hidden: {a: 1}"), "model.hidden must be a whole number"),
      BadSpec(
        network(", noise: 1, hidden: [10000, 10000]"), "100000000 weights between its layers",
        "at most 10000000"),
      BadSpec(
        network(", noise: 1, activation: sigmoid"), "'sigmoid' is not a valid model.activation",
        "Valid: relu, tanh"),
      BadSpec(network(", noise: 1, features: []"), "lists no column, and a network needs at least one"),
      BadSpec(network(", noise: {half_normal: {scale: 0}}"), "half_normal.scale must be greater than 0"),
      BadSpec(
        network(", noise: 1").replacingOccurrences(of: "bnn_regression", with: "bnn_classification"),
        "unknown key 'noise' in model"),
      BadSpec(
        network(", activation: tanh").replacingOccurrences(of: "bnn_regression", with: "bnn_clasification"),
        "did you mean 'bnn_classification'?"),
      .line("family: logistic", "family: logistic\n  hidden: 5", "unknown key 'hidden'"),
    ])
  }

  @Test("priors, groups and what single families need")
  func families() {
    let poisson = { (keys: String) in Examples.family("poisson", keys) }
    check([
      BadSpec(poisson(", noise: 1"), "fit.yaml:1:", "unknown key 'noise'", "groups, group_scale"),
      BadSpec(Examples.family("student_t", ""), "'model.noise' is missing"),
      BadSpec(Examples.family("student_t", ", noise: 1, degrees: 0"), "model.degrees must be greater than 0"),
      BadSpec(Examples.family("negative_binomial", ""), "'model.overdispersion' is missing"),
      BadSpec(
        Examples.family("negative_binomial", ", overdispersion: -1"),
        "model.overdispersion must be greater than 0"),
      BadSpec(Examples.linear(", noise: 1, degrees: 3"), "unknown key 'degrees'"),
      BadSpec(poisson(", prior: {norml: {scale: 1}}"), "did you mean 'normal'?", "intercept, coefficients"),
      BadSpec(poisson(", prior: {normal: {scale: 1}, laplace: {scale: 1}}"), "must name one law"),
      BadSpec(poisson(", prior: {student_t: {scale: 1}}"), "'model.prior.student_t.degrees' is missing"),
      BadSpec(poisson(", prior: {horseshoe: {scale: 1}}"), "model.prior: the horseshoe is for coefficients"),
      BadSpec(
        poisson(", prior: {intercept: {horseshoe: {scale: 1}}}"),
        "unknown key 'horseshoe' in model.prior.intercept"
      ),
      BadSpec(
        poisson(", prior: {normal: {scale: 1}, coefficients: {laplace: {scale: 1}}}"),
        "'model.prior.normal' has no place beside priors of blocks"),
      BadSpec(
        poisson(", intercept: false, prior: {intercept: {normal: {scale: 1}}}"),
        "'model.prior.intercept' has no place here: model.intercept is false"),
      BadSpec(poisson(", prior: {coefficients: {}}"), "'model.prior.coefficients.normal' is missing"),
      BadSpec(poisson(", groups: []"), "model.groups lists no column"),
      BadSpec(poisson(", groups: [g, g]"), "model.groups names a column twice"),
      BadSpec(poisson(", groups: [y]"), "model.groups contains the response 'y'"),
      BadSpec(poisson(", groups: [g], features: [a, g]"), "'g' is in model.groups and in model.features"),
      BadSpec(poisson(", group_scale: {half_normal: {scale: 1}}"), "has no place without model.groups"),
      BadSpec(poisson(", groups: [g], group_scale: 1"), "model.group_scale must be a mapping"),
      BadSpec(Examples.family("softmax", ", groups: [g]"), "'model.groups' has no place here"),
      BadSpec(network(", noise: 1, groups: [g]"), "unknown key 'groups'"),
      BadSpec(network(", noise: 1, prior: {laplace: {scale: 1}}"), "unknown key 'laplace' in model.prior"),
    ])
  }

  @Test("noise scales")
  func noise() {
    let linear = { (noise: String) in Examples.linear(", noise: \(noise)") }
    check([
      BadSpec(linear("0"), "model.noise must be greater than 0"),
      BadSpec(linear("[1]"), "model.noise must be a number, not a list"),
      BadSpec(linear("half_normal"), "model.noise must be a number, not 'half_normal'"),
      BadSpec(linear("{}"), "'model.noise.half_normal' is missing"),
      BadSpec(linear("{half_normal: 3}"), "model.noise.half_normal must be a mapping"),
      BadSpec(linear("{half_normal: {}}"), "'model.noise.half_normal.scale' is missing"),
      BadSpec(
        linear("{half_normal: {scale: -1}}"), "fit.yaml:1:",
        "model.noise.half_normal.scale must be greater than 0"),
      BadSpec(linear("{half_normal: {scale: .inf}}"), "model.noise.half_normal.scale must be finite"),
      BadSpec(linear("{half_normal: {sd: 1}}"), "unknown key 'sd' in model.noise.half_normal"),
      BadSpec(
        linear("{halfnormal: {scale: 1}}"), "unknown key 'halfnormal'", "did you mean 'half_normal'?"),
      BadSpec(
        Examples.linear(", noise: {half_normal: {scale: 1}}", data: "train: t.csv, precision: float32"),
        "data.precision float32 is for logistic and softmax", "family linear"),
    ])
  }

  @Test("files that are no spec at all")
  func files() {
    check([
      BadSpec("", "empty"), BadSpec("\n\n# only a comment\n", "empty"),
      BadSpec("model: [", "fit.yaml:"), BadSpec("a: b: c", "fit.yaml:"), BadSpec("\t- x", "fit.yaml:"),
      BadSpec("hello", "the spec must be a mapping"), BadSpec("- 1\n- 2", "the spec must be a mapping"),
      BadSpec("model: *nowhere", "fit.yaml:"),
      BadSpec("model: {family: funnel}\n? [1, 2]\n: x\n", "a key of the spec is not a text"),
      BadSpec(String(repeating: "[", count: 100_000), "fit.yaml:"),
      BadSpec("{}", "'model' is missing"), BadSpec("model: ~", "'model' is missing"),
      BadSpec("\u{0}\u{1}", "fit.yaml:"),
    ])
  }

  @Test("unknown keys name line, column, key and the nearest valid key")
  func unknownKeys() {
    check([
      .line(
        "  seed:", "  sead:", "fit.yaml:22:3:", "'sead'", "in inference", "did you mean 'seed'?",
        "Valid keys:"),
      .line("mixture:", "mixtures:", "fit.yaml:13:1:", "'mixtures'", "did you mean 'mixture'?"),
      .line("  test: test.csv", "  tset: test.csv", "fit.yaml:9:3:", "in data", "did you mean 'test'?"),
      .line(
        "  missing: drop", "  frobnicate: 1", "unknown key 'frobnicate' in data. Valid keys: train, test"),
      .line("{low: -2", "{lwo: -2", "in mixture.initial.uniform", "did you mean 'low'?"),
      .line("{draws: 400", "{draw: 400", "in inference.objective", "did you mean 'draws'?"),
      .line("{scale: 3}", "{sd: 3}", "in model.prior.normal"),
      .line("{normal:", "{gaussian:", "in model.prior", "Valid keys: normal"),
      .line("{from: 0.1", "{form: 0.1", "in inference.step_size.schedule.linear", "did you mean 'from'?"),
      .model("{family: funnel, varience: 1}", "did you mean 'variance'?", "fit.yaml:1:"),
      .model("{family: gaussian, mu: [0], covariance: 1}", "unknown key 'mu'"),
      .line("family: logistic", "family: logistic\n  noise: 1", "unknown key 'noise'"),
    ])
  }

  @Test("duplicate keys")
  func duplicates() {
    check([
      BadSpec(Examples.logistic + "mixture: {components: 1}\n", "mixture"),
      .line("  seed:", "  samples: 3\n  seed:", "samples"),
    ])
  }

  @Test("missing keys are named with their path")
  func missing() {
    check([
      BadSpec("model: {family: funnel}\n\(Examples.inference)", "'mixture' is missing"),
      BadSpec("\(Examples.mixture)\n\(Examples.inference)", "'model' is missing"),
      .model("{}", "'model.family' is missing", "logistic"),
      .model("{family: ~}", "model.family must be a text"),
      .line("  response: malignant\n", "", "'model.response' is missing"),
      .line("  train: train.csv\n", "", "'data.train' is missing"),
      .line("  components: 7\n", "", "'mixture.components' is missing"),
      .line("linear: {from: 0.1, to: 0.001}", "linear: {from: 0.1}", "linear.to' is missing"),
      .line(
        "linear: {from: 0.1, to: 0.001}", "step_decay: {size: 1, factor: 0.5}", "step_decay.every' is missing"
      ),
      .line("linear: {from: 0.1, to: 0.001}", "constant: {}", "constant.size' is missing"),
      .line("train: train.csv", "train: {features: x.npy}", "'data.train.response' is missing"),
      .line("{normal: {scale: 3}}", "{normal: {}}", "'model.prior.normal.scale' is missing"),
      .line("{normal: {scale: 3}}", "{}", "'model.prior.normal' is missing"),
      .model("{family: gaussian, covariance: 1}", "'model.mean' is missing"),
      .model("{family: gaussian, mean: [0]}", "'model.covariance' is missing"),
      .model("{family: gaussian_mixture, covariances: [1]}", "'model.means' is missing"),
      .model("{family: gaussian_mixture, means: [[1]]}", "'model.covariances' is missing"),
      .model("{family: sinh_arcsinh, tail: [1]}", "'model.skew' is missing"),
      .model("{family: sinh_arcsinh, skew: [1]}", "'model.tail' is missing"),
      BadSpec(
        "model: {family: linear, response: y}\ndata: {train: t.csv}\n\(Examples.mixture)\n\(Examples.inference)",
        "'model.noise' is missing"),
    ])
  }

  @Test("values of another type")
  func types() {
    check([
      .line("components: 7", "components: seven", "mixture.components must be a whole number, not 'seven'"),
      .line("components: 7", "components: 2.5", "whole number", "'2.5'"),
      .line("components: 7", "components: [7]", "whole number", "a list"),
      .line("components: 7", "components: {n: 7}", "whole number", "a mapping"),
      .line(
        "seed: 18446744073709551615", "seed: -1", "inference.seed", "from 0 to 18446744073709551615", "'-1'"),
      .line("seed: 18446744073709551615", "seed: 18446744073709551616", "inference.seed"),
      .line("seed: 18446744073709551615", "seed: one", "'one'"),
      .line(
        "standardize: false", "standardize: maybe", "data.standardize must be true or false, scale or auto"),
      .line("standardize: false", "standardize: [scale]", "data.standardize must be true or false"),
      .line("missing: drop", "storage: csr", "'csr' is not a valid data.storage", "auto, sparse, dense"),
      .line("missing: drop", "storage: [sparse]", "data.storage must be a text"),
      BadSpec(
        "model: {family: logistic, response: y}\ndata: {train: t.svm, storage: sparse, standardize: true}\n"
          + "\(Examples.mixture)\n\(Examples.inference)", "data.standardize: true centres columns",
        "write scale"),
      BadSpec(
        "model: {family: logistic, response: y, groups: [g]}\ndata: {train: t.svm, storage: sparse}\n"
          + "\(Examples.mixture)\n\(Examples.inference)", "data.storage: sparse: model.groups needs rows"),
      BadSpec(
        "model: {family: custom, name: ring, response: y}\ndata: {train: t.svm, storage: sparse}\n"
          + "\(Examples.mixture)\n\(Examples.inference)", "data.storage: sparse: a target of family custom"),
      .line("intercept: false", "intercept: 0", "model.intercept must be true or false"),
      .line("low: -2", "low: left", "mixture.initial.uniform.low must be a number, not 'left'"),
      .line("features: [radius, texture]", "features: radius", "model.features must be a list, not 'radius'"),
      .line("features: [radius, texture]", "features: [[radius]]", "model.features[1] must be a text"),
      .line("response: malignant", "response: [y]", "model.response must be a text"),
      .line("train: train.csv", "train: [[a.csv]]", "data.train[1] must be a text"),
      .line(
        "  initial: {uniform: {low: -2, high: 3, variance: 0.5}}", "  initial: 5",
        "'5' is not a valid mixture.initial"),
      .line("objective: {draws: 400, every: 25}", "objective: 400", "inference.objective must be a mapping"),
      BadSpec("model: funnel\n\(Examples.mixture)\n\(Examples.inference)", "model.family"),
      BadSpec("model: {family: funnel}\nmixture: 5\n\(Examples.inference)", "mixture must be a mapping"),
      .model("{family: gaussian, mean: 0, covariance: 1}", "model.mean must be a list"),
      .model("{family: gaussian, mean: [0, x], covariance: 1}", "model.mean[2] must be a number, not 'x'"),
      .model(
        "{family: gaussian_mixture, means: [0, 1], covariances: [1, 1]}", "model.means[1] must be a list"),
    ])
  }

  @Test("numbers out of range, not a number, or infinite")
  func ranges() {
    check([
      .line("components: 7", "components: 0", "mixture.components must be at least 1, not 0"),
      .line("components: 7", "components: -3", "at least 1, not -3"),
      .line("components: 7", "components: 1000001", "at most 1000000"),
      .line("samples: 12", "samples: 0", "inference.samples must be at least 1"),
      .line("samples: 12", "samples: 1000001", "at most 1000000"),
      .line("iterations: 321", "iterations: 0", "inference.iterations must be at least 1"),
      .line("iterations: 321", "iterations: 2000000001", "at most"),
      .line("draws: 400", "draws: 1", "inference.objective.draws must be at least 2"),
      .line("every: 25", "every: 0", "inference.objective.every must be at least 1"),
      .line(
        "prediction: {draws: 77}", "prediction: {draws: 0}", "inference.prediction.draws must be at least 1"),
      .line("prediction: {draws: 77}", "prediction: {draws: 100001}", "at most 100000"),
      .line("variance: 0.5", "variance: 0", "mixture.initial.uniform.variance must be greater than 0"),
      .line("variance: 0.5", "variance: .nan", "mixture.initial.uniform.variance must be finite"),
      .line("low: -2", "low: -.inf", "must be finite, not '-.inf'"),
      .line("low: -2", "low: nan", "must be finite"),
      .line("low: -2", "low: 1e999", "must be finite"),
      .line("low: -2", "low: 4", "low (4.0) must not be above high (3.0)"),
      .line("low: -2, high: 3", "low: -1e308, high: 1e308", "too far apart"),
      .line("scale: 3", "scale: -1", "model.prior.normal.scale must be greater than 0"),
      .line("from: 0.1", "from: 0", "linear.from must be greater than 0"),
      .line(
        "linear: {from: 0.1, to: 0.001}", "step_decay: {size: 1, factor: 1.5, every: 3}",
        "factor must be at most 1"),
      .line(
        "linear: {from: 0.1, to: 0.001}", "step_decay: {size: 1, factor: 0.5, every: 0}",
        "every must be at least 1"),
      .line(
        "linear: {from: 0.1, to: 0.001}", "inverse_sqrt: {size: 1, offset: 0}",
        "offset must be greater than 0"),
      .model("{family: funnel, variance: 0}", "model.variance must be greater than 0"),
      .model("{family: funnel, dimension: 1}", "model.dimension must be at least 2, not 1"),
      .model("{family: banana, dimension: 10001}", "model.dimension must be at most 10000"),
      .model("{family: banana, curvature: .nan}", "model.curvature must be finite"),
      .model("{family: banana, bend: 1}", "unknown key 'bend'", "variance, curvature, dimension"),
      .model("{family: student_t_mixture, means: [[0]], scales: [1]}", "'model.degrees' is missing"),
      .model("{family: student_t_mixture, means: [[0]], degrees: 3}", "'model.scales' is missing"),
      .model(
        "{family: student_t_mixture, means: [[0]], scales: [1], degrees: [3, 4]}",
        "model.degrees has 2 numbers for 1 means"),
      .model(
        "{family: student_t_mixture, means: [[0]], scales: [1], degrees: [-3]}",
        "model.degrees[1] must be greater than 0"),
      .model(
        "{family: student_t_mixture, means: [[0]], scales: [1, 2], degrees: 3}",
        "model.scales has 2 entries for 1 means"),
      .model(
        "{family: student_t_mixture, means: [[0]], covariances: [1], degrees: 3}",
        "unknown key 'covariances'"),
      .model("{family: gaussian, mean: [.nan], covariance: 1}", "model.mean[1] must be finite"),
      BadSpec(
        "model: {family: linear, response: y, noise: 0}\ndata: {train: t.csv}\n\(Examples.mixture)\n\(Examples.inference)",
        "model.noise must be greater than 0"),
    ])
  }

  @Test("step sizes")
  func stepSizes() {
    let old = "{schedule: {linear: {from: 0.1, to: 0.001}}}"
    check([
      .line(old, "automatic", "must be a number, not 'automatic'"),
      .line(old, "0", "inference.step_size must be greater than 0, not '0'"),
      .line(old, "-0.1", "greater than 0"), .line(old, "fast", "must be a number, not 'fast'"),
      .line(old, "[0.1]", "must be a number, not a list"),
      .line(old, "{linear: {}}", "unknown key 'linear'", "Valid keys: schedule"),
      .line(old, "{schedule: {linear: {from: 1, to: 1}, constant: {size: 1}}}", "must name one schedule"),
      .line(old, "{schedule: {}}", "must name one schedule"),
      .line(old, "{schedule: {cosine: {}}}", "unknown key 'cosine'"),
      .line(old, "{schedule: fast}", "inference.step_size.schedule must be a mapping"),
    ])
  }

  @Test("words that are none of the valid ones, with a hint")
  func words() {
    check([
      .line(
        "family: logistic", "family: logistc", "'logistc' is not a valid model.family",
        "did you mean 'logistic'?", "softmax"),
      .line(
        "family: logistic", "family: transformer", "'transformer' is not a valid model.family.",
        "Valid: logistic"),
      .line(
        "algorithm: md", "algorithm: ibv", "'ibv' is not a valid inference.algorithm", "did you mean 'ibw'?",
        "ngd"),
      .line("precision: float32", "precision: float16", "'float16' is not a valid data.precision", "float64"),
      .line("missing: drop", "missing: ignore", "'ignore' is not a valid data.missing", "error, drop"),
      .line(
        "missing: drop", "transport: streams", "'streams' is not a valid data.transport",
        "did you mean 'stream'"),
      .line("missing: drop", "cache: /tmp", "data.cache must be a mapping"),
      .line("missing: drop", "cache: {size: 20G}", "unknown key 'size' in data.cache", "folder, limit"),
      .line("missing: drop", "cache: {limit: lots}", "data.cache.limit: 'lots' is no size", "20G"),
      .line("missing: drop", "cache: {limit: -1}", "'-1' is no size"),
      .line("missing: drop", "cache: {folder: [a]}", "data.cache.folder must be a text"),
      .line("metric: unit", "metric: uint", "did you mean 'unit'?", "unit, diagonal, dense"),
      .line("metric: unit", "sampling: antithetical", "did you mean 'antithetic'?"),
      .line("metric: unit", "stop: convergence", "did you mean 'converged'?", "converged, iterations"),
      .line("metric: unit", "warmup: -1", "inference.warmup must be"),
      .line("metric: unit", "relocation: 2", "inference.relocation must be"),
      .line("metric: unit", "diagnosis: {draws: -1}", "inference.diagnosis.draws must be"),
    ])
  }

  @Test("what full covariances don't go with")
  func fullCovariances() {
    func spec(_ settings: String, initial: String = "auto") -> String {
      "model: {family: funnel}\nmixture: {components: 5, initial: \(initial)}\n"
        + "inference:\n  algorithm: bw\n  \(settings)\n"
    }
    check([
      BadSpec(spec("metric: dense"), "fit.yaml:5:", "inference.metric must be unit for algorithm bw"),
      BadSpec(spec("relocation: true"), "fit.yaml:5:", "inference.relocation is not for algorithm bw"),
      BadSpec(spec("warmup: 100"), "fit.yaml:5:", "inference.warmup must be 0 for algorithm bw"),
      BadSpec(spec("stop: converged"), "fit.yaml:5:", "inference.stop: converged is not for algorithm bw"),
      BadSpec(
        spec("samples: 3", initial: "{file: earlier}"), "fit.yaml:2:",
        "mixture.initial: {file: …} is not for algorithm bw"),
      .line("algorithm: md", "algorithm: wb", "'wb' is not a valid inference.algorithm", "md-shared, bw"),
    ])
  }

  @Test("what coordinates with mixtures of their own don't go with")
  func coordinates() {
    func spec(_ settings: String, initial: String = "auto", factorization: String = "coordinates") -> String {
      "model: {family: funnel, factorization: \(factorization)}\nmixture: {components: 5, initial: \(initial)}\n"
        + "inference:\n  samples: 7\n  \(settings)\n"
    }
    check([
      BadSpec(spec("metric: dense"), "fit.yaml:5:", "inference.metric must be unit with"),
      BadSpec(spec("relocation: true"), "fit.yaml:5:", "inference.relocation is not for"),
      BadSpec(spec("sampling: sobol"), "fit.yaml:5:", "inference.sampling: sobol is not for"),
      BadSpec(spec("algorithm: bw"), "fit.yaml:5:", "inference.algorithm: bw is not for"),
      BadSpec(spec("algorithm: ibw-shared"), "fit.yaml:5:", "inference.algorithm: ibw-shared is not for"),
      BadSpec(spec("algorithm: md-shared"), "fit.yaml:5:", "use ibw, md, ngd, ngd-plain or gd"),
      BadSpec(spec("seed: 3", initial: "data"), "fit.yaml:2:", "mixture.initial: data is not for"),
      BadSpec(
        spec("seed: 3", initial: "{file: earlier}"), "fit.yaml:2:", "mixture.initial: {file: …} is not for"),
      BadSpec(
        spec("seed: 3", factorization: "coordinate"), "fit.yaml:1:",
        "'coordinate' is not a valid model.factorization; did you mean 'coordinates'?", "full, coordinates"),
      BadSpec(
        "model: {family: funnel, factorisation: full}\nmixture: {components: 5}\n", "fit.yaml:1:",
        "unknown key 'factorisation' in model; did you mean 'factorization'?"),
    ])
  }

  @Test("columns that make no sense")
  func columns() {
    check([
      .line(
        "features: [radius, texture]", "features: []", "fit.yaml:4:", "model.features lists no column",
        "set intercept: true"),
      BadSpec(
        network(", noise: 1, features: []"), "model.features lists no column", "a network needs at least one"),
      .line("features: [radius, texture]", "features: [a, b, a]", "names a column twice"),
      .line(
        "features: [radius, texture]", "features: [radius, malignant]", "contains the response 'malignant'"),
      .line("train: train.csv", "train: []", "data.train lists no file"),
    ])
  }

  @Test("data where there must be none, and none where there must be")
  func data() {
    check([
      BadSpec(
        Examples.analytic("{family: funnel}") + "data: {train: t.csv}\n", "'data' has no place here",
        "funnel needs no data"),
      BadSpec(
        "model: {family: softmax, response: y}\n\(Examples.mixture)\n\(Examples.inference)",
        "'data' is missing"),
    ])
  }

  @Test("matrices and lists of the wrong shape")
  func shapes() {
    check([
      .model("{family: gaussian, mean: [], covariance: 1}", "model.mean makes dimension 0"),
      .model("{family: gaussian, mean: [0, 0], covariance: [[1, 0.5], [0.4, 1]]}", "not symmetric", "[2][1]"),
      .model(
        "{family: gaussian, mean: [0, 0], covariance: [[1, 0], [0]]}",
        "model.covariance[2] has 1 numbers for dimension 2"),
      .model(
        "{family: gaussian, mean: [0, 0], covariance: [[1, 0]]}",
        "model.covariance has 1 rows for dimension 2"),
      .model("{family: gaussian, mean: [0, 0], covariance: [1, 2, 3]}", "3 rows for dimension 2"),
      .model(
        "{family: gaussian, mean: [0, 0], covariance: [1, -2]}", "model.covariance[2] must be greater than 0"),
      .model(
        "{family: gaussian, mean: [0, 0], covariance: [1, [0, 1]]}", "model.covariance[1] must be a list"),
      .model("{family: gaussian_mixture, means: [], covariances: []}", "model.means is empty"),
      .model("{family: gaussian_mixture, means: [[]], covariances: [1]}", "dimension 0"),
      .model(
        "{family: gaussian_mixture, means: [[1, 2], [3]], covariances: [1, 1]}",
        "model.means[2] has 1 numbers, model.means[1] has 2"),
      .model("{family: gaussian_mixture, means: [[1], [2]], covariances: [1]}", "1 entries for 2 means"),
      .model(
        "{family: gaussian_mixture, weights: [1], means: [[1], [2]], covariances: [1, 1]}",
        "model.weights must be 2 positive numbers"),
      .model(
        "{family: gaussian_mixture, weights: [0, 1], means: [[1], [2]], covariances: [1, 1]}", "positive"),
      .model(
        "{family: gaussian_mixture, weights: [0.5, 0.6], means: [[1], [2]], covariances: [1, 1]}",
        "must add up to 1, not 1.1"),
      .model("{family: sinh_arcsinh, skew: [0, 0], tail: [1]}", "model.tail must be 2 positive numbers"),
      .model("{family: sinh_arcsinh, skew: [0], tail: [0]}", "model.tail must be 1 positive numbers"),
      .model(
        "{family: sinh_arcsinh, skew: [0], tail: [1], covariance: [[1, 0], [0, 1]]}", "2 rows for dimension 1"
      ),
    ])
  }

  @Test("bad options are named as options, not as places in the file")
  func overrides() {
    let cases: [(String, [String])] = [
      ("mixture.components", ["--set mixture.components: write key=value"]),
      ("=5", ["--set =5: write key=value"]), ("", ["write key=value"]),
      ("mixture..components=5", ["the key has an empty part"]), (".a=1", ["empty part"]),
      ("mixture.components=[", ["--set mixture.components=[: the value is not YAML"]),
      ("mixture.components=0", ["--set mixture.components=0: mixture.components must be at least 1"]),
      (
        "mixture.componets=5",
        ["--set mixture.componets=5: unknown key 'componets'", "did you mean 'components'?"]
      ),
      ("nowhere.a=5", ["unknown key 'nowhere'"]),
      ("mixture=5", ["--set mixture=5: mixture must be a mapping"]),
      (
        "mixture={components: x}",
        ["--set mixture={components: x}: mixture.components must be a whole number"]
      ),
      ("model.features=[a, a]", ["--set model.features=[a, a]: ", "twice"]),
      ("mixture.components=", ["'mixture.components' is missing"]),
      (
        "mixture.initial=priors",
        ["--set mixture.initial=priors: 'priors' is not a valid mixture.initial", "'prior'"]
      ),
      ("mixture.initial={uniform: {}, file: a}", ["mixture.initial must be auto, prior, data"]),
    ]
    for (option, parts) in cases {
      let message = complaint(Examples.logistic, set: [option])
      for part in parts { #expect(message.contains(part), "\(message)") }
    }
    // The last option for a value is the one that is meant.
    let message = complaint(Examples.logistic, set: ["mixture.components=2", "mixture.components=-1"])
    #expect(message.hasPrefix("--set mixture.components=-1: "))
  }
}
