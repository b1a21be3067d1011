/// The standard deviation σ of a real response around its mean.
public enum NoiseSpecification: Sendable, Equatable {
  case known(Double)
  /// σ ~ HalfNormal(scale), fitted with the coefficients (family `linear`).
  case halfNormal(scale: Double)
}

extension NoiseSpecification {
  init(_ node: SpecificationNode, family: RegressionSpecification.Family) throws(SpecificationError) {
    guard node.node.mapping != nil else {
      self = .known(try node.positive())
      return
    }
    guard family == .linear else {
      throw node.error(
        "model.noise must be a number, the known standard deviation, for family \(family.rawValue); only linear fits "
          + "it")
    }
    let prior = try node.mapping(["half_normal"]).required("half_normal").mapping(["scale"])
    self = .halfNormal(scale: try prior.required("scale").positive())
  }

  /// The value as the spec writes it.
  var yaml: String {
    switch self {
    case .known(let scale): "\(scale)"
    case .halfNormal(let scale): "{half_normal: {scale: \(scale)}}"
    }
  }
}
