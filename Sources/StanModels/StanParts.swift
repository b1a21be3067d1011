/// Reads what a model is made of, and constructs it once for every shard.
struct StanParts {
  /// Terms of V that every evaluation needs.
  var base: [StanModel.Term] = []
  var shards: [StanModel.Term] = []
  var whole: (@Sendable () throws -> StanInstance)?
  /// The instance by which outputs are computed.
  let sample: StanInstance

  private let library: StanLibrary
  private let seed: UInt32
  /// What an interpreter needs beside the data.
  private let manifest: [UInt8]?

  init(_ configuration: StanModel.Configuration) throws {
    let library = try StanLibrary.open(configuration.library)
    self.library = library
    seed = configuration.seed
    manifest = try configuration.program.map { program in
      let compiled = try library.compile(program)
      return Array(
        "{\"build_id\":\(StanParts.quoted(library.build)),\"mir\":\(StanParts.quoted(compiled)),\"name\":\"model\"}"
          .utf8)
    }
    let files = try configuration.data.map { path in
      try StanData(try StanFile.bytes(path, of: "the Stan data"), source: path)
    }
    if let sharding = configuration.sharding {
      guard files.count == 1, let file = files.first else {
        throw StanError(.data, "model.shard_by cuts one data file: give one as model.data")
      }
      let cut = try StanCut(file, sharding, source: configuration.data[0])
      sample = try StanParts.construct(library, seed, manifest, cut.data(0), cut.name(0))
      shards.append(StanModel.Term(instance: sample))
      for shard in 1..<cut.count { shards.append(try term(cut.data(shard), cut.name(shard))) }
      base = try prior(cut)
      let (seed, manifest) = (seed, manifest)
      whole = { try StanParts.construct(library, seed, manifest, file, configuration.data[0]) }
    } else if files.count > 1 {
      let weighted = try StanParts.priorShard(files, configuration.data)
      sample = try StanParts.construct(library, seed, manifest, files[0], configuration.data[0])
      shards.append(StanModel.Term(instance: sample, jacobian: weighted == 0))
      for (shard, file) in files.enumerated().dropFirst() {
        shards.append(try term(file, configuration.data[shard], jacobian: weighted == shard))
      }
    } else {
      let file = try files.first ?? StanData(Array("{}".utf8), source: "no data")
      let source = configuration.data.first ?? "a run without data (model.data)"
      sample = try StanParts.construct(library, seed, manifest, file, source)
      base = [StanModel.Term(instance: sample)]
    }
    for term in base + shards where term.instance.dimension != sample.dimension {
      throw StanError(
        .data,
        "the model has \(sample.dimension) parameters with one shard's data and \(term.instance.dimension) with another's: "
          + "only rows that no parameter belongs to can be cut into shards")
    }
  }

  private func term(_ data: StanData, _ source: String, weight: Double = 1, jacobian: Bool = true) throws
    -> StanModel.Term
  {
    StanModel.Term(
      instance: try StanParts.construct(library, seed, manifest, data, source), weight: weight,
      jacobian: jacobian)
  }

  private static func construct(
    _ library: StanLibrary, _ seed: UInt32, _ manifest: [UInt8]?, _ data: StanData, _ source: String
  ) throws -> StanInstance {
    let text = manifest.map { data.replacing([:], adding: [("__stanli", $0)]) } ?? data.text
    return try StanInstance(library, data: text, seed: seed, source: source)
  }

  /// The prior counts in every shard, and once in the posterior: K − 1 of them are taken away. It is the model without
  /// rows; for a model that does not take that, two shares of a row each less the two rows together are the same.
  private func prior(_ cut: StanCut) throws -> [StanModel.Term] {
    guard cut.count > 1 else { return [] }
    let surplus = Double(cut.count - 1)
    do {
      return [try term(cut.data(rows: 0..<0), "model.shard_by's empty shard", weight: -surplus)]
    } catch let error as StanError {
      guard cut.rows >= 2 else { throw error }
      return [
        try term(cut.data(rows: 0..<1), cut.name(0), weight: -surplus),
        try term(cut.data(rows: 1..<2), cut.name(0), weight: -surplus),
        try term(cut.data(rows: 0..<2), cut.name(0), weight: surplus),
      ]
    }
  }

  /// Which of the shards carries the prior.
  private static func priorShard(_ files: [StanData], _ paths: [String]) throws -> Int {
    let rule =
      "of several data files one has \"\(priorWeight)\": 1 and the others 0, and the model multiplies its prior terms by "
      + "it (or give one file and model.shard_by)"
    var weighted: [Int] = []
    for (index, file) in files.enumerated() {
      guard file.has(priorWeight) else {
        throw StanError(.data, "\(paths[index]) has no variable '\(priorWeight)': \(rule)")
      }
      let text = try file.value(of: priorWeight)
      guard let weight = Double(text), weight == 0 || weight == 1 else {
        throw StanError(.data, "\(paths[index]): \(priorWeight) is \(text.prefix(40)): \(rule)")
      }
      if weight == 1 { weighted.append(index) }
    }
    guard weighted.count == 1, let only = weighted.first else {
      throw StanError(.data, "\(weighted.count) of \(files.count) data files have \(priorWeight) 1: \(rule)")
    }
    return only
  }

  private static let priorWeight = "prior_weight"

  /// A JSON text.
  private static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      default:
        if scalar.value < 0x20 {
          result += "\\u00" + (scalar.value < 16 ? "0" : "") + String(scalar.value, radix: 16)
        } else {
          result.unicodeScalars.append(scalar)
        }
      }
    }
    return result + "\""
  }
}

/// One data file cut into shards of neighbouring rows, of sizes that differ by one at most.
struct StanCut {
  private let file: StanData
  private let sharding: StanModel.Sharding
  private let elements: [(name: String, places: [Range<Int>])]
  private let source: String
  let rows: Int
  let count: Int

  init(_ file: StanData, _ sharding: StanModel.Sharding, source: String) throws {
    self.file = file
    self.sharding = sharding
    self.source = source
    rows = try file.integer(sharding.size)
    elements = try sharding.slice.map { ($0, try file.elements(of: $0)) }
    for (name, places) in elements where places.count != rows {
      throw StanError(
        .data,
        "\(source): '\(name)' has \(places.count) elements, and '\(sharding.size)' is \(rows): model.shard_by.slice names "
          + "the arrays with an element a row")
    }
    guard rows >= 1 else {
      throw StanError(.data, "\(source): '\(sharding.size)' is \(rows): there is no row to cut")
    }
    count = min(sharding.shards, rows)
  }

  func name(_ shard: Int) -> String { "shard \(shard + 1) of \(source)" }

  func data(_ shard: Int) throws -> StanData {
    try data(rows: shard * rows / count..<(shard + 1) * rows / count)
  }

  func data(rows: Range<Int>) throws -> StanData {
    var values = [sharding.size: Array("\(rows.count)".utf8)]
    for (name, places) in elements {
      let inner =
        rows.isEmpty
        ? [] : Array(file.text[places[rows.lowerBound].lowerBound..<places[rows.upperBound - 1].upperBound])
      values[name] = [UInt8(ascii: "[")] + inner + [UInt8(ascii: "]")]
    }
    return try StanData(file.replacing(values), source: source)
  }
}
