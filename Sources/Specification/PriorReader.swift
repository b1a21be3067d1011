import Posteriors

extension CoefficientPriors {
  /// The prior of a spec that names none.
  static let usual = CoefficientPriors(.normal(scale: 10))

  /// Reads `{LAW: {…}}` for everything, or `{intercept: {LAW: {…}}, coefficients: {LAW: {…}}}`.
  init(_ node: SpecificationNode, hasIntercept: Bool) throws(SpecificationError) {
    let blocks = ["intercept", "coefficients"]
    let mapping = try node.mapping(PriorLaw.Name.allCases.map(\.rawValue) + blocks)
    guard mapping.values.keys.contains(where: blocks.contains) else {
      let law = try PriorLaw(node, laws: PriorLaw.Name.allCases)
      if case .horseshoe = law {
        throw node.error(
          "model.prior: the horseshoe is for coefficients, not the intercept: write "
            + "{coefficients: {horseshoe: {scale: 1}}}")
      }
      self.init(law)
      return
    }
    try mapping.forbid(
      PriorLaw.Name.allCases.map(\.rawValue), because: "has no place beside priors of blocks")
    if !hasIntercept {
      try mapping.forbid(["intercept"], because: "has no place here: model.intercept is false")
    }
    self = .usual
    if let block = mapping["intercept"] {
      intercept = try PriorLaw(block, laws: [.normal, .studentT, .laplace])
    }
    if let block = mapping["coefficients"] {
      coefficients = try PriorLaw(block, laws: PriorLaw.Name.allCases)
    }
  }

  /// The value as the spec writes it.
  func yaml(hasIntercept: Bool) -> String {
    if intercept == coefficients { return coefficients.yaml }
    return (hasIntercept ? "{intercept: \(intercept.yaml), " : "{") + "coefficients: \(coefficients.yaml)}"
  }
}

extension PriorLaw {
  /// A law's name in a spec.
  enum Name: String, CaseIterable {
    case normal
    case studentT = "student_t"
    case laplace
    case horseshoe
  }

  /// Reads `{LAW: {…}}` with one of some laws.
  init(_ node: SpecificationNode, laws: [Name]) throws(SpecificationError) {
    let mapping = try node.mapping(laws.map(\.rawValue))
    let named = laws.filter { mapping[$0.rawValue] != nil }
    guard named.count <= 1 else {
      throw node.error(
        "\(node.path) must name one law, not \(named.map(\.rawValue).joined(separator: " and "))")
    }
    let name = named.first ?? .normal
    let value = try mapping.required(name.rawValue)
    switch name {
    case .studentT:
      let numbers = try value.mapping(["degrees", "scale"])
      self = .studentT(
        degrees: try numbers.required("degrees").positive(), scale: try numbers.required("scale").positive())
    case .normal: self = .normal(scale: try value.mapping(["scale"]).required("scale").positive())
    case .laplace: self = .laplace(scale: try value.mapping(["scale"]).required("scale").positive())
    case .horseshoe: self = .horseshoe(scale: try value.mapping(["scale"]).required("scale").positive())
    }
  }

  /// The value as the spec writes it.
  var yaml: String {
    switch self {
    case .normal(let scale): "{normal: {scale: \(scale)}}"
    case .studentT(let degrees, let scale): "{student_t: {degrees: \(degrees), scale: \(scale)}}"
    case .laplace(let scale): "{laplace: {scale: \(scale)}}"
    case .horseshoe(let scale): "{horseshoe: {scale: \(scale)}}"
    }
  }
}
