import Datasets
import Specification

extension DesignRequest {
  /// What a model wants of a table; nil for a model without data.
  ///
  /// - Parameters:
  ///   - reference: the training data's statistics, for a test set; nil for the training data.
  ///   - withResponse: whether the table has the response's column, and it is read.
  init?(
    _ model: ModelSpecification, _ data: DataSpecification, reference: DesignStatistics?,
    withResponse: Bool = true
  ) {
    switch model {
    case .regression(let regression):
      let kind: ResponseKind =
        switch regression.family {
        case .logistic: .binary
        case .softmax: .classes
        case .linear, .studentT: .real
        case .poisson, .negativeBinomial: .count
        }
      self.init(
        features: regression.features, response: withResponse ? regression.response : nil, responseKind: kind,
        standardize: data.standardize, intercept: regression.intercept, precision: data.precision,
        groups: regression.groups, reference: reference)
    case .network(let network):
      self.init(
        features: network.features, response: withResponse ? network.response : nil,
        responseKind: network.family == .regression ? .real : .classes, standardize: data.standardize,
        intercept: false, precision: data.precision, reference: reference)
    case .custom(let custom):
      guard let response = custom.response else { return nil }
      self.init(
        features: custom.features, response: withResponse ? response : nil, responseKind: .real,
        standardize: data.standardize, intercept: custom.intercept, precision: .float64, reference: reference)
    case .gaussian, .gaussianMixture, .studentMixture, .funnel, .banana, .sinhArcsinh, .stan: return nil
    }
    centring = data.centring
    storage = data.storage
    // Targets of other people's read rows as they have always been.
    if case .custom = model { storage = .dense }
  }
}
