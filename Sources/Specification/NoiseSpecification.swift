/// A positive number of a likelihood, the standard deviation of a response or its overdispersion: known, or fitted.
public enum NoiseSpecification: Sendable, Equatable {
  case known(Double)
  /// HalfNormal(scale), fitted with the coefficients.
  case halfNormal(scale: Double)
}

extension NoiseSpecification {
  /// Reads a number, the known scale, or the prior of a fitted one.
  init(_ node: SpecificationNode) throws(SpecificationError) {
    guard node.node.mapping != nil else {
      self = .known(try node.positive())
      return
    }
    self = .halfNormal(scale: try node.halfNormalScale())
  }

  /// The value as the spec writes it.
  var yaml: String {
    switch self {
    case .known(let scale): "\(scale)"
    case .halfNormal(let scale): SpecificationNode.halfNormal(scale)
    }
  }
}

extension SpecificationNode {
  /// The scale of `{half_normal: {scale: …}}`.
  func halfNormalScale() throws(SpecificationError) -> Double {
    let prior = try mapping(["half_normal"]).required("half_normal").mapping(["scale"])
    return try prior.required("scale").positive()
  }

  static func halfNormal(_ scale: Double) -> String { "{half_normal: {scale: \(scale)}}" }
}
