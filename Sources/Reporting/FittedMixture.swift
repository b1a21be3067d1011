import Foundation
import Mixtures

/// The file `mixture.json`: enough to sample and predict without the data.
public struct FittedMixture: Sendable, Codable, Equatable {
  /// Raised whenever the meaning of the file changes.
  public var formatVersion: Int
  public var family: String
  /// Number of components, N.
  public var components: Int
  /// Dimension of the parameter, d.
  public var dimension: Int
  /// Names of the coordinates `[d]`.
  public var names: [String]
  /// Coordinates in which the components are isotropic.
  public var metric: String
  /// Means `[N][d]`.
  public var means: [[Double]]
  /// Variances `[N]`.
  public var variances: [Double]
  /// Steps taken.
  public var iteration: Int
  /// How the features were scaled before the fit; nil without data.
  public var standardization: Standardization?

  /// Features were `(x − mean) / standardDeviation`.
  public struct Standardization: Sendable, Codable, Equatable {
    public var columns: [String]
    public var means: [Double]
    public var standardDeviations: [Double]
    /// Class names in the order of the model; empty for regression.
    public var classes: [String]

    public init(columns: [String], means: [Double], standardDeviations: [Double], classes: [String]) {
      self.columns = columns
      self.means = means
      self.standardDeviations = standardDeviations
      self.classes = classes
    }
  }

  public static let currentVersion = 1
  public static let fileName = "mixture.json"

  public init(
    _ mixture: IsotropicMixture, family: String, names: [String], iteration: Int,
    standardization: Standardization?
  ) {
    formatVersion = FittedMixture.currentVersion
    self.family = family
    components = mixture.componentCount
    dimension = mixture.dimension
    self.names = names
    metric = "unit"
    means = (0..<mixture.componentCount).map {
      Array(mixture.means[$0 * mixture.dimension..<($0 + 1) * mixture.dimension])
    }
    variances = mixture.variances
    self.iteration = iteration
    self.standardization = standardization
  }

  /// The mixture itself.
  public var mixture: IsotropicMixture {
    IsotropicMixture(
      componentCount: components, dimension: dimension, means: means.flatMap { $0 }, variances: variances)
  }

  /// Reads and checks a file, or the `mixture.json` of a run folder.
  public static func read(_ path: String) throws -> FittedMixture {
    var isFolder: ObjCBool = false
    let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
    let file = isFolder.boolValue ? path + "/" + fileName : path
    guard exists, let data = FileManager.default.contents(atPath: file) else {
      throw ReportingError(
        .noInput,
        FileManager.default.fileExists(atPath: file)
          ? "\(file) can't be read: is it a file that you may read?" : "there is no fit at \(file)")
    }
    guard let fitted = try? JSONStyle.decoder().decode(FittedMixture.self, from: data) else {
      throw ReportingError(.badData, "\(file) is not a mixture.json")
    }
    guard fitted.formatVersion == currentVersion else {
      throw ReportingError(
        .badData, "\(file) has format \(fitted.formatVersion), this version reads \(currentVersion)")
    }
    guard fitted.components >= 1, fitted.dimension >= 1, fitted.names.count == fitted.dimension,
      fitted.means.count == fitted.components, fitted.variances.count == fitted.components,
      fitted.means.allSatisfy({ $0.count == fitted.dimension && $0.allSatisfy(\.isFinite) }),
      fitted.variances.allSatisfy({ $0 > 0 && $0.isFinite })
    else {
      throw ReportingError(.badData, "\(file): shapes or values don't make a mixture")
    }
    return fitted
  }
}
