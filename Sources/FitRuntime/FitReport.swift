import Coordination
import Datasets
import Foundation
import Inference
import Posteriors
import Report
import Reporting

/// Writes a fit's `report.html` from its folder.
public enum FitReport {
  /// What a fit's own process has open already, so that nothing is read twice.
  struct Opened {
    var mixture: FittedMixture
    var target: any LogDensity
    var train: Design?
    var test: Design?
  }

  /// As much of `plan.json` as is read.
  private struct RecordedPlan: Decodable {
    struct Numerics: Decodable { let digest: String }
    let numerics: Numerics?
    let train: FitSetup.DesignReference?
    let test: FitSetup.DesignReference?
    let version: String?
    let build: String?
  }

  /// Writes the report of a fit's folder to a file, by default into the folder; returns the file's path.
  /// - Throws: errors that ``RunFailure`` puts in words.
  @discardableResult
  public static func write(folder: String, to output: String? = nil) throws -> String {
    let path = output ?? "\(folder)/\(ReportDocument.fileName)"
    let html = try ReportDocument(content(folder: folder, opened: nil)).html()
    try RunFolder.write(Array(html.utf8), to: path)
    return path
  }

  /// Writes the report of a fit that has just ended.
  static func write(_ opened: Opened, into folder: RunFolder) throws {
    let html = try ReportDocument(content(folder: folder.path, opened: opened)).html()
    try folder.write(html, to: ReportDocument.fileName)
  }

  private static func content(folder: String, opened: Opened?) throws -> ReportContent {
    var gaps: [String] = []
    let mixture: FittedMixture
    let target: (any LogDensity)?
    if let opened {
      (mixture, target) = (opened.mixture, opened.target)
    } else {
      (mixture, target) = try model(folder, &gaps)
    }
    let plan = read(RecordedPlan.self, folder, PlanDocument.fileName, JSONDecoder())
    var content = ReportContent(
      mixture: mixture, summary: read(ReportedSummary.self, folder, "summary.json", JSONStyle.decoder()),
      diagnostics: read(Diagnostics.self, folder, Diagnostics.fileName, JSONStyle.decoder()),
      workers: read(WorkerActivity.self, folder, WorkerActivity.fileName, JSONStyle.decoder()),
      trace: text(folder, "trace.csv"), specification: text(folder, "spec.yaml"),
      provenance: ReportContent.Provenance(
        version: plan?.version, build: plan?.build, numerics: plan?.numerics?.digest,
        trainDigest: plan?.train?.digest, testDigest: plan?.test?.digest), target: target, gaps: gaps)
    if let opened {
      (content.train, content.test) = (opened.train, opened.test)
    } else {
      open(plan, &content)
    }
    return content
  }

  /// The mixture and, if it can still be made, the target.
  private static func model(_ folder: String, _ gaps: inout [String]) throws -> (
    FittedMixture, (any LogDensity)?
  ) {
    do {
      let model = try FittedModel(folder)
      return (model.mixture, model.target)
    } catch {
      let mixture = try FitRecord(folder: folder).mixture
      gaps.append(
        "The model could not be opened from the folder, so parameters are shown as they were fitted: "
          + RunFailure(error).message)
      return (mixture, nil)
    }
  }

  /// Opens the data as far as they are still there; says what is not.
  private static func open(_ plan: RecordedPlan?, _ content: inout ReportContent) {
    func design(_ reference: FitSetup.DesignReference?, _ name: String) -> Design? {
      guard let reference else { return nil }
      do {
        let design = try Design.open(folder: reference.folder)
        guard design.manifest.digest.description == reference.digest else {
          content.gaps.append(
            "The prepared \(name) data are no longer those of the fit, and are not used here.")
          return nil
        }
        return design
      } catch {
        content.gaps.append("The prepared \(name) data can't be opened: \(RunFailure(error).message)")
        return nil
      }
    }
    content.train = design(plan?.train, "training")
    content.test = design(plan?.test, "test")
  }

  /// A file that is missing, or was written by another version, is left out; the report says so in its place.
  private static func read<Value: Decodable>(
    _ type: Value.Type, _ folder: String, _ name: String, _ decoder: JSONDecoder
  ) -> Value? {
    FileManager.default.contents(atPath: "\(folder)/\(name)").flatMap { try? decoder.decode(type, from: $0) }
  }

  private static func text(_ folder: String, _ name: String) -> String {
    String(decoding: FileManager.default.contents(atPath: "\(folder)/\(name)") ?? Data(), as: UTF8.self)
  }
}

extension WorkerActivity {
  /// What the coordinator recorded.
  init(_ timeline: WorkerTimeline, secondsBefore: Double, seconds: Double) {
    self.init(
      secondsBefore: secondsBefore, seconds: max(seconds, timeline.length), binSeconds: timeline.binWidth,
      workers: timeline.rows.map { row in
        Worker(
          name: row.name, threads: row.threads,
          busy: row.busy.map { (1000 * min(1, $0 / timeline.binWidth)).rounded() / 1000 },
          stays: row.stays.map { Stay(from: $0.from, until: $0.until, isLost: $0.isLost) })
      }, leftOut: timeline.leftOut)
  }
}
