/// A Stan model in a shared library.
public struct StanSpecification: Sendable, Equatable {
  /// One data file cut into shards by rows.
  public struct Sharding: Sendable, Equatable {
    /// The variable that counts the rows.
    public var size: String
    /// The arrays with an element a row.
    public var slice: [String]
    public var shards: Int
  }

  /// Absolute path of the library.
  public var library: String
  /// Absolute path of the Stan program, for a library that interprets programs.
  public var program: String?
  /// Absolute paths of JSON files: none, one, or one a shard.
  public var data: [String]
  public var sharding: Sharding?
  /// Whether outputs show transformed parameters and generated quantities.
  public var showsTransformed = false
  public var showsGenerated = false

  /// Of the model's own random numbers; nil only while a spec is read: it then becomes the fit's seed.
  public var seed: UInt32?

  /// Shards unless the spec says otherwise: for some tens of workers.
  public static let usualShards = 16
  public static let mostShards = 4096

  init(_ node: SpecificationNode, folder: String) throws(SpecificationError) {
    let values = try node.mapping(["family", "library", "program", "data", "shard_by", "outputs", "seed"])
    library = absolutePath(try values.required("library").text(), from: folder)
    program = try values["program"].map { node throws(SpecificationError) in
      absolutePath(try node.text(), from: folder)
    }
    data = []
    if let given = values["data"] {
      let files = given.node.sequence == nil ? [given] : try given.list()
      guard (1...Self.mostShards).contains(files.count) else {
        throw given.error("model.data lists \(files.count) files; it must be 1 to \(Self.mostShards)")
      }
      data = try files.map { file throws(SpecificationError) in absolutePath(try file.text(), from: folder) }
    }
    if let node = values["shard_by"] {
      sharding = try Sharding(node)
      guard data.count == 1 else {
        throw node.error("model.shard_by cuts one data file: give one file as model.data, not \(data.count)")
      }
    }
    seed = try values["seed"].map { node throws(SpecificationError) in
      UInt32(try node.integer(atLeast: 0, atMost: Int(UInt32.max)))
    }
    if let outputs = try values["outputs"]?.mapping(["transformed", "generated"]) {
      showsTransformed = try outputs["transformed"]?.bool() ?? false
      showsGenerated = try outputs["generated"]?.bool() ?? false
    }
  }

  var lines: [String] {
    var lines = ["  library: \(quoted(library))"]
    if let program { lines.append("  program: \(quoted(program))") }
    if data.count == 1 { lines.append("  data: \(quoted(data[0]))") }
    if data.count > 1 { lines.append("  data: [\(data.map(quoted).joined(separator: ", "))]") }
    if let sharding {
      lines.append(
        "  shard_by: {size: \(quoted(sharding.size)), slice: [\(sharding.slice.map(quoted).joined(separator: ", "))], "
          + "shards: \(sharding.shards)}")
    }
    if let seed { lines.append("  seed: \(seed)") }
    return lines + ["  outputs: {transformed: \(showsTransformed), generated: \(showsGenerated)}"]
  }
}

extension StanSpecification.Sharding {
  init(_ node: SpecificationNode) throws(SpecificationError) {
    let values = try node.mapping(["size", "slice", "shards"])
    size = try values.required("size").text()
    let names = try values.required("slice")
    slice = try names.list().map { name throws(SpecificationError) in try name.text() }
    guard !slice.isEmpty else { throw names.error("model.shard_by.slice names no array") }
    shards =
      try values["shards"]?.integer(atLeast: 1, atMost: StanSpecification.mostShards)
      ?? StanSpecification.usualShards
  }
}
