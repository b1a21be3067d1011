import Posteriors

extension ModelSpecification {
  /// Dimension of an analytic target, at most: full covariances are held.
  static let maximumDimension = 10_000

  init(_ node: SpecificationNode, folder: String) throws(SpecificationError) {
    guard let mapping = node.node.mapping, let familyNode = mapping["family"] else {
      throw node.error(
        "'model.family' is missing. Valid: \(ModelSpecification.families.joined(separator: ", "))")
    }
    let reader = SpecificationNode(node: familyNode, path: "model.family", source: node.source)
    let family: String = try reader.choice(ModelSpecification.families.map { ($0, $0) })
    switch family {
    case "gaussian": self = try ModelSpecification.gaussian(node)
    case "gaussian_mixture": self = try ModelSpecification.gaussianMixture(node, folder: folder)
    case "student_t_mixture": self = try ModelSpecification.studentMixture(node, folder: folder)
    case "funnel": self = try ModelSpecification.funnel(node)
    case "banana": self = try ModelSpecification.banana(node)
    case "stan": self = .stan(try StanSpecification(node, folder: folder))
    case "custom": self = .custom(try CustomSpecification(node))
    case "sinh_arcsinh": self = try ModelSpecification.sinhArcsinh(node)
    default:
      if let network = NetworkSpecification.Family(rawValue: family) {
        self = .network(try NetworkSpecification(node, family: network))
      } else if let regression = RegressionSpecification.Family(rawValue: family) {
        self = .regression(try RegressionSpecification(node, family: regression))
      } else {
        throw node.error("unknown family '\(family)'")
      }
    }
  }

  private static func gaussian(_ node: SpecificationNode) throws(SpecificationError) -> ModelSpecification {
    let values = try node.mapping(["family", "mean", "covariance"])
    let mean = try values.required("mean").numbers()
    let dimension = try checked(mean.count, values.required("mean"))
    return .gaussian(
      mean: mean, covariance: try covariance(values.required("covariance"), dimension: dimension))
  }

  private static func gaussianMixture(_ node: SpecificationNode, folder: String) throws(SpecificationError)
    -> ModelSpecification
  {
    let values = try mixtureKeys(node, ["weights", "means", "covariances"], folder: folder)
    let parts = try MixtureParts(values, matrices: "covariances")
    return .gaussianMixture(weights: parts.weights, means: parts.means, covariances: parts.matrices)
  }

  private static func sinhArcsinh(_ node: SpecificationNode) throws(SpecificationError) -> ModelSpecification
  {
    let values = try node.mapping(["family", "covariance", "skew", "tail"])
    let skew = try values.required("skew").numbers()
    let dimension = try checked(skew.count, values.required("skew"))
    let tailNode = try values.required("tail")
    let tail = try tailNode.numbers()
    guard tail.count == dimension, tail.allSatisfy({ $0 > 0 }) else {
      throw tailNode.error("model.tail must be \(dimension) positive numbers, as many as model.skew has")
    }
    let covariance =
      try values["covariance"].map { node throws(SpecificationError) in
        try ModelSpecification.covariance(node, dimension: dimension)
      } ?? identity(dimension)
    return .sinhArcsinh(covariance: covariance, skew: skew, tail: tail)
  }

  /// A covariance: a full matrix, its diagonal, or one variance for all coordinates.
  static func covariance(_ node: SpecificationNode, dimension: Int) throws(SpecificationError)
    -> [[Double]]
  {
    guard node.node.sequence != nil else {
      let variance = try node.positive()
      return identity(dimension, scale: variance)
    }
    let rows = try node.list()
    guard rows.count == dimension else {
      throw node.error("\(node.path) has \(rows.count) rows for dimension \(dimension)")
    }
    if rows.allSatisfy({ $0.node.scalar != nil }) {
      let diagonal = try rows.map { entry throws(SpecificationError) in try entry.positive() }
      var matrix = identity(dimension)
      for index in 0..<dimension { matrix[index][index] = diagonal[index] }
      return matrix
    }
    let matrix = try rows.map { row throws(SpecificationError) in try row.numbers() }
    for (i, row) in matrix.enumerated() {
      guard row.count == dimension else {
        throw rows[i].error("\(rows[i].path) has \(row.count) numbers for dimension \(dimension)")
      }
      for j in 0..<i where matrix[i][j] != matrix[j][i] {
        throw rows[i].error("\(node.path) is not symmetric: [\(i + 1)][\(j + 1)] and [\(j + 1)][\(i + 1)]")
      }
    }
    return matrix
  }

