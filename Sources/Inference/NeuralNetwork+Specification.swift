import Datasets
import Posteriors
import Specification

extension NeuralNetwork {
  /// Makes the target of a spec for the columns and classes of its data.
  init(_ network: NetworkSpecification, design: DesignManifest) throws {
    let response: NetworkResponse =
      switch (network.family, network.noise) {
      case (.classification, _): .classes(design.classes)
      case (.regression, .known(let scale)): .real(noise: scale)
      case (.regression, .halfNormal(let scale)): .realWithNoise(priorScale: scale)
      }
    try self.init(
      columnNames: design.columns, hidden: network.hidden, activation: network.activation, response: response,
      priorScale: network.priorScale)
  }
}
