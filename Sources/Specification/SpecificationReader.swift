import Foundation
import Mixtures
import NumericsKit
import Yams

extension FitSpecification {
  /// Reads a spec.
  ///
  /// - Parameters:
  ///   - yaml: the text of the file.
  ///   - source: the file's name, for messages.
  ///   - folder: the folder that relative paths start from.
  ///   - overrides: `key=value` with a dotted path, each as if it stood in the file.
  /// - Throws: ``SpecificationError`` that names file, line and key.
  public init(yaml: String, source: String, folder: String, overrides: [String] = [])
    throws(SpecificationError)
  {
    var root: Node
    do {
      guard let composed = try Yams.compose(yaml: yaml) else {
        throw SpecificationError("\(source): the spec is empty")
      }
      root = composed
    } catch let error as SpecificationError {
      throw error
    } catch {
      throw SpecificationError("\(source):\(Self.plain(error))")
    }
    var origin = SpecificationSource(name: source)
    for override in overrides {
      root = try Self.apply(override, to: root)
      origin.options.append((String(override.prefix { $0 != "=" }), override))
    }
    let node = SpecificationNode(node: root, path: "", source: origin)
    let mapping = try node.mapping(["model", "data", "mixture", "inference"])
    let (modelNode, factorizationNode) = try mapping.required("model").takingFactorization()
    let model = try ModelSpecification(modelNode, folder: folder)
    self.model = model
    factorization =
      try factorizationNode?.choice(Factorization.allCases.map { ($0.rawValue, $0) }) ?? .full
    switch model {
    case .regression, .network:
      let data = try DataSpecification(mapping.required("data"), folder: folder)
      if data.train.responseFile == nil {
        _ = try mapping.required("model").mappingAsIs.required("response")
      }
      if case .regression(let regression) = model, !regression.family.isClassification,
        data.precision == .float32,
        let precision = try mapping.required("data").mappingAsIs["precision"]
      {
        throw precision.error(
          "data.precision float32 is for logistic and softmax: the residuals of a model of family "
            + "\(regression.family.rawValue) lose their digits in it; use float64")
      }
      if case .network = model, data.precision == .float32,
        let precision = try mapping.required("data").mappingAsIs["precision"]
      {
        throw precision.error(
          "data.precision float32 is for logistic and softmax: family \(model.family) computes in double precision; "
            + "use float64")
      }
      if case .regression(let regression) = model, !regression.groups.isEmpty {
        try data.forbidSparse(mapping["data"], because: "model.groups needs rows that are dense")
      }
      self.data = data
    case .custom(let custom):
      data = try mapping["data"].map { node throws(SpecificationError) in
        try DataSpecification(node, folder: folder)
      }
      try data?.forbidSparse(
        mapping["data"], because: "a target of family custom gets rows that are dense")
      guard (data == nil) == (custom.response == nil) else {
        throw try mapping.required("model").error(
          "a custom target with data has both model.response and data, one without has neither")
      }
    case .stan:
      try mapping.forbid(["data"], because: "has no place here: a Stan model's data are named by model.data")
      data = nil
    case .gaussian, .gaussianMixture, .studentMixture, .funnel, .banana, .sinhArcsinh:
      try mapping.forbid(["data"], because: "has no place here: family \(model.family) needs no data")
      data = nil
    }
    mixture = try MixtureSpecification(mapping.required("mixture"), folder: folder)
    let components = mixture.components
    inference =
      try mapping["inference"].map { node throws(SpecificationError) in
        try InferenceSpecification(node, components: components)
      } ?? InferenceSpecification(components: components)
    try checkMinibatch(mapping["inference"])
    if case .stan(var stan) = self.model {
      // A fit that is judged with other draws is one of the same model.
      stan.seed = stan.seed ?? UInt32(truncatingIfNeeded: inference.seed)
      self.model = .stan(stan)
    }
    if inference.fullCovariances, case .file = mixture.initial {
      throw try mapping.required("mixture").mappingAsIs.required("initial").error(
        "mixture.initial: {file: …} is not for algorithm bw, whose covariances no other fit has; use uniform, auto, prior "
          + "or data")
    }
    if factorization == .coordinates { try settleCoordinates(mapping) }
  }