  static func identity(_ dimension: Int, scale: Double = 1) -> [[Double]] {
    (0..<dimension).map { i in (0..<dimension).map { $0 == i ? scale : 0 } }
  }

  static func checked(_ dimension: Int, _ node: SpecificationNode) throws(SpecificationError) -> Int {
    guard (1...maximumDimension).contains(dimension) else {
      throw node.error("\(node.path) makes dimension \(dimension); it must be 1 to \(maximumDimension)")
    }
    return dimension
  }
}

extension RegressionSpecification {
  /// The keys of a family.
  private static func keys(_ family: Family) -> [String] {
    ["family", "response", "features", "intercept", "prior"] + (family.hasNoise ? ["noise"] : [])
      + (family == .studentT ? ["degrees"] : []) + (family == .negativeBinomial ? ["overdispersion"] : [])
      + (family.takesGroups ? ["groups", "group_scale", "group_effects"] : [])
  }

  init(_ node: SpecificationNode, family: Family) throws(SpecificationError) {
    self.family = family
    if family == .softmax {
      try node.mappingAsIs.forbid(
        ["groups", "group_scale", "group_effects"],
        because:
          "has no place here: levels have effects in families with one linear predictor, not in softmax")
    }
    let values = try node.mapping(RegressionSpecification.keys(family))
    let hasIntercept = try values["intercept"]?.bool() ?? true
    intercept = hasIntercept
    let columns = try ModelColumns(
      values,
      empty: hasIntercept
        ? nil : " and model.intercept is false: there is nothing to fit; name a column or set intercept: true"
    )
    response = columns.response
    features = columns.features
    priors =
      try values["prior"].map { node throws(SpecificationError) in
        try CoefficientPriors(node, hasIntercept: hasIntercept)
      } ?? .usual
    noise = family.hasNoise ? try NoiseSpecification(values.required("noise")) : .known(1)
    if family == .negativeBinomial {
      overdispersion = try NoiseSpecification(values.required("overdispersion"))
    }
    degrees = try values["degrees"]?.positive() ?? RegressionSpecification.usualDegrees
    try readGroups(values)
  }

  /// `auto`, one word for all columns, or a word for each.
  private func groupEffects(_ node: SpecificationNode) throws(SpecificationError) -> [GroupParametrization] {
    let words = GroupParametrization.allCases.map { ($0.rawValue, $0) }
    guard node.node.mapping != nil else {
      let choice: GroupParametrization? = try node.choice([("auto", nil)] + words.map { ($0.0, $0.1) })
      return choice.map { [GroupParametrization](repeating: $0, count: groups.count) } ?? []
    }
    let values = try node.mapping(groups)
    return try groups.map { name throws(SpecificationError) in try values.required(name).choice(words) }
  }

  private mutating func readGroups(_ values: SpecificationMapping) throws(SpecificationError) {
    guard let node = values["groups"] else {
      try values.forbid(["group_scale", "group_effects"], because: "has no place without model.groups")
      return
    }
    groups = try node.list().map { item throws(SpecificationError) in try item.text() }
    guard !groups.isEmpty else { throw node.error("model.groups lists no column; name one, or leave it out") }
    guard Set(groups).count == groups.count else { throw node.error("model.groups names a column twice") }
    guard !groups.contains(response) else {
      throw node.error("model.groups contains the response '\(response)'")
    }
    if let both = features?.first(where: groups.contains) {
      throw node.error("'\(both)' is in model.groups and in model.features; it can be in one of them")
    }
    groupScale = try values["group_scale"]?.halfNormalScale() ?? 1
    groupEffects =
      try values["group_effects"].map { node throws(SpecificationError) in try groupEffects(node) } ?? []
  }
}
