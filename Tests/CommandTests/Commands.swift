import Foundation
import TestKit
import Testing

/// Tests of the built program: real processes, sockets, files and signals.
///
/// One after the other, because each of them starts several processes.
@Suite(.serialized) enum Commands {}

/// The spec files of the repository.
enum Examples {
  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("cluster/examples").path

  static let breastCancer = "\(folder)/breast-cancer.yaml"
  static let wine = "\(folder)/wine.yaml"
  static let eightSchools = "\(folder)/eight-schools.yaml"
  static let diabetes = "\(folder)/diabetes.yaml"
  static let mixture2D = "\(folder)/mixture-2d.yaml"
  static let components200 = "\(folder)/components-200.yaml"
  static let funnel = "\(folder)/funnel.yaml"
  static let wineNetwork = "\(folder)/wine-network.yaml"
  static let diabetesDeep = "\(folder)/diabetes-deep.yaml"
  static let banana = "\(folder)/banana.yaml"
  static let funnel10D = "\(folder)/funnel-10d.yaml"
  static let studentMixture = "\(folder)/student-t-mixture.yaml"
  static let sinhArcsinh = "\(folder)/sinh-arcsinh.yaml"

  static func data(_ name: String) -> String { "\(folder)/data/\(name)" }
}

/// A finished fit's folder.
struct FitFolder {
  let path: String

  func text(_ name: String) throws -> String {
    try String(contentsOfFile: "\(path)/\(name)", encoding: .utf8)
  }

  /// A JSON file with its numbers to the last bit; `json` may lose some.
  func decode<Value: Decodable>(_ type: Value.Type, _ name: String) throws -> Value {
    try JSONDecoder().decode(type, from: Data(contentsOf: URL(fileURLWithPath: "\(path)/\(name)")))
  }

  /// A JSON file as a dictionary.
  func json(_ name: String) throws -> [String: Any] {
    let data = try Data(contentsOf: URL(fileURLWithPath: "\(path)/\(name)"))
    return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
  }

  func digest() throws -> String { try #require(try json("summary.json")["state_sha256"] as? String) }

  func has(_ name: String) -> Bool { FileManager.default.fileExists(atPath: "\(path)/\(name)") }
}

/// Runs a fit that has to succeed.
func fit(
  _ spec: String, _ options: [String] = [], in folder: TemporaryFolder, output: String = "out",
  sourceLocation: SourceLocation = #_sourceLocation
) async throws -> FitFolder {
  let result = try await CommandRun.run(
    ["fit", spec, "--output", folder(output), "--progress", "none"] + options, in: folder)
  try #require(result.exitCode == 0, "\(result)", sourceLocation: sourceLocation)
  return FitFolder(path: folder(output))
}

/// `--set` for each `key=value`.
func setting(_ values: String...) -> [String] { values.flatMap { ["--set", $0] } }

/// A fit that never ends by itself, to be disturbed.
let endless = setting("inference.iterations=1000000000", "inference.objective.every=1000000")

extension CommandRun {
  /// Waits until the fit computes with the given number of ready workers.
  func waitForReady(_ count: Int, output: String, within seconds: Double = 30) async throws -> Bool {
    try await eventually(within: seconds) {
      if hasEnded { throw TestKitError("the fit ended early\n\(errors)") }
      let log = (try? String(contentsOfFile: "\(output)/log.jsonl", encoding: .utf8)) ?? ""
      return log.components(separatedBy: "is ready").count - 1 >= count
    }
  }

  /// Waits until the fit has taken some steps.
  func waitForSteps(output: String) async throws {
    // The first evaluation is in the trace once the fit iterates.
    let hasStarted = try await eventually(within: 30) {
      let trace = (try? String(contentsOfFile: "\(output)/trace.csv", encoding: .utf8)) ?? ""
      return trace.split(separator: "\n").count >= 2
    }
    try #require(hasStarted, "\(errors)")
    try await Task.sleep(for: .milliseconds(100))
  }
}
