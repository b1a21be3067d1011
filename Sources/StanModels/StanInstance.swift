import CBridgeStan

/// A model with its data: what `bs_model_construct` makes.
// Sendable by proof: the library says that a constructed model does not change when it is evaluated, and `call`
// serialises what its library does not allow to happen at once.
final class StanInstance: @unchecked Sendable {
  let library: StanLibrary
  private let model: UnsafeMutableRawPointer
  /// Number of unconstrained parameters, d.
  let dimension: Int

  /// - Parameters:
  ///   - data: JSON text.
  ///   - source: where the data are from, for messages.
  /// - Throws: ``StanError`` with the model's own message when the data don't fit it.
  init(_ library: StanLibrary, data: [UInt8], seed: UInt32, source: String) throws {
    var message: UnsafeMutablePointer<CChar>?
    let text = data.map { CChar(bitPattern: $0) } + [0]
    let model = library.call { isomix_stan_construct(library.handle, text, seed, &message) }
    guard let model else {
      let reason = library.text(of: message)
      let advice =
        library.isInterpreter && reason.contains("__stanli")
        ? " Give the model's Stan program as model.program." : ""
      throw StanError(.data, "the model \(library.path) does not take \(source): \(reason).\(advice)")
    }
    self.library = library
    self.model = model
    dimension = Int(library.call { isomix_stan_unconstrained_count(library.handle, model) })
    library.learn(from: library.call { String(cString: isomix_stan_info(library.handle, model)) })
  }

  deinit { library.call { isomix_stan_destruct(library.handle, model) } }

  /// Names of the d unconstrained parameters, as `beta.2`.
  var parameterNames: [String] {
    StanInstance.list(
      library.call { String(cString: isomix_stan_unconstrained_names(library.handle, model)) })
  }

  /// Names of the constrained quantities, in the library's order.
  func outputNames(_ outputs: StanOutputs) -> [String] {
    StanInstance.list(
      library.call {
        String(cString: isomix_stan_names(library.handle, model, outputs.transformed, outputs.generated))
      })
  }

  private static func list(_ names: String) -> [String] {
    names.isEmpty ? [] : names.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
  }

  /// How a log density is asked for.
  struct Terms: Sendable, Hashable {
    /// Whether terms without parameters are left away.
    var propto = false
    /// Whether the change of variables counts.
    var jacobian = true
  }

  /// The log density at a point, and its gradient unless nil.
  ///
  /// - Returns: nil when the model has none there: it said so, or a number is not finite.
  func logDensity(
    _ terms: Terms, at point: UnsafePointer<Double>, gradient: UnsafeMutablePointer<Double>?,
    orReason reason: (String) -> Void
  ) -> Double? {
    var message: UnsafeMutablePointer<CChar>?
    var value = 0.0
    let code = library.call {
      if let gradient {
        return isomix_stan_gradient(
          library.handle, model, terms.propto, terms.jacobian, point, &value, gradient, &message)
      }
      return isomix_stan_log_density(
        library.handle, model, terms.propto, terms.jacobian, point, &value, &message)
    }
    guard code == 0 else {
      reason(library.text(of: message))
      return nil
    }
    guard value.isFinite else {
      reason("the log density is \(value)")
      return nil
    }
    for k in 0..<(gradient == nil ? 0 : dimension) {
      if let slope = gradient?[k], !slope.isFinite {
        reason("the gradient of the log density is \(slope) for parameter \(k + 1)")
        return nil
      }
    }
    return value
  }

  /// Writes the constrained quantities at a point, in the library's order.
  /// - Parameter seed: of the generator of generated quantities.
  /// - Throws: ``StanError`` with the model's own message.
  func constrain(
    _ point: UnsafePointer<Double>, _ outputs: StanOutputs, seed: UInt32,
    into values: UnsafeMutablePointer<Double>
  ) throws(StanError) {
    var message: UnsafeMutablePointer<CChar>?
    let code = library.call { () -> Int32 in
      var generator: UnsafeMutableRawPointer?
      if outputs.generated {
        generator = isomix_stan_rng(library.handle, seed, &message)
        guard generator != nil else { return -1 }
      }
      defer { if let generator { isomix_stan_free_rng(library.handle, generator) } }
      return isomix_stan_constrain(
        library.handle, model, outputs.transformed, outputs.generated, point, values, generator, &message)
    }
    guard code == 0 else { throw StanError(.model, library.text(of: message)) }
  }
}

/// Which quantities of a model are shown besides its parameters.
public struct StanOutputs: Sendable, Hashable {
  public var transformed: Bool
  public var generated: Bool

  public init(transformed: Bool = false, generated: Bool = false) {
    self.transformed = transformed
    self.generated = generated
  }
}
