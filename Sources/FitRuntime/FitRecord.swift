import Coordination
import Foundation
import Inference
import Reporting
import Specification

/// What is there of an earlier fit: its mixture, and what its folder says about where it came from.
struct FitRecord {
  let path: String
  let mixture: FittedMixture
  /// The resolved spec; nil for a `mixture.json` by itself.
  let specification: FitSpecification?
  /// The prepared training data that the plan names; nil without data.
  let train: FitSetup.DesignReference?
  /// Other files that its target was made of.
  let files: [FitSetup.FileReference]?
  let summary: RecordedSummary?

  /// As much of `plan.json` as is read.
  private struct RecordedPlan: Decodable {
    let train: FitSetup.DesignReference?
    let files: [FitSetup.FileReference]?
  }

  /// Reads a fit's folder, or a `mixture.json`.
  /// - Throws: ``ReportingError`` or ``SpecificationError`` for what is missing or makes no sense.
  init(_ path: String) throws {
    self.path = path
    mixture = try FittedMixture.read(path)
    guard FitRecord.isFolder(path) else {
      (specification, train, files, summary) = (nil, nil, nil, nil)
      return
    }
    let spec = path + "/spec.yaml"
    specification =
      FileManager.default.fileExists(atPath: spec) ? try FitService.read(spec, overrides: []) : nil
    let plan = try FitRecord.plan(path + "/" + PlanDocument.fileName)
    (train, files) = (plan?.train, plan?.files)
    summary = try RecordedSummary.read(path)
  }

  /// Reads a fit's folder that must be whole enough to compute with.
  /// - Throws: also ``RuntimeError`` when it is no folder of a fit.
  init(folder path: String) throws {
    guard FitRecord.isFolder(path) else {
      let isFile = FileManager.default.fileExists(atPath: path)
      throw RuntimeError(
        isFile
          ? "\(path) is a file: give the folder of a fit, because the spec is needed too"
          : "there is no folder \(path)", exitCode: ExitCode.noInput)
    }
    for name in ["spec.yaml", PlanDocument.fileName]
    where !FileManager.default.fileExists(atPath: "\(path)/\(name)") {
      throw RuntimeError(
        "\(path) has no \(name): give the folder of a fit, as `isomix fit --output` made it",
        exitCode: ExitCode.noInput)
    }
    guard FileManager.default.fileExists(atPath: "\(path)/\(FittedMixture.fileName)") else {
      throw RuntimeError(
        "\(path) has no \(FittedMixture.fileName) yet: the fit was not finished; go on with `isomix fit … --resume`",
        exitCode: ExitCode.noInput)
    }
    try self.init(path)
  }

  private static func isFolder(_ path: String) -> Bool {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
  }

  private static func plan(_ file: String) throws -> RecordedPlan? {
    guard let data = FileManager.default.contents(atPath: file) else { return nil }
    guard let plan = try? JSONDecoder().decode(RecordedPlan.self, from: data) else {
      throw ReportingError(.badData, "\(file) is not a fit's plan.json")
    }
    return plan
  }
}
