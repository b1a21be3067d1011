import Foundation
import Yams

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
    case "funnel":
      let values = try node.mapping(["family", "variance"])
      self = .funnel(variance: try values["variance"]?.positive() ?? 1.2)
    case "sinh_arcsinh": self = try ModelSpecification.sinhArcsinh(node)
    default: self = .regression(try RegressionSpecification(node, family: family))
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
    let values = try node.mapping(["family", "weights", "means", "covariances", "file"])
    if let file = values["file"] {
      try values.forbid(["weights", "means", "covariances"], because: "has no place beside 'model.file'")
      return try gaussianMixture(fromFile: file, folder: folder)
    }
    return try gaussianMixture(values)
  }

  /// JSON is YAML, so one reader serves the file and the spec.
  private static func gaussianMixture(fromFile file: SpecificationNode, folder: String)
    throws(SpecificationError) -> ModelSpecification
  {
    let path = absolutePath(try file.text(), from: folder)
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
      throw file.error("can't read the target file \(path)")
    }
    guard let composed = try? Yams.compose(yaml: text) else {
      throw file.error("the target file \(path) is not JSON")
    }
    let root = SpecificationNode(node: composed, path: "model", source: SpecificationSource(name: path))
    return try gaussianMixture(root.mapping(["weights", "means", "covariances"]))
  }

  private static func gaussianMixture(_ values: SpecificationMapping) throws(SpecificationError)
    -> ModelSpecification
  {
    let means = try values.required("means").list().map { row throws(SpecificationError) in
      try row.numbers()
    }
    let count = means.count
    guard let first = means.first else { throw try values.required("means").error("model.means is empty") }
    let dimension = try checked(first.count, values.required("means"))
    for (index, mean) in means.enumerated() where mean.count != dimension {
      throw try values.required("means").error(
        "model.means[\(index + 1)] has \(mean.count) numbers, model.means[1] has \(dimension)")
    }
    let covariances = try values.required("covariances").list()
    guard covariances.count == count else {
      throw try values.required("covariances").error(
        "model.covariances has \(covariances.count) entries for \(count) means")
    }
    var weights = [Double](repeating: 1 / Double(count), count: count)
    if let node = values["weights"] {
      weights = try node.numbers()
      guard weights.count == count, weights.allSatisfy({ $0 > 0 }) else {
        throw node.error("model.weights must be \(count) positive numbers, one for each mean")
      }
      let total = weights.reduce(0, +)
      guard abs(total - 1) < 1e-6 else { throw node.error("model.weights must add up to 1, not \(total)") }
    }
    return .gaussianMixture(
      weights: weights, means: means,
      covariances: try covariances.map { entry throws(SpecificationError) in
        try covariance(entry, dimension: dimension)
      })
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
  private static func covariance(_ node: SpecificationNode, dimension: Int) throws(SpecificationError)
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

  private static func identity(_ dimension: Int, scale: Double = 1) -> [[Double]] {
    (0..<dimension).map { i in (0..<dimension).map { $0 == i ? scale : 0 } }
  }

  private static func checked(_ dimension: Int, _ node: SpecificationNode) throws(SpecificationError) -> Int {
    guard (1...maximumDimension).contains(dimension) else {
      throw node.error("\(node.path) makes dimension \(dimension); it must be 1 to \(maximumDimension)")
    }
    return dimension
  }
}

extension RegressionSpecification {
  /// The name that responses from a file of their own go by.
  static let unnamedResponse = "response"
  /// A hundred thousand parameters or more: no machine holds many such components.
  static let maximumHidden = 10_000

  /// The keys of a family.
  private static func keys(_ family: Family) -> [String] {
    ["family", "response", "features"] + (family.hasOwnBiases ? [] : ["intercept"]) + ["prior"]
      + (family.isClassification ? [] : ["noise"]) + (family == .neural ? ["hidden"] : [])
  }

  init(_ node: SpecificationNode, family name: String) throws(SpecificationError) {
    guard let family = Family(rawValue: name) else { throw node.error("unknown family '\(name)'") }
    self.family = family
    if family.hasOwnBiases {
      try node.mappingAsIs.forbid(
        ["intercept"], because: "has no place here: the biases of a network are always there; leave it out")
    }
    let values = try node.mapping(RegressionSpecification.keys(family))
    // A separate NPY file of responses has no column name; `FitSpecification` insists on one otherwise.
    response = try values["response"]?.text() ?? RegressionSpecification.unnamedResponse
    features = try values["features"]?.list().map { item throws(SpecificationError) in try item.text() }
    intercept = try values["intercept"]?.bool() ?? !family.hasOwnBiases
    let normal = try values["prior"]?.mapping(["normal"]).required("normal").mapping(["scale"])
    priorScale = try normal?.required("scale").positive() ?? 10
    noise =
      family.isClassification
      ? .known(1) : try NoiseSpecification(values.required("noise"), family: family)
    hidden =
      family == .neural
      ? try values["hidden"]?.integer(atLeast: 1, atMost: RegressionSpecification.maximumHidden) ?? 50 : 0
    if let node = values["features"] {
      let names = features ?? []
      guard !names.isEmpty || intercept else {
        throw node.error(
          family.hasOwnBiases
            ? "model.features lists no column, and a network needs at least one"
            : "model.features lists no column and model.intercept is false: there is nothing to fit; name a column or "
              + "set intercept: true")
      }
      guard Set(names).count == names.count else { throw node.error("model.features names a column twice") }
      guard !names.contains(response) else {
        throw node.error("model.features contains the response '\(response)'")
      }
    }
  }
}
