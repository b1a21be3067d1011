import Datasets
import Foundation
import Inference
import Mixtures
import Posteriors

/// What a file for ArviZ is made from: `InferenceData` in netCDF-4, by
/// [its schema](https://python.arviz.org/en/stable/schema/schema.html).
///
/// | group | content |
/// |---|---|
/// | `posterior` | the target's output variables, `(chain, draw, …)` |
/// | `sample_stats` | `lp`: log π(θ); `log_q`: log q(θ); `log_weight`: Pareto-smoothed log importance weights, whose exponentials sum to one |
/// | `log_likelihood` | `log p(y_r given θ)` of the training rows, `(chain, draw, row)` |
/// | `posterior_predictive` | responses drawn for the training and the test rows |
/// | `observed_data` | the responses themselves |
///
/// Draws are independent; they are cut into chains because that is the form that ArviZ's diagnostics ask for.
public struct InferenceData {
  public var draws: FittedDraws
  public var chains: Int
  public var target: any LogDensity
  /// Whether the target has no rows (but shards of its own perhaps), so that log π can be computed here.
  public var hasNoRows: Bool
  /// The response's name; nil without data.
  public var response: String?
  public var train: Design?
  public var test: Design?
  /// This program's.
  public var version: String
  /// Now, or what `SOURCE_DATE_EPOCH` says (reproducible-builds.org).
  public var created =
    ProcessInfo.processInfo.environment["SOURCE_DATE_EPOCH"].flatMap(Double.init).map {
      Date(timeIntervalSince1970: $0)
    } ?? Date()

  /// - Parameters:
  ///   - chains: into how many the draws are cut; what is left over is left out.
  ///   - train: nil: nothing about rows is written.
  public init(
    _ draws: FittedDraws, chains: Int, target: any LogDensity, hasNoRows: Bool, response: String? = nil,
    train: Design? = nil, test: Design? = nil, version: String
  ) {
    self.draws = draws
    self.chains = chains
    self.target = target
    self.hasNoRows = hasNoRows
    self.response = response
    self.train = train
    self.test = test
    self.version = version
  }

  public static let fileName = "fit.nc"
  /// Chains that draws are cut into when there are enough.
  public static let usualChains = 4
  /// The draws of all variables take this many bytes at most.
  public static let posteriorBytes = 256 << 20
  /// Numbers in the matrices of draws × rows: 2000 rows with 4000 draws.
  public static let rowNumbers = 8_000_000

  /// How many draws of a target a file holds at most.
  public static func mostDraws(_ target: any LogDensity) -> Int {
    let width = max(target.dimension, target.outputCount, 1)
    return max(4 * usualChains, posteriorBytes / (8 * width) / usualChains * usualChains)
  }

  /// Into how many chains draws are cut so that none is left out: 4, 2 or 1, of four draws or more.
  public static func chains(for draws: Int) -> Int {
    [usualChains, 2].first { draws % $0 == 0 && draws / $0 >= 4 } ?? 1
  }

  var drawsPerChain: Int { draws.count / chains }

  /// Rows that have a log likelihood and replicated responses, at most.
  var mostRows: Int { InferenceData.rowNumbers / max(1, chains * drawsPerChain) }

  /// What is left out and why.
  public var notes: [String] {
    guard let train, target.predictedResponse != nil else { return [] }
    let limit = "are more than the \(mostRows) that are kept with \(chains * drawsPerChain) draws"
    var notes: [String] = []
    if train.manifest.rows > mostRows {
      notes.append(
        "log_likelihood and the training rows' predictions are left out: \(train.manifest.rows) rows \(limit)"
      )
    }
    if let test, test.manifest.rows > mostRows {
      notes.append("the test rows' predictions are left out: \(test.manifest.rows) rows \(limit)")
    }
    return notes
  }

  /// Makes the file.
  /// - Parameters:
  ///   - check: called between blocks of draws; what it throws ends the work.
  ///   - write: takes the file's bytes.
  /// - Throws: ``ReportingError``, `PosteriorError`, `DatasetError`.
  public func encode(check: () throws -> Void = {}, write: (UnsafeRawBufferPointer) throws -> Void) throws {
    let file = try NetCDFFile()
    try describe(file.root)
    let posterior = try PosteriorGroup(self, file.root)
    let rows = try RowGroups(self, file.root)
    let maker = draws.maker()
    let workspace = DensityWorkspace()
    let size = FittedDraws.blockSize(dimension: draws.dimension)
    var statistics = SampleStatistics(self)
    for chain in 0..<chains {
      for start in stride(from: 0, to: drawsPerChain, by: size) {
        try check()
        let count = min(size, drawsPerChain - start)
        let first = chain * drawsPerChain + start
        let made = maker.make(first..<first + count)
        statistics.take(made, workspace)
        let place = DrawPlace(chain: chain, start: start, count: count, number: first)
        try posterior.write(made.positions, at: place, workspace)
        try rows?.write(made.positions, at: place, workspace, check: check)
      }
    }
    try statistics.write(to: file.root)
    try check()
    try file.finish(write)
  }

  /// The attributes that ArviZ's schema asks for, of the file or of a group.
  func describe(_ group: NetCDFGroup) throws {
    try group.describe(
      "created_at", created.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true)))
    for name in ["creation_library", "inference_library"] {
      try group.describe(name, "isomix")
      try group.describe("\(name)_version", version)
    }
    try group.describe("creation_library_language", "Swift")
    if !notes.isEmpty { try group.describe("note", notes.joined(separator: "; ")) }
  }

  /// A group with its attributes and the dimensions of draws.
  func drawGroup(_ name: String, in root: NetCDFGroup) throws -> (
    group: NetCDFGroup, dimensions: [NetCDFGroup.Dimension]
  ) {
    let group = try root.group(name)
    try describe(group)
    return (
      group, [try group.index("chain", count: chains), try group.index("draw", count: drawsPerChain)]
    )
  }
}

/// Where some consecutive draws stand.
struct DrawPlace {
  let chain: Int
  /// The first one in its chain.
  let start: Int
  let count: Int
  /// The first one among all.
  let number: Int
}
