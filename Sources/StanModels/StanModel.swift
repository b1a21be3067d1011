import NumericsKit
import Posteriors
import Synchronization

/// A Stan model as a target: θ are its unconstrained parameters, `V = −log p(θ, data)` with all constants and the change of
/// variables, as far as its library can.
///
/// With data in shards, V is a sum over them and the workers share it. Points that the model rejects have `V = +∞`; why
/// is told to ``StanConsole``.
public struct StanModel: ForeignDensity {
  /// What a model is made of.
  public struct Configuration: Sendable, Hashable {
    /// The shared library.
    public var library: String
    /// The Stan program, for a library that interprets programs.
    public var program: String?
    /// JSON files: none, one, or one a shard.
    public var data: [String]
    /// How one file is cut into shards.
    public var sharding: Sharding?
    public var outputs: StanOutputs
    /// Of the model's own random numbers.
    public var seed: UInt32

    public init(
      library: String, program: String? = nil, data: [String] = [], sharding: Sharding? = nil,
      outputs: StanOutputs = StanOutputs(), seed: UInt32 = 1
    ) {
      self.library = library
      self.program = program
      self.data = data
      self.sharding = sharding
      self.outputs = outputs
      self.seed = seed
    }

    /// The files of which a model is made, each with what it is.
    public var files: [(what: String, path: String)] {
      [("the Stan library", library)] + (program.map { [("the Stan program", $0)] } ?? [])
        + data.map { ("the Stan data", $0) }
    }
  }

  /// How the rows of a data file become shards.
  public struct Sharding: Sendable, Hashable {
    /// The variable with the number of rows.
    public var size: String
    /// The arrays with an element a row.
    public var slice: [String]
    public var shards: Int

    public init(size: String, slice: [String], shards: Int) {
      self.size = size
      self.slice = slice
      self.shards = shards
    }
  }

  /// A model times a weight: parts of V that add up.
  struct Term: Sendable {
    var instance: StanInstance
    var weight = 1.0
    var jacobian = true
  }

  public let parameterNames: [String]
  public let outputVariables: [OutputVariable]
  public var dimension: Int { parameterNames.count }
  public var logNormalizer: Double? { nil }
  public var priorMoments: PriorMoments? { nil }
  public var shardCount: Int { shards.count }

  let configuration: Configuration
  let base: [Term]
  let shards: [Term]
  /// Makes the model of all data, to which the shards must add up; nil without a cut.
  let whole: (@Sendable () throws -> StanInstance)?
  private let variables: StanVariables
  private let sample: StanInstance
  let terms: TermsInUse

  /// Constructs the model with its data.
  /// - Throws: ``StanError``.
  public init(_ configuration: Configuration) throws {
    self.configuration = configuration
    let parts = try StanParts(configuration)
    sample = parts.sample
    base = parts.base
    shards = parts.shards
    whole = parts.whole
    parameterNames = sample.parameterNames
    guard !parameterNames.isEmpty else {
      throw StanError(.model, "the model \(configuration.library) has no parameters: there is nothing to fit")
    }
    variables = StanVariables(names: sample.outputNames(configuration.outputs))
    outputVariables = variables.variables
    terms = TermsInUse()
  }

  // MARK: Density.

  public func accumulateBase(
    points: UnsafePointer<Double>, count: Int, value: UnsafeMutablePointer<Double>,
    gradient: UnsafeMutablePointer<Double>?, workspace: DensityWorkspace
  ) {
    for term in base { accumulate(term, points: points, count: count, value: value, gradient: gradient) }
  }

  public func accumulateShards(
    _ shards: Range<Int>, points: UnsafePointer<Double>, count: Int, value: UnsafeMutablePointer<Double>,
    gradient: UnsafeMutablePointer<Double>?, workspace: DensityWorkspace
  ) {
    for shard in shards {
      accumulate(self.shards[shard], points: points, count: count, value: value, gradient: gradient)
    }
  }

  private func accumulate(
    _ term: Term, points: UnsafePointer<Double>, count: Int, value: UnsafeMutablePointer<Double>,
    gradient: UnsafeMutablePointer<Double>?
  ) {
    let dimension = dimension
    let library = terms.settled(by: self)
    let use = StanInstance.Terms(
      propto: library.propto, jacobian: term.jacobian || library.isJacobianForced)
    var slopes = [Double](repeating: 0, count: gradient == nil ? 0 : dimension)
    for row in 0..<count {
      let logDensity = slopes.withUnsafeMutableBufferPointer { slopes in
        term.instance.logDensity(
          use, at: points + row * dimension, gradient: gradient == nil ? nil : slopes.baseAddress,
          orReason: StanConsole.shared.reject)
      }
      guard let logDensity else {
        value[row] = .infinity
        continue
      }
      value[row] -= term.weight * logDensity
      guard let gradient else { continue }
      for k in 0..<dimension { gradient[row * dimension + k] -= term.weight * slopes[k] }
    }
  }

  // MARK: What users see.

  /// The constrained parameters, and what else is asked for. Generated quantities depend on the seed and the point alone.
  public func computeOutputs(
    points: UnsafePointer<Double>, count: Int, into output: UnsafeMutablePointer<Double>,
    workspace: DensityWorkspace
  ) throws {
    let width = variables.places.count
    var values = [Double](repeating: 0, count: width)
    for row in 0..<count {
      let point = points + row * dimension
      do throws(StanError) {
        try sample.constrain(point, configuration.outputs, seed: seed(of: point), into: &values)
      } catch {
        throw PosteriorError(
          code: .range, message: "the model has no values for draw \(row + 1): \(error.message)")
      }
      for (place, from) in variables.places.enumerated() {
        guard !values[from].isNaN else {
          throw PosteriorError(
            code: .range,
            message:
              "\(variables.variables.flatMap(\.columnNames)[place]) of the model is not a number for draw "
              + "\(row + 1)")
        }
        output[row * width + place] = values[from]
      }
    }
  }

  private func seed(of point: UnsafePointer<Double>) -> UInt32 {
    guard configuration.outputs.generated else { return configuration.seed }
    var builder = DigestBuilder()
    builder.update("\(configuration.seed)")
    builder.update(Array(UnsafeBufferPointer(start: point, count: dimension)))
    return builder.finalize().bytes.prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
  }
}
