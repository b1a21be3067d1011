import Coordination
import Foundation
import Mixtures
import NumericsKit
import Reporting

/// How far two fits of the same parameters are from each other.
public struct FitComparison: Sendable {
  /// One of the two.
  struct Side: Encodable, Sendable {
    let path: String
    let family: String
    let components: Int
    let metric: String
    let factorization: String
    let iterations: Int
  }

  let a: Side
  let b: Side
  let dimension: Int
  /// `MW₂`, the root of ``FittedMixture/squaredMixtureDistance(to:)``, in θ's units; nil when numbers are too large, or
  /// when only one of the two factorises over coordinates.
  let mixtureDistance: Double?
  let parameters: [ParameterComparison]
  let evidence: EvidenceComparison?
  /// Why there is no `evidence`.
  let obstacle: String?

  /// Compares two fits, given as folders or as `mixture.json`.
  /// - Throws: errors that ``RunFailure`` puts in words.
  public init(_ first: String, _ second: String) throws {
    BLAS.prepare()
    let (a, b) = (try FitRecord(first), try FitRecord(second))
    try FitComparison.check(a, b)
    (self.a, self.b) = (Side(a), Side(b))
    dimension = a.mixture.dimension
    mixtureDistance = try a.mixture.squaredMixtureDistance(to: b.mixture)?.squareRoot()
    let moments = zip(try a.mixture.moments(), try b.mixture.moments())
    parameters = zip(a.mixture.names, moments).map { ParameterComparison($0, $1.0, $1.1) }
    let reason = EvidenceComparison.obstacle(a, b)
    let comparison = reason == nil ? EvidenceComparison(a.summary, b.summary) : nil
    evidence = comparison
    obstacle = reason ?? (comparison == nil ? "not every one of the two has an ELBO with its error" : nil)
  }

  private static func check(_ a: FitRecord, _ b: FitRecord) throws {
    let (first, second) = (a.mixture.names, b.mixture.names)
    guard first.count == second.count else {
      throw RuntimeError(
        "\(a.path) has \(first.count) parameter(s), \(b.path) has \(second.count): only fits of the same parameters can "
          + "be compared", exitCode: ExitCode.badData)
    }
    for (k, (name, other)) in zip(first, second).enumerated() where name != other {
      throw RuntimeError(
        "parameter \(k + 1) is '\(name)' in \(a.path) and '\(other)' in \(b.path): only fits of the same parameters can "
          + "be compared", exitCode: ExitCode.badData)
    }
  }

  /// Why there is no distance.
  private var noDistance: String {
    a.factorization == b.factorization
      ? "the numbers are too large" : "only one of the two fits has mixtures of the whole parameter"
  }

  /// Parameters that a reader is shown.
  private static let shownParameters = 10

  /// The comparison as lines for a reader.
  public var text: String {
    let shown = parameters.enumerated().sorted {
      $0.element.size != $1.element.size ? $0.element.size > $1.element.size : $0.offset < $1.offset
    }.prefix(FitComparison.shownParameters).map(\.element)
    var lines = [
      "A  \(a.text)", "B  \(b.text)",
      "MW₂   "
        + (mixtureDistance.map { String(format: "%.6g", $0) } ?? "not defined: \(noDistance)")
        + " (mixture-Wasserstein distance over \(dimension) parameter(s))",
      evidence?.text ?? "ELBO  not comparable: \(obstacle ?? "")",
      shown.count < parameters.count ? "the \(shown.count) parameters that differ most:" : "parameters:",
      ParameterComparison.heading,
    ]
    lines += shown.map(\.text)
    return lines.joined(separator: "\n")
  }
}

extension FitComparison.Side {
  init(_ record: FitRecord) {
    let mixture = record.mixture
    self.init(
      path: record.path, family: mixture.family, components: mixture.components, metric: mixture.metric,
      factorization: mixture.factorization.rawValue,
      iterations: mixture.iteration)
  }

  var text: String {
    "\(path): \(family), \(components) component(s)"
      + (factorization == Factorization.full.rawValue ? ", metric \(metric)" : " of each coordinate")
      + ", after \(iterations) iterations"
  }
}

extension FitComparison: Encodable {
  private enum Key: String, CodingKey {
    case a, b, dimension, mixtureDistance, parameters, elbo, elboNote
  }

  /// Writes every key, with null for what is not defined.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(a, forKey: .a)
    try container.encode(b, forKey: .b)
    try container.encode(dimension, forKey: .dimension)
    try container.encode(mixtureDistance, forKey: .mixtureDistance)
    try container.encode(parameters, forKey: .parameters)
    try container.encode(evidence, forKey: .elbo)
    try container.encode(obstacle, forKey: .elboNote)
  }
}