  /// libyaml's own message after its place, without a copy of the spec.
  private static func plain(_ error: any Error) -> String {
    switch error as? YamlError {
    case .scanner(_, let problem, let mark, _)?, .parser(_, let problem, let mark, _)?,
      .composer(_, let problem, let mark, _)?:
      return "\(mark.line):\(mark.column): this is not YAML: \(problem)"
    case .duplicatedKeysInMapping(let duplicates, let context)?:
      let keys = duplicates.sorted().map { "'\($0)'" }.joined(separator: ", ")
      return "\(context.mark.line):\(context.mark.column): the mapping that starts here has more than one "
        + "\(keys); keep one"
    case .reader(let problem, _, _, _)?: return " this is not YAML: \(problem)"
    default: return " this is not YAML"
    }
  }

  /// Puts a value at a dotted path, making mappings on the way.
  private static func apply(_ override: String, to root: Node) throws(SpecificationError) -> Node {
    guard let equals = override.firstIndex(of: "="), equals != override.startIndex else {
      throw SpecificationError("--set \(override): write key=value, for example mixture.components=10")
    }
    let keys = override[..<equals].split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    let text = String(override[override.index(after: equals)...])
    let value: Node
    do {
      value = try Yams.compose(yaml: text) ?? .scalar(Node.Scalar("", .implicit, .plain))
    } catch {
      throw SpecificationError("--set \(override): the value is not YAML")
    }
    guard keys.count <= 16 else {
      throw SpecificationError("--set \(override.prefix(60))…: no key of a spec is that deep")
    }
    guard !keys.contains("") else {
      throw SpecificationError("--set \(override): the key has an empty part")
    }
    return put(unmarked(value), at: keys[...], in: root)
  }

  /// A value without its place: that is a place in the option, not in the file.
  private static func unmarked(_ node: Node) -> Node {
    switch node {
    case .scalar(var scalar):
      scalar.mark = nil
      return .scalar(scalar)
    case .sequence(let sequence): return .sequence(Node.Sequence(sequence.map(unmarked)))
    case .mapping(let mapping):
      return .mapping(Node.Mapping(mapping.map { (unmarked($0.key), unmarked($0.value)) }))
    case .alias: return node
    }
  }

  private static func put(_ value: Node, at keys: ArraySlice<String>, in node: Node?) -> Node {
    guard let key = keys.first else { return value }
    var mapping = node?.mapping ?? Node.Mapping([])
    mapping[Node(key)] = put(value, at: keys.dropFirst(), in: mapping[Node(key)])
    return .mapping(mapping)
  }
}

extension DataSpecification {
  init(_ node: SpecificationNode, folder: String) throws(SpecificationError) {
    let mapping = try node.mapping([
      "train", "test", "standardize", "storage", "precision", "missing", "transport", "cache",
    ])
    train = try Source(mapping.required("train"), folder: folder)
    test = try mapping["test"].map { node throws(SpecificationError) in try Source(node, folder: folder) }
    (standardize, centring) = try Self.standardization(mapping["standardize"])
    storage = try mapping["storage"]?.choice([("auto", nil), ("sparse", .sparse), ("dense", .dense)]) ?? nil
    if storage == .sparse, centring == true, let node = mapping["standardize"] {
      throw node.error(
        "data.standardize: true centres columns, which would leave no zeros in a sparse matrix; write scale, which "
          + "divides by the standard deviation alone, or storage: dense")
    }
    precision = try mapping["precision"]?.choice(Precision.allCases.map { ($0.rawValue, $0) }) ?? .float64
    missing =
      try mapping["missing"]?.choice(MissingValues.allCases.map { ($0.rawValue, $0) }) ?? .error
    transport =
      try mapping["transport"]?.choice(DataTransport.allCases.map { ($0.rawValue, $0) }) ?? .shared
    let cache = try mapping["cache"].map { node throws(SpecificationError) in
      try CacheSpecification(node, folder: folder)
    }
    self.cache = cache == CacheSpecification() ? nil : cache
  }
}

extension CacheSpecification {
  init(_ node: SpecificationNode, folder base: String) throws(SpecificationError) {
    let mapping = try node.mapping(["folder", "limit"])
    folder = try mapping["folder"].map { node throws(SpecificationError) in
      absolutePath(try node.text(), from: base)
    }
    limit = try mapping["limit"].map { node throws(SpecificationError) in
      let text = try node.text()
      guard let size = ByteSize(text) else {
        throw node.error("\(node.path): '\(text)' is no size; write it like 20G or 500M")
      }
      return size
    }
  }
}

