import Mixtures
import Yams

extension SpecificationNode {
  /// The key under `model` that every family has.
  static let factorizationKey = "factorization"

  /// A model without the key that all families share, and that key's value; nil when it is missing.
  func takingFactorization() throws(SpecificationError) -> (
    model: SpecificationNode, factorization: SpecificationNode?
  ) {
    guard var mapping = node.mapping, let value = mapping[Node(SpecificationNode.factorizationKey)] else {
      return (self, nil)
    }
    mapping[Node(SpecificationNode.factorizationKey)] = nil
    let key = SpecificationNode(
      node: value, path: "\(path).\(SpecificationNode.factorizationKey)", source: source)
    return (
      SpecificationNode(node: .mapping(mapping), path: path, source: source), key.isNull ? nil : key
    )
  }
}

extension FitSpecification {
  /// Defaults of `factorization: coordinates`, and the settings that make no sense beside it: every component of every
  /// coordinate has a variance, and so a scale, of its own; components that are moved or placed as a whole there are none.
  mutating func settleCoordinates(_ root: SpecificationMapping) throws(SpecificationError) {
    let inferenceNode = root["inference"]?.mappingAsIs
    if inference.fullCovariances || inference.algorithm.sharesVariance, let node = inferenceNode?["algorithm"]
    {
      throw node.error(
        "inference.algorithm: \(inference.algorithmName) is not for model.factorization: coordinates, where each component "
          + "of each coordinate has a variance of its own; use ibw, md, ngd, ngd-plain or gd")
    }
    if let node = inferenceNode?["metric"], inference.metric != .unit {
      throw node.error(
        "inference.metric must be unit with model.factorization: coordinates, where each coordinate has scales of its own; "
          + "leave it out")
    }
    if let node = inferenceNode?["relocation"], inference.relocation {
      throw node.error(
        "inference.relocation is not for model.factorization: coordinates, which has no components to move as a whole; "
          + "leave it out")
    }
    if let node = inferenceNode?["sampling"], inference.sampling == .sobol {
      throw node.error(
        "inference.sampling: sobol is not for model.factorization: coordinates, where the coordinates of a sample belong to "
          + "different components; use antithetic or independent")
    }
    switch mixture.initial {
    case .auto, .uniform, .prior: break
    case .data, .file:
      let node = try root.required("mixture").mappingAsIs.required("initial")
      throw node.error(
        "mixture.initial: \(mixture.initial == .data ? "data" : "{file: …}") is not for model.factorization: coordinates, "
          + "which has no components to put at a mode or at another fit's; use auto, uniform or prior")
    }
    inference.metric = .unit
    inference.relocation = false
  }
}
