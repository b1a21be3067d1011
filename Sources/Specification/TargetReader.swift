import Foundation
import Yams

// Analytic targets of several shapes: mixtures, the funnel and the banana.
extension ModelSpecification {
  /// The keys of a mixture, from the spec or from the JSON file that it names.
  static func mixtureKeys(_ node: SpecificationNode, _ keys: [String], folder: String)
    throws(SpecificationError) -> SpecificationMapping
  {
    let values = try node.mapping(["family"] + keys + ["file"])
    guard let file = values["file"] else { return values }
    try values.forbid(keys, because: "has no place beside 'model.file'")
    let path = absolutePath(try file.text(), from: folder)
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
      throw file.error("can't read the target file \(path)")
    }
    // JSON is YAML, so one reader serves the file and the spec.
    guard let composed = try? Yams.compose(yaml: text) else {
      throw file.error("the target file \(path) is not JSON")
    }
    return try SpecificationNode(node: composed, path: "model", source: SpecificationSource(name: path))
      .mapping(keys)
  }

  static func studentMixture(_ node: SpecificationNode, folder: String) throws(SpecificationError)
    -> ModelSpecification
  {
    let values = try mixtureKeys(node, ["weights", "means", "scales", "degrees"], folder: folder)
    let parts = try MixtureParts(values, matrices: "scales")
    let degreesNode = try values.required("degrees")
    let degrees: [Double]
    if degreesNode.node.sequence != nil {
      degrees = try degreesNode.list().map { item throws(SpecificationError) in try item.positive() }
      guard degrees.count == parts.means.count else {
        throw degreesNode.error(
          "model.degrees has \(degrees.count) numbers for \(parts.means.count) means; give one for all, or one for each"
        )
      }
    } else {
      degrees = [Double](repeating: try degreesNode.positive(), count: parts.means.count)
    }
    return .studentMixture(
      weights: parts.weights, means: parts.means, scales: parts.matrices, degrees: degrees)
  }

  static func funnel(_ node: SpecificationNode) throws(SpecificationError) -> ModelSpecification {
    let values = try node.mapping(["family", "variance", "dimension"])
    return .funnel(
      variance: try values["variance"]?.positive() ?? 1.2, dimension: try bentDimension(values))
  }

  static func banana(_ node: SpecificationNode) throws(SpecificationError) -> ModelSpecification {
    let values = try node.mapping(["family", "variance", "curvature", "dimension"])
    return .banana(
      variance: try values["variance"]?.positive() ?? 100,
      curvature: try values["curvature"]?.number() ?? 0.03,
      dimension: try bentDimension(values))
  }

  private static func bentDimension(_ values: SpecificationMapping) throws(SpecificationError) -> Int {
    try values["dimension"]?.integer(atLeast: 2, atMost: maximumDimension) ?? 2
  }
}

/// What mixtures of ellipses have in common: weights, means and matrices.
struct MixtureParts {
  var weights: [Double]
  var means: [[Double]]
  var matrices: [[[Double]]]

  /// - Parameter key: the matrices' key.
  init(_ values: SpecificationMapping, matrices key: String) throws(SpecificationError) {
    let meansNode = try values.required("means")
    means = try meansNode.list().map { row throws(SpecificationError) in try row.numbers() }
    let count = means.count
    guard let first = means.first else { throw meansNode.error("model.means is empty") }
    let dimension = try ModelSpecification.checked(first.count, meansNode)
    for (index, mean) in means.enumerated() where mean.count != dimension {
      throw meansNode.error(
        "model.means[\(index + 1)] has \(mean.count) numbers, model.means[1] has \(dimension)")
    }
    let matrixNode = try values.required(key)
    let entries = try matrixNode.list()
    guard entries.count == count else {
      throw matrixNode.error("model.\(key) has \(entries.count) entries for \(count) means")
    }
    weights = [Double](repeating: 1 / Double(count), count: count)
    if let node = values["weights"] {
      weights = try node.numbers()
      guard weights.count == count, weights.allSatisfy({ $0 > 0 }) else {
        throw node.error("model.weights must be \(count) positive numbers, one for each mean")
      }
      let total = weights.reduce(0, +)
      guard abs(total - 1) < 1e-6 else { throw node.error("model.weights must add up to 1, not \(total)") }
    }
    matrices = try entries.map { entry throws(SpecificationError) in
      try ModelSpecification.covariance(entry, dimension: dimension)
    }
  }
}
