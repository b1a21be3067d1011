import Datasets
import Posteriors
import Reporting

/// All that a report is made from. Two equal contents give the same bytes.
public struct ReportContent: Sendable {
  public var mixture: FittedMixture
  /// Nil when the folder has no `summary.json`.
  public var summary: ReportedSummary?
  /// Nil when the fit did not judge itself.
  public var diagnostics: Diagnostics?
  public var workers: WorkerActivity?
  /// The text of `trace.csv`.
  public var trace: String
  /// The resolved spec.
  public var specification: String
  public var provenance: Provenance
  /// The target, to see what users see of θ and what it predicts; nil when it can't be made any more.
  public var target: (any LogDensity)?
  public var train: Design?
  public var test: Design?
  /// Why something of the above is missing, in sentences.
  public var gaps: [String]

  /// Where the fit comes from.
  public struct Provenance: Sendable, Equatable {
    public var version: String?
    public var build: String?
    /// The digest of the numerics fingerprint.
    public var numerics: String?
    public var trainDigest: String?
    public var testDigest: String?

    public init(
      version: String? = nil, build: String? = nil, numerics: String? = nil, trainDigest: String? = nil,
      testDigest: String? = nil
    ) {
      self.version = version
      self.build = build
      self.numerics = numerics
      self.trainDigest = trainDigest
      self.testDigest = testDigest
    }
  }

  public init(
    mixture: FittedMixture, summary: ReportedSummary? = nil, diagnostics: Diagnostics? = nil,
    workers: WorkerActivity? = nil, trace: String = "", specification: String = "",
    provenance: Provenance = Provenance(), target: (any LogDensity)? = nil, train: Design? = nil,
    test: Design? = nil, gaps: [String] = []
  ) {
    self.mixture = mixture
    self.summary = summary
    self.diagnostics = diagnostics
    self.workers = workers
    self.trace = trace
    self.specification = specification
    self.provenance = provenance
    self.target = target
    self.train = train
    self.test = test
    self.gaps = gaps
  }
}
