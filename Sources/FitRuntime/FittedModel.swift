import Coordination
import Datasets
import Foundation
import Inference
import Posteriors
import Reporting
import Specification

/// A finished fit, opened to draw from it and to predict with it: its mixture, its target, and how its data were
/// prepared. All of it is in `mixture.json`; neither the data nor the rest of the fit's folder is needed.
public struct FittedModel: Sendable {
  /// The fit's folder, or its `mixture.json`, as given.
  public let path: String
  public let mixture: FittedMixture
  public let specification: FitSpecification
  public let target: any LogDensity
  /// How columns of a table become a design matrix, from the training data; nil without data.
  public let statistics: DesignStatistics?

  /// Opens a fit's folder, or a `mixture.json`.
  /// - Throws: errors that ``RunFailure`` puts in words.
  public init(_ path: String) throws {
    self.path = path
    mixture = try FittedMixture.read(path)
    let file = StartingMixture.file(at: path)
    specification = try FitSpecification(
      yaml: mixture.specification, source: "\(file), specification",
      folder: URL(fileURLWithPath: file).deletingLastPathComponent().path)
    statistics = mixture.design?.statistics
    if specification.model.isForeign {
      ModelCrash.explain(
        "the model of \(file) was opened and evaluated: look at model.library there")
    }
    target = try Problem.target(specification.model, design: mixture.design)
    guard mixture.names == target.parameterNames else {
      throw RuntimeError(
        "\(file) is not the mixture of its own spec's model: their parameters differ; the file was altered, or written "
          + "by another version", exitCode: ExitCode.badData)
    }
  }

  /// The response's name; nil without data.
  public var response: String? { mixture.design?.response }
}
