import Foundation
import NumericsKit
import Posteriors
import Specification
import StanModels

extension ModelSpecification {
  /// The Stan model; nil for other families.
  var stan: StanSpecification? {
    if case .stan(let stan) = self { stan } else { nil }
  }

  /// Whether evaluating the target runs code that isn't ours, and may crash the process that does it.
  public var isForeign: Bool { stan != nil }
}

extension StanModel.Configuration {
  init(_ stan: StanSpecification) {
    self.init(
      library: stan.library, program: stan.program, data: stan.data,
      sharding: stan.sharding.map {
        StanModel.Sharding(size: $0.size, slice: $0.slice, shards: $0.shards)
      },
      outputs: StanOutputs(transformed: stan.showsTransformed, generated: stan.showsGenerated),
      seed: stan.seed ?? 1)
  }
}

extension FitSetup {
  /// A file that a target is made of, by its content.
  public struct FileReference: Sendable, Codable, Hashable {
    /// What it is, in words.
    public var what: String
    public var path: String
    public var digest: String
  }

  /// The files of a spec's target, beside its tables of data; nil when there are none.
  static func files(_ model: ModelSpecification) throws -> [FileReference]? {
    guard let stan = model.stan else { return nil }
    return try StanModel.Configuration(stan).files.map { file in
      FileReference(what: file.what, path: file.path, digest: try digest(file.what, file.path))
    }
  }

  /// Checks that this host has the same files as the one that made the set-up.
  /// - Throws: ``FitError`` that names the file.
  func checkFiles() throws {
    for file in files ?? [] where try FitSetup.digest(file.what, file.path) != file.digest {
      throw FitError(
        .badInput,
        "\(file.what) \(file.path) is not the one that the fit began with (its digest differs): it has changed, or this "
          + "host has another file of that name")
    }
  }

  private static func digest(_ what: String, _ path: String) throws -> String {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw FitError(.noInput, "\(what) \(path) is not there, or can't be read")
    }
    return Digest.of(Array(data)).description
  }
}