extension DataSpecification {
  /// Refuses `storage: sparse`.
  fileprivate func forbidSparse(
    _ node: SpecificationNode?, because reason: String
  ) throws(SpecificationError) {
    guard storage == .sparse, let storage = node?.mappingAsIs["storage"] else { return }
    throw storage.error(
      "data.storage: sparse: \(reason); sparse rows are for regressions without groups, and networks: use dense"
    )
  }

  /// Whether features are standardised, and whether by their means, too.
  fileprivate static func standardization(
    _ node: SpecificationNode?
  ) throws(SpecificationError) -> (isDone: Bool, centring: Bool?) {
    guard let node else { return (true, nil) }
    switch node.node.scalar?.string {
    case "auto": return (true, nil)
    case "scale": return (true, false)
    default:
      guard let scalar = node.node.scalar, let value = Bool.construct(from: scalar) else {
        throw node.error("data.standardize must be true or false, scale or auto")
      }
      return value ? (true, true) : (false, nil)
    }
  }
}

extension DataSpecification.Source {
  init(_ node: SpecificationNode, folder: String) throws(SpecificationError) {
    if node.node.mapping != nil {
      let mapping = try node.mapping(["features", "response"])
      paths = [absolutePath(try mapping.required("features").text(), from: folder)]
      responseFile = absolutePath(try mapping.required("response").text(), from: folder)
    } else if node.node.sequence != nil {
      paths = try node.list().map { item throws(SpecificationError) in
        absolutePath(try item.text(), from: folder)
      }
      guard !paths.isEmpty else { throw node.error("\(node.path) lists no file") }
      responseFile = nil
    } else {
      paths = [absolutePath(try node.text(), from: folder)]
      responseFile = nil
    }
  }
}

/// A path made absolute from a folder.
func absolutePath(_ path: String, from folder: String) -> String {
  path.hasPrefix("/")
    ? path : URL(fileURLWithPath: folder).appendingPathComponent(path).standardizedFileURL.path
}

extension MixtureSpecification {
  /// More components than any plan can cut.
  static let maximumComponents = 1_000_000

  init(_ node: SpecificationNode, folder: String) throws(SpecificationError) {
    let mapping = try node.mapping(["components", "initial"])
    components = try mapping.required("components").integer(
      atLeast: 1, atMost: MixtureSpecification.maximumComponents)
    initial =
      try mapping["initial"].map { node throws(SpecificationError) in
        try InitialSpecification(node, folder: folder)
      } ?? .auto
  }
}

extension InitialSpecification {
  init(_ node: SpecificationNode, folder: String) throws(SpecificationError) {
    guard node.node.mapping != nil else {
      self = try node.choice([("auto", .auto), ("prior", .prior), ("data", .data)])
      return
    }
    let mapping = try node.mapping(["uniform", "file"])
    guard mapping.values.count == 1 else {
      throw node.error("\(node.path) must be auto, prior, data, {uniform: …} or {file: …}")
    }
    if let file = mapping["file"] {
      self = .file(absolutePath(try file.text(), from: folder))
      return
    }
    let uniform = try mapping.required("uniform").mapping(["low", "high", "variance"])
    let low = try uniform["low"]?.number() ?? -Self.box
    let high = try uniform["high"]?.number() ?? Self.box
    guard (high - low).isFinite else {
      throw node.error("mixture.initial.uniform: low (\(low)) and high (\(high)) are too far apart")
    }
    guard low <= high else {
      throw node.error("mixture.initial.uniform: low (\(low)) must not be above high (\(high))")
    }
    self = .uniform(low: low, high: high, variance: try uniform["variance"]?.positive() ?? 1)
  }
}

extension InferenceSpecification {
  static let maximumIterations = 2_000_000_000
  static let maximumSamples = 1_000_000
  static let maximumDraws = 10_000_000

  /// Every default.
  init(components: Int) {
    algorithm = .ibw
    samples = 10
    sampling = .antithetic
    stepSize = .auto
    iterations = 10_000
    relocation = components > 1
    stop = .converged
    seed = 1
    objectiveDraws = 1000
    predictionDraws = 1000
    diagnosisDraws = 4000
  }

