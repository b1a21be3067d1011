import Foundation
import Posteriors
import Specification

/// Targets that a program adds to the families: `model: {family: custom, name: NAME}` in a spec.
///
/// Coordinator and workers are the same executable, so what a program registers before it runs a command is known to all
/// of them:
///
///     CustomTargets.register("ring") { input in try Ring(radius: input.settings["radius"] ?? 3) }
///     IsomixProgram.main()
public enum CustomTargets {
  /// What a spec says of a target.
  public struct Input: Sendable {
    /// `model.settings`.
    public let settings: [String: Double]
    /// Columns of the design matrix; empty for a target without data.
    public let columns: [String]
  }

  public typealias Maker = @Sendable (Input) throws -> any LogDensity

  private static let registry = Registry()

  /// Makes a target known. A second one of the same name replaces the first.
  public static func register(_ name: String, _ make: @escaping Maker) { registry.set(make, for: name) }

  /// - Throws: ``FitError`` when there is no such target, or it can't be made from the spec.
  static func make(_ specification: CustomSpecification, columns: [String]) throws -> any LogDensity {
    guard let make = registry.maker(of: specification.name) else {
      let known = registry.names
      throw FitError(
        .badInput,
        "model.name: this program has no target '\(specification.name)'"
          + (known.isEmpty
            ? ": targets of your own need a program of your own, see cluster/examples/custom-target"
            : "; it has \(known.joined(separator: ", "))"))
    }
    do {
      return try make(Input(settings: specification.settings, columns: columns))
    } catch let error as PosteriorError {
      throw error
    } catch {
      throw FitError(.badInput, "the target '\(specification.name)' can't be made: \(error)")
    }
  }
}

/// The makers by name.
private final class Registry: @unchecked Sendable {
  // Sendable: `makers` is read and written only while `lock` is held.
  private let lock = NSLock()
  private var makers: [String: CustomTargets.Maker] = [:]

  func set(_ maker: @escaping CustomTargets.Maker, for name: String) {
    lock.withLock { makers[name] = maker }
  }

  func maker(of name: String) -> CustomTargets.Maker? { lock.withLock { makers[name] } }

  var names: [String] { lock.withLock { makers.keys.sorted() } }
}
