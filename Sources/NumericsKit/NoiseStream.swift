/// What random numbers are drawn for. Streams never share a random number.
public enum NoiseStream: UInt32, Sendable, CaseIterable {
  /// Samples of the gradient estimate.
  case gradient = 1
  /// Samples of the objective (ELBO, KL).
  case objective = 2
  /// Initial means.
  case initialization = 3
  /// Which rows make a minibatch.
  case minibatch = 4
  /// Draws for predictive scores on test data.
  case prediction = 5
  /// Draws that a user asks for (`isomix sample`).
  case draws = 6
  /// Synthetic inputs of benchmarks and tests.
  case benchmark = 7
  /// Scrambles of quasi-random points.
  case scrambling = 8
  /// Directions along which curvature is measured.
  case curvature = 9
  /// Where mode searches start, and where moved components go.
  case relocation = 10
  /// Which component each coordinate of a sample comes from, when coordinates have mixtures of their own.
  case assignment = 16
}