  init(_ node: SpecificationNode, components: Int) throws(SpecificationError) {
    self.init(components: components)
    let mapping = try node.mapping([
      "algorithm", "metric", "samples", "sampling", "step_size", "iterations", "warmup", "relocation", "stop",
      "seed", "objective", "prediction", "diagnosis", "minibatch",
    ])
    let words = UpdateRule.allCases.map(\.rawValue) + [Self.fullAlgorithm]
    let word = try mapping["algorithm"]?.choice(words.map { ($0, $0) })
    algorithm = word.flatMap(UpdateRule.init) ?? .ibw
    fullCovariances = word == Self.fullAlgorithm
    metric = try mapping["metric"]?.choice(Metric.Kind.allCases.map { ($0.rawValue, $0) })
    samples = try mapping["samples"]?.integer(atLeast: 1, atMost: Self.maximumSamples) ?? 10
    sampling = try mapping["sampling"]?.choice(Sampling.allCases.map { ($0.rawValue, $0) }) ?? .antithetic
    stepSize =
      try mapping["step_size"].map { step throws(SpecificationError) in
        try StepSizeSpecification(step)
      } ?? .auto
    warmUp = try mapping["warmup"]?.integer(atLeast: 0, atMost: Self.maximumIterations)
    relocation = try mapping["relocation"]?.bool() ?? (hasAutomaticSteps && components > 1)
    stop =
      try mapping["stop"]?.choice(StopRule.allCases.map { ($0.rawValue, $0) })
      ?? (hasAutomaticSteps ? .converged : .iterations)
    iterations = try mapping["iterations"]?.integer(atLeast: 1, atMost: Self.maximumIterations) ?? 10_000
    seed = try mapping["seed"]?.seed() ?? 1
    let objective = try mapping["objective"]?.mapping(["draws", "every"])
    objectiveDraws = try objective?["draws"]?.integer(atLeast: 2, atMost: Self.maximumDraws) ?? 1000
    objectiveInterval = try objective?["every"]?.integer(atLeast: 1)
    let prediction = try mapping["prediction"]?.mapping(["draws"])
    predictionDraws = try prediction?["draws"]?.integer(atLeast: 1, atMost: 100_000) ?? 1000
    let diagnosis = try mapping["diagnosis"]?.mapping(["draws"])
    diagnosisDraws = try diagnosis?["draws"]?.integer(atLeast: 0, atMost: Self.maximumDraws) ?? 4000
    minibatch = try mapping["minibatch"].map { node throws(SpecificationError) in
      try MinibatchSpecification(node)
    }
    if fullCovariances { try settleFullCovariances(mapping) }
  }
}

extension StepSizeSpecification {
  init(_ node: SpecificationNode) throws(SpecificationError) {
    self = node.node.scalar?.string == "auto" ? .auto : .schedule(try StepSchedule(node))
  }
}

extension StepSchedule {
  init(_ node: SpecificationNode) throws(SpecificationError) {
    guard node.node.mapping != nil else {
      self = .constant(stepSize: try node.positive())
      return
    }
    let schedule = try node.mapping(["schedule"]).required("schedule")
    let kinds = try schedule.mapping(["constant", "inverse_sqrt", "linear", "step_decay"])
    guard kinds.values.count == 1 else { throw schedule.error("\(schedule.path) must name one schedule") }
    if let constant = kinds["constant"] {
      self = .constant(stepSize: try constant.mapping(["size"]).required("size").positive())
    } else if let inverse = kinds["inverse_sqrt"] {
      let values = try inverse.mapping(["size", "offset"])
      self = .inverseSqrt(
        initial: try values.required("size").positive(), timescale: try values["offset"]?.positive() ?? 1)
    } else if let linear = kinds["linear"] {
      let values = try linear.mapping(["from", "to"])
      self = .linear(from: try values.required("from").positive(), to: try values.required("to").positive())
    } else {
      let values = try kinds.required("step_decay").mapping(["size", "factor", "every"])
      let factor = try values.required("factor").positive()
      guard factor <= 1 else { throw schedule.error("\(schedule.path).step_decay.factor must be at most 1") }
      self = .stepDecay(
        initial: try values.required("size").positive(), factor: factor,
        every: try values.required("every").integer(atLeast: 1))
    }
  }
}
