import NumericsKit

/// What a network's outputs say about a row's response.
public enum NetworkResponse: Sendable, Hashable {
  /// A real number with Gaussian noise of known standard deviation around the output.
  case real(noise: Double)
  /// A real number with Gaussian noise σ ~ HalfNormal(priorScale) around the output.
  case realWithNoise(priorScale: Double)
  /// One of some classes by their index from 0. Of two classes the second has the output's logistic function as its
  /// probability; of more, each has an output, and probabilities are their softmax.
  case classes([String])

  /// How many numbers a network has to give.
  var outputs: Int {
    guard case .classes(let names) = self else { return 1 }
    return names.count == 2 ? 1 : names.count
  }

  /// The names of the outputs; empty for a single one.
  var outputNames: [String] {
    guard case .classes(let names) = self, names.count > 2 else { return [] }
    return names
  }
}

/// A response with what its log likelihood needs, made once.
enum NetworkLikelihood: Sendable {
  case normal(NormalNoise)
  /// θ ends in log σ.
  case learnedNoise(LogHalfNormalPrior)
  case logistic
  case softmax(classes: Int)

  init(_ response: NetworkResponse) throws {
    switch response {
    case .real(let noise): self = .normal(try NormalNoise(scale: noise))
    case .realWithNoise(let scale): self = .learnedNoise(try LogHalfNormalPrior(scale: scale))
    case .classes(let names):
      guard names.count >= 2 else {
        throw PosteriorError(
          code: .shape, message: "a classification needs at least two classes, not \(names.count)")
      }
      self = names.count == 2 ? .logistic : .softmax(classes: names.count)
    }
  }

  /// Coordinates of θ behind the network's.
  var extraCoordinates: Int {
    if case .learnedNoise = self { return 1 }
    return 0
  }
}
