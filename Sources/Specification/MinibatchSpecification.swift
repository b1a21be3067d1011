/// Which rows the gradient of an iteration is estimated from: a random batch of them, in place of all.
public struct MinibatchSpecification: Sendable, Equatable {
  /// Rows of a batch, about: batches are made of whole tiles of rows.
  public var rows: Int
  /// Whether batches estimate only what the gradient has changed by since a reference point, where it was computed
  /// from all rows.
  public var hasControlVariate: Bool
  /// Iterations from one reference point to the next; nil: chosen so that its full gradients cost about as much as the
  /// batches in between.
  public var refreshInterval: Int?

  public init(rows: Int, hasControlVariate: Bool = false, refreshInterval: Int? = nil) {
    self.rows = rows
    self.hasControlVariate = hasControlVariate
    self.refreshInterval = refreshInterval
  }
}

extension MinibatchSpecification {
  /// More rows than a data set can have.
  private static let mostRows = 1 << 40

  /// Reads a number of rows, or `{rows, control_variate, refresh}`.
  init(_ node: SpecificationNode) throws(SpecificationError) {
    guard node.node.mapping != nil else {
      self.init(rows: try node.integer(atLeast: 1, atMost: Self.mostRows))
      return
    }
    let mapping = try node.mapping(["rows", "control_variate", "refresh"])
    self.init(
      rows: try mapping.required("rows").integer(atLeast: 1, atMost: Self.mostRows),
      hasControlVariate: try mapping["control_variate"]?.bool() ?? false,
      refreshInterval: try mapping["refresh"]?.integer(
        atLeast: 1, atMost: InferenceSpecification.maximumIterations))
    if let refresh = mapping["refresh"], !hasControlVariate {
      throw refresh.error(
        "\(refresh.path) is how often the control variate's full gradients are computed anew: set "
          + "\(node.path).control_variate: true, or leave it out")
    }
  }

  /// As it stands in a resolved spec.
  var yaml: String {
    let refresh = refreshInterval.map { ", refresh: \($0)" } ?? ""
    return "{rows: \(rows), control_variate: \(hasControlVariate)\(refresh)}"
  }
}

extension FitSpecification {
  /// Refuses a minibatch for a target that has no rows, and for full covariances: their d × d products take in so much of a
  /// batch's noise that the steps found for them run away.
  /// - Parameter inference: the section; nil when it is left out.
  func checkMinibatch(_ inference: SpecificationNode?) throws(SpecificationError) {
    guard self.inference.minibatch != nil, let node = try inference?.mappingAsIs.required("minibatch") else {
      return
    }
    guard !self.inference.fullCovariances else {
      throw node.error(
        "\(node.path) is not for algorithm bw, whose covariances a batch's noise drives apart; leave it out, or use ibw"
      )
    }
    guard !(self.inference.minibatch?.hasControlVariate ?? false) || factorization == .full else {
      throw node.error(
        "\(node.path).control_variate compares samples with their component's mean, and with factorization: coordinates a "
          + "sample has no component; leave it out")
    }
    guard data == nil else { return }
    throw node.error(
      "\(node.path) draws rows of a data set, and family \(model.family) has none; leave it out")
  }
}
