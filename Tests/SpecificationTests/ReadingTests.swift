import Foundation
import Mixtures
import NumericsKit
import Posteriors
import Specification
import Testing

@Suite("Reading a spec")
struct ReadingTests {
  @Test("the resolved spec of every family reads back as the same spec, and resolves to the same text")
  func roundTrip() throws {
    var families: Set<String> = []
    for yaml in Examples.all {
      let specification = try Examples.read(yaml)
      families.insert(specification.model.family)
      let resolved = specification.resolvedYAML
      let again = try Examples.read(resolved, folder: "/elsewhere")
      #expect(again == specification, "\(resolved)")
      #expect(again.resolvedYAML == resolved)
    }
    #expect(families == Set(ModelSpecification.families))
  }

  @Test("every value arrives where it belongs")
  func values() throws {
    let specification = try Examples.read(Examples.logistic)
    guard case .regression(let regression) = specification.model else {
      Issue.record("no regression")
      return
    }
    #expect(regression.family == .logistic && regression.response == "malignant")
    #expect(
      regression.features == ["radius", "texture"] && !regression.intercept
        && regression.priors == CoefficientPriors(.normal(scale: 3)))
    #expect(specification.data?.train.paths == ["/srv/specs/train.csv"])
    #expect(specification.data?.test?.paths == ["/srv/specs/test.csv"])
    #expect(specification.data?.standardize == false && specification.data?.precision == .float32)
    #expect(specification.data?.missing == .drop)
    #expect(mixture(specification) == [7, -2, 3, 0.5])
    let inference = specification.inference
    #expect(inference.algorithm == .md && inference.samples == 12 && inference.iterations == 321)
    #expect(inference.stepSize == .schedule(.linear(from: 0.1, to: 0.001)) && inference.seed == .max)
    #expect(inference.objectiveDraws == 400 && inference.objectiveInterval == 25)
    #expect(inference.predictionDraws == 77)
  }

  private func mixture(_ specification: FitSpecification) -> [Double] {
    let mixture = specification.mixture
    guard case .uniform(let low, let high, let variance) = mixture.initial else { return [] }
    return [Double(mixture.components), low, high, variance]
  }

  @Test("defaults are those of the contract")
  func defaults() throws {
    let specification = try Examples.read(
      "model: {family: logistic, response: y}\ndata: {train: t.csv}\n\(Examples.mixture)\n\(Examples.inference)"
    )
    guard case .regression(let regression) = specification.model else {
      Issue.record("no regression")
      return
    }
    #expect(
      regression.features == nil && regression.intercept
        && regression.priors == CoefficientPriors(.normal(scale: 10)))
    #expect(specification.data?.standardize == true && specification.data?.precision == .float64)
    #expect(specification.data?.missing == .error && specification.data?.test == nil)
    #expect(specification.mixture.components == 5 && specification.mixture.initial == .auto)
    #expect(specification.inference.algorithm == .ibw && specification.inference.samples == 10)
    #expect(specification.inference.metric == nil && specification.inference.sampling == .antithetic)
    #expect(specification.inference.stop == .iterations && !specification.inference.relocation)
    #expect(specification.inference.iterations == 10_000 && specification.inference.seed == 1)
    #expect(specification.inference.objectiveInterval == nil)
  }

  @Test(
    "where data are kept and how they get to workers is read, written out, and no part of what the fit is")
  func transport() throws {
    func read(_ more: String) throws -> FitSpecification {
      try Examples.read(
        "model: {family: logistic, response: y}\ndata: {train: t.csv\(more)}\n\(Examples.mixture)\n\(Examples.inference)"
      )
    }
    let plain = try read("")
    #expect(plain.data?.transport == .shared && plain.data?.cache == nil)
    #expect(plain.resolvedYAML.contains("  transport: shared\n") && !plain.resolvedYAML.contains("cache"))
    #expect(try read(", transport: shared, cache: ~") == plain)
    let other = try read(", transport: stream, cache: {folder: ../scratch, limit: 20G}")
    #expect(other.data?.transport == .stream)
    #expect(
      other.data?.cache == CacheSpecification(folder: "/srv/scratch", limit: ByteSize(bytes: 20_000_000_000)))
    #expect(try Examples.read(other.resolvedYAML, folder: "/elsewhere") == other)
    let limited = try read(", cache: {limit: 500}")
    #expect(limited.data?.cache == CacheSpecification(limit: ByteSize(bytes: 500)))
    #expect(try Examples.read(limited.resolvedYAML) == limited)
    #expect(try read(", cache: {}").resolvedYAML == plain.resolvedYAML)
    for some in [other, limited] { #expect(some.essentialYAML == plain.essentialYAML) }
    #expect(!plain.essentialYAML.contains("transport"))
  }

  @Test("storage and centring are as the data are, unless they are said")
  func storage() throws {
    func read(_ keys: String) throws -> FitSpecification {
      try Examples.read(
        "model: {family: logistic, response: y}\ndata: {train: t.svm\(keys)}\n\(Examples.mixture)")
    }
    for (keys, standardize, centring, storage, line) in [
      ("", true, nil, nil, "  standardize: auto\n  storage: auto\n"),
      (", standardize: auto, storage: auto", true, nil, nil, "  standardize: auto\n  storage: auto\n"),
      (", standardize: true, storage: dense", true, true, .dense, "  standardize: true\n  storage: dense\n"),
      (
        ", standardize: scale, storage: sparse", true, false, .sparse,
        "  standardize: scale\n  storage: sparse\n"
      ),
      (
        ", standardize: off, storage: sparse", false, nil, .sparse,
        "  standardize: false\n  storage: sparse\n"
      ),
    ] as [(String, Bool, Bool?, MatrixStorage?, String)] {
      let specification = try read(keys)
      let data = try #require(specification.data)
      #expect(
        data.standardize == standardize && data.centring == centring && data.storage == storage, "\(keys)")
      #expect(specification.resolvedYAML.contains(line), "\(specification.resolvedYAML)")
      #expect(try Examples.read(specification.resolvedYAML) == specification)
    }
  }

  @Test("without a word on inference everything is automatic")
  func automatic() throws {
    let specification = try Examples.read("model: {family: funnel}\nmixture: {components: 5}")
    let inference = specification.inference
    #expect(inference.stepSize == .auto && inference.hasAutomaticSteps && inference.stop == .converged)
    #expect(inference.relocation && inference.diagnosisDraws == 4000 && inference.warmUp == nil)
    #expect(specification.mixture.initial == .auto)
    #expect(
      try Examples.read("model: {family: funnel}\nmixture: {components: 1}").inference.relocation == false)
    let said = try Examples.read(
      "model: {family: funnel}\nmixture: {components: 5, initial: {file: ../earlier}}\n"
        + "inference: {metric: diagonal, sampling: sobol, step_size: auto, warmup: 90, relocation: false, "
        + "stop: iterations, diagnosis: {draws: 7}}")
    #expect(said.mixture.initial == .file("/srv/earlier"))
    #expect(said.inference.metric == .diagonal && said.inference.sampling == .sobol)
    #expect(said.inference.warmUp == 90 && !said.inference.relocation && said.inference.stop == .iterations)
    #expect(said.inference.diagnosisDraws == 7)
    #expect(try Examples.read(said.resolvedYAML) == said)
    for word in ["auto", "prior", "data"] {
      let other = try Examples.read("model: {family: funnel}\nmixture: {components: 5, initial: \(word)}")
      #expect(
        try Examples.read(other.resolvedYAML) == other && other.resolvedYAML.contains("initial: \(word)"))
    }
  }

  @Test("full covariances have no coordinates, warm-up, relocation or averages")
  func fullCovariances() throws {
    let head = "model: {family: funnel}\nmixture: {components: 5}\ninference: "
    let neutral = ", metric: unit, relocation: false, warmup: 0, stop: iterations"
    for settings in ["", ", step_size: 0.1", neutral] {
      let specification = try Examples.read(head + "{algorithm: bw\(settings)}")
      let inference = specification.inference
      #expect(inference.fullCovariances && inference.algorithmName == "bw" && inference.metric == .unit)
      #expect(inference.warmUp == 0 && !inference.relocation && inference.stop == .iterations)
      #expect(specification.resolvedYAML.contains("algorithm: bw\n"))
      #expect(try Examples.read(specification.resolvedYAML) == specification)
    }
    #expect(try !Examples.read(head + "{algorithm: ibw}").inference.fullCovariances)
  }

  @Test(
    "coordinates with mixtures of their own have no other coordinates and no relocation, for every family")
  func coordinates() throws {
    for model in [
      "family: funnel", "family: gaussian, mean: [0], covariance: 1",
      "family: sinh_arcsinh, skew: [0], tail: [1]",
    ] {
      for (word, expected) in [("coordinates", Factorization.coordinates), ("full", .full)] {
        let specification = try Examples.read(
          "model: {\(model), factorization: \(word)}\nmixture: {components: 5}\ninference: {seed: 2}")
        #expect(specification.factorization == expected)
        #expect(specification.resolvedYAML.contains("  factorization: \(word)\n"))
        #expect(try Examples.read(specification.resolvedYAML) == specification)
        #expect(specification.inference.metric == (expected == .full ? nil : .unit))
        #expect(specification.inference.relocation == (expected == .full))
        #expect(specification.inference.stop == .converged && specification.inference.warmUp == nil)
      }
      let bare = try Examples.read("model: {\(model)}\nmixture: {components: 5}")
      #expect(bare.factorization == .full)
    }
    let regression = try Examples.read(
      "model: {family: logistic, response: y, factorization: coordinates}\ndata: {train: a.csv}\n"
        + "mixture: {components: 2}")
    #expect(regression.factorization == .coordinates && regression.inference.metric == .unit)
  }

  @Test("a network has fifty hidden units by default, and no column of ones")
  func networkDefaults() throws {
    let specification = try Examples.read(
      "model: {family: bnn_regression, response: y, noise: 0.7}\ndata: {train: t.csv}\n\(Examples.mixture)\n"
        + Examples.inference)
    guard case .network(let network) = specification.model else {
      Issue.record("no network")
      return
    }
    #expect(network.family == .regression && network.hidden == [50] && network.activation == .relu)
    #expect(network.priorScale == 10 && network.noise == .known(0.7) && !specification.model.hasClasses)
    #expect(!specification.resolvedYAML.contains("intercept"))
    #expect(specification.resolvedYAML.contains("hidden: 50"))
  }

  @Test("a network has any number of layers, and classes or a noise that may be fitted")
  func networks() throws {
    func network(_ keys: String) throws -> (NetworkSpecification?, String, Bool) {
      let specification = try Examples.read(
        "model: {response: y, \(keys)}\ndata: {train: t.csv}\n\(Examples.mixture)\n" + Examples.inference)
      guard case .network(let network) = specification.model else { return (nil, "", false) }
      return (network, specification.resolvedYAML, specification.model.hasClasses)
    }
    let (deep, deepYAML, _) = try network(
      "family: bnn_regression, hidden: [50, 20], activation: tanh, noise: {half_normal: {scale: 3}}")
    #expect(deep?.hidden == [50, 20] && deep?.activation == .tanh && deep?.noise == .halfNormal(scale: 3))
    #expect(deepYAML.contains("  hidden: [50, 20]\n  activation: tanh\n"))
    let (classes, classesYAML, hasClasses) = try network("family: bnn_classification, hidden: [4]")
    #expect(classes?.family == .classification && classes?.hidden == [4] && hasClasses)
    #expect(classesYAML.contains("  hidden: 4\n  activation: relu\n") && !classesYAML.contains("noise"))
  }

  @Test("funnel and banana have two dimensions unless told otherwise, and one number may serve all degrees")
  func analyticTargets() throws {
    let model = { (text: String) in try Examples.read(Examples.analytic(text)).model }
    #expect(try model("{family: funnel}") == .funnel(variance: 1.2, dimension: 2))
    #expect(try model("{family: banana}") == .banana(variance: 100, curvature: 0.03, dimension: 2))
    #expect(
      try model("{family: student_t_mixture, means: [[0], [2]], scales: [1, 4], degrees: 3}")
        == .studentMixture(
          weights: [0.5, 0.5], means: [[0], [2]], scales: [[[1]], [[4]]], degrees: [3, 3]))
  }

  @Test("a mixture of Student t distributions may be read from a JSON file")
  func studentFile() throws {
    let folder = try TemporaryFolder()
    try folder.write("t.json", #"{"means": [[1, 2]], "scales": [3], "degrees": [4]}"#)
    let specification = try Examples.read(
      Examples.analytic("{family: student_t_mixture, file: t.json}"), folder: folder.path)
    #expect(
      specification.model
        == .studentMixture(weights: [1], means: [[1, 2]], scales: [[[3, 0], [0, 3]]], degrees: [4]))
  }

  @Test("the noise of a linear regression is known, or has a half-normal prior")
  func noise() throws {
    let cases: [(String, NoiseSpecification, String)] = [
      ("0.5", .known(0.5), "  noise: 0.5\n"),
      ("{half_normal: {scale: 3}}", .halfNormal(scale: 3), "  noise: {half_normal: {scale: 3.0}}\n"),
    ]
    for (text, noise, written) in cases {
      let specification = try Examples.read(Examples.linear(", noise: \(text)"))
      guard case .regression(let regression) = specification.model else {
        Issue.record("no regression")
        return
      }
      #expect(regression.noise == noise)
      #expect(specification.resolvedYAML.contains(written))
    }
    let set = try Examples.read(
      Examples.linear(", noise: 1"), set: ["model.noise={half_normal: {scale: 2}}"])
    #expect(set.resolvedYAML.contains("noise: {half_normal: {scale: 2.0}}"))
  }

  @Test("priors, overdispersion, degrees of freedom and groups arrive where they belong")
  func families() throws {
    let read = { (family: String, keys: String) -> RegressionSpecification in
      let specification = try Examples.read(Examples.family(family, keys))
      guard case .regression(let regression) = specification.model else {
        throw SpecificationError("no regression")
      }
      return regression
    }
    let shrunk = try read("poisson", ", prior: {coefficients: {horseshoe: {scale: 0.5}}}")
    #expect(
      shrunk.priors
        == CoefficientPriors(intercept: .normal(scale: 10), coefficients: .horseshoe(scale: 0.5)))
    let heavy = try read("student_t", ", noise: 2, prior: {student_t: {degrees: 3, scale: 2}}")
    #expect(heavy.priors == CoefficientPriors(.studentT(degrees: 3, scale: 2)))
    #expect(heavy.noise == .known(2) && heavy.degrees == 4)
    let counts = try read(
      "negative_binomial",
      ", overdispersion: {half_normal: {scale: 2}}, groups: [g, h], group_scale: {half_normal: {scale: 3}}")
    #expect(counts.overdispersion == .halfNormal(scale: 2))
    #expect(
      counts.groups == ["g", "h"] && counts.groupScale == 3
        && counts.priors == CoefficientPriors(.normal(scale: 10)))
  }

  @Test("a regression may have an intercept and no features", arguments: ["linear", "logistic", "softmax"])
  func noFeatures(family: String) throws {
    let noise = family == "linear" ? ", noise: 1" : ""
    let specification = try Examples.read(
      Examples.linear("\(noise), features: []").replacingOccurrences(of: "linear", with: family))
    guard case .regression(let regression) = specification.model else {
      Issue.record("no regression")
      return
    }
    #expect(regression.features == [] && regression.intercept)
    #expect(specification.resolvedYAML.contains("  features: []\n"))
    #expect(try Examples.read(specification.resolvedYAML) == specification)
  }

  @Test("relative paths start at the spec's folder, absolute ones stay")
  func paths() throws {
    let yaml = { (train: String) in
      "model: {family: logistic, response: y}\ndata: {train: \(train)}\n\(Examples.mixture)\n\(Examples.inference)"
    }
    let cases: [(String, [String])] = [
      ("a.csv", ["/srv/specs/a.csv"]), ("../a.csv", ["/srv/a.csv"]), ("./b/*.csv", ["/srv/specs/b/*.csv"]),
      ("/data/a.csv", ["/data/a.csv"]), ("[a.csv, /b.csv]", ["/srv/specs/a.csv", "/b.csv"]),
    ]
    for (text, paths) in cases { #expect(try Examples.read(yaml(text)).data?.train.paths == paths) }
    let separate = try Examples.read(yaml("{features: x.npy, response: ../y.npy}")).data?.train
    #expect(separate?.paths == ["/srv/specs/x.npy"] && separate?.responseFile == "/srv/y.npy")
  }

  @Test("a covariance is a matrix, a diagonal or one variance")
  func covariances() throws {
    let cases: [(String, [[Double]])] = [
      ("2", [[2, 0], [0, 2]]), ("[2, 3]", [[2, 0], [0, 3]]), ("[[2, 1], [1, 3]]", [[2, 1], [1, 3]]),
    ]
    for (text, matrix) in cases {
      let yaml = Examples.analytic("{family: gaussian, mean: [0, 0], covariance: \(text)}")
      #expect(try Examples.read(yaml).model == .gaussian(mean: [0, 0], covariance: matrix))
    }
  }

  @Test("a Gaussian mixture comes from a JSON file beside the spec, and resolves without it")
  func mixtureFile() throws {
    let folder = try TemporaryFolder()
    let json =
      #"{"weights": [0.5, 0.5], "means": [[1.5, 2], [3e-1, -4]], "covariances": [[1, 2], [[2, 1], [1, 2]]]}"#
    try folder.write("target.json", json)
    let yaml = Examples.analytic("{family: gaussian_mixture, file: target.json}")
    let specification = try Examples.read(yaml, folder: folder.path)
    let expected = ModelSpecification.gaussianMixture(
      weights: [0.5, 0.5], means: [[1.5, 2], [0.3, -4]],
      covariances: [[[1, 0], [0, 2]], [[2, 1], [1, 2]]])
    #expect(specification.model == expected)
    #expect(try Examples.read(specification.resolvedYAML).model == expected)
    #expect(complaint(yaml, folder: "/nowhere").contains("can't read the target file /nowhere/target.json"))
    try folder.write("target.json", json.replacingOccurrences(of: "means", with: "mean"))
    #expect(complaint(yaml, folder: folder.path).contains("\(folder.path)/target.json:1:"))
    try folder.write("target.json", "{\"means\": [")
    #expect(complaint(yaml, folder: folder.path).contains("target.json is not JSON"))
    let both = Examples.analytic("{family: gaussian_mixture, file: target.json, means: [[1]]}")
    #expect(complaint(both, folder: folder.path).contains("'model.means' has no place beside 'model.file'"))
  }

  @Test("any text survives as a column's name")
  func texts() throws {
    for name in [
      "null", "~", "true", "5", "a: b", "- x", "#", "'", "\"", "\\", "new\nline", "tab\t", "\r", "ü\u{301}",
      "\u{85}", "\u{2028}", "\u{2029}", "x\u{FEFF}", "\u{FFFE}", "\u{0}\u{1}\u{7F}\u{9F}", "\u{1F9EE}", " ",
      "x ",
      "{", "[", "&a", "*a", "!t", "%", "@", "`",
    ] {
      var specification = try Examples.read(Examples.logistic)
      guard case .regression(var regression) = specification.model else { continue }
      regression.response = name
      regression.features = [name + "2"]
      specification.model = .regression(regression)
      let again = try Examples.read(specification.resolvedYAML)
      #expect(again == specification, "\(name.debugDescription)")
    }
  }

  @Test("options change or add any value")
  func overrides() throws {
    let yaml = Examples.logistic
    #expect(try Examples.read(yaml, set: ["mixture.components=10"]).mixture.components == 10)
    let several = try Examples.read(
      yaml,
      set: [
        "inference.seed=3", "inference.seed=4", "inference.objective.draws=9", "data.test=~",
        "inference.step_size=0.5", "model.features=[a, b]", "mixture.initial={uniform: {low: 0}}",
        "data.train=x=y.csv",
      ])
    #expect(several.inference.seed == 4 && several.inference.objectiveDraws == 9)
    #expect(several.inference.objectiveInterval == 25)
    #expect(several.data?.test == nil && several.inference.stepSize == .schedule(.constant(stepSize: 0.5)))
    #expect(several.mixture.initial == .uniform(low: 0, high: 5, variance: 1))
    #expect(several.data?.train.paths == ["/srv/specs/x=y.csv"])
    let made = try Examples.read(
      "model: {family: funnel}",
      set: ["mixture.components=2", "inference.step_size.schedule.constant.size=1"])
    #expect(made.inference.stepSize == .schedule(.constant(stepSize: 1)))
  }

  @Test("whole numbers are read as decimal")
  func integers() throws {
    for (text, value) in [("010", 10), ("+7", 7)] {
      #expect(
        try Examples.read(Examples.logistic, set: ["mixture.components=\(text)"]).mixture.components == value)
    }
    for text in ["1:30", "99999999999999:99:99", "0x10", "1_000", "1e3", "5.0", "99999999999999999999"] {
      let message = complaint(Examples.logistic, set: ["mixture.components=\(text)"])
      #expect(message.contains("mixture.components must be a whole number, not '\(text)'"))
    }
  }

  @Test("the example specs are read, and read again as resolved")
  func exampleSpecs() throws {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("cluster/examples").path
    let files = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".yaml") }
    #expect(files.count >= 15)
    let readme = try String(contentsOfFile: folder + "/README.md", encoding: .utf8)
    for file in files.sorted() {
      let text = try String(contentsOfFile: folder + "/" + file, encoding: .utf8)
      let specification = try Examples.read(text, folder: folder)
      #expect(try Examples.read(specification.resolvedYAML) == specification, "\(file)")
      #expect(readme.contains("`\(file)`"), "\(file) is not in the README")
    }
  }
}
