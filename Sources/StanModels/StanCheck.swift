import NumericsKit
import Synchronization

/// How a library computes log densities, found out by trying when the first one is asked for: never before, because an
/// evaluation may crash the process.
final class TermsInUse: Sendable {
  struct Library: Sendable {
    /// Whether it computes without constants only.
    var propto = false
    /// Whether it counts the change of variables whatever it is asked.
    var isJacobianForced = false
    /// What it says where nothing could be evaluated.
    var failure: String?
  }

  private let found = Mutex<Library?>(nil)

  /// What the library does, from the same points in every process.
  func settled(by model: StanModel) -> Library {
    if let known = found.withLock({ $0 }) { return known }
    // Two threads may both try; they find the same.
    let library = model.probe()
    let isFirst = found.withLock { known in
      defer { known = library }
      return known == nil
    }
    if isFirst, library.propto {
      StanConsole.shared.warn(
        "the Stan library leaves constants away (it refuses propto=false): the ELBO is that of the posterior up to a "
          + "constant, and can be compared with those of the same model and data only")
    }
    return library
  }
}

extension StanModel {
  /// Points at which a model is tried, at most.
  private static let trials = 50
  /// Points at which shards are compared with the whole.
  private static let comparisons = 3
  /// Largest relative difference between the shards and the whole.
  private static let tolerance = 1e-8

  /// A point around the origin, always the same.
  private func point(_ number: Int) -> [Double] {
    var point = [Double](repeating: 0, count: dimension)
    Noise(seed: 0x57A4).fillNormals(
      .initialization, iteration: 0, component: 0, samples: number..<number + 1, dimension: dimension,
      into: &point)
    // Narrower ones between, where more models have a density.
    let scale = number % 2 == 0 ? 1.0 : 0.1
    return point.map { scale * $0 }
  }

  /// Tries what the library computes.
  func probe() -> TermsInUse.Library {
    var library = TermsInUse.Library()
    var reason: String?
    var slopes = [Double](repeating: 0, count: dimension)
    for number in 0..<StanModel.trials {
      let point = point(number)
      func works(_ terms: StanInstance.Terms) -> Bool {
        (shards.first ?? base[0]).instance.logDensity(terms, at: point, gradient: &slopes) {
          reason = reason ?? $0
        } != nil
      }
      let isComplete = works(StanInstance.Terms())
      guard isComplete || works(StanInstance.Terms(propto: true)) else { continue }
      library.propto = !isComplete
      if shards.contains(where: { !$0.jacobian }) {
        library.isJacobianForced = !works(StanInstance.Terms(propto: library.propto, jacobian: false))
      }
      return library
    }
    library.failure = reason ?? "no reason was given"
    return library
  }

  /// Evaluates the model before a process begins to work with it: whether it can be evaluated at all, and whether shards add
  /// up to the whole.
  /// - Throws: ``StanError``.
  public func check() throws {
    let library = terms.settled(by: self)
    if let failure = library.failure {
      throw StanError(
        .model,
        "the model \(configuration.library) rejects all of \(StanModel.trials) points around the origin of its unconstrained "
          + "parameters: \(failure)")
    }
    if library.isJacobianForced { try checkUnconstrained() }
    if shards.count > 1, let whole { try compare(with: whole()) }
  }

  /// A Jacobian that can't be left away does not matter when there is none.
  private func checkUnconstrained() throws {
    let point = point(0)
    let instance = shards[0].instance
    var values = [Double](repeating: 0, count: instance.outputNames(StanOutputs()).count)
    try instance.constrain(point, StanOutputs(), seed: configuration.seed, into: &values)
    guard values == point else {
      throw StanError(
        .model,
        "the Stan library \(configuration.library) counts the change of variables in every shard (it refuses "
          + "jacobian=false), and this model has constrained parameters: give the data in one file, with model.shard_by"
      )
    }
  }

  /// Whether the shards and the surplus of priors are the model of all rows.
  private func compare(with whole: StanInstance) throws {
    let use = terms.settled(by: self)
    var compared = 0
    for number in 0..<StanModel.trials where compared < StanModel.comparisons {
      let point = point(number)
      var sum = [Double](repeating: 0, count: dimension + 1)
      var size = sum
      var isRejected = false
      func add(_ instance: StanInstance, _ weight: Double) {
        var slopes = [Double](repeating: 0, count: dimension)
        let value = instance.logDensity(
          StanInstance.Terms(propto: use.propto), at: point, gradient: &slopes
        ) { _ in isRejected = true }
        for (index, part) in ([value ?? 0] + slopes).enumerated() {
          sum[index] += weight * part
          size[index] += abs(weight * part)
        }
      }
      for term in base + shards { add(term.instance, term.weight) }
      add(whole, -1)
      if isRejected { continue }
      compared += 1
      for index in sum.indices where abs(sum[index]) > StanModel.tolerance * max(1, size[index]) {
        let what = index == 0 ? "the log density" : "the gradient for \(parameterNames[index - 1])"
        throw StanError(
          .model,
          "model.shard_by: the shards don't add up to the model of all rows: \(what) differs by \(sum[index]) at a random point. "
            + "The likelihood must be a sum over the rows that '\(configuration.sharding?.size ?? "")' counts, of which "
            + "model.shard_by.slice names every array, and nothing else may depend on them")
      }
    }
  }
}
