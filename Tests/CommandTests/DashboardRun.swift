import Foundation
import TestKit
import Testing

/// A fit with a dashboard.
struct DashboardRun {
  let run: CommandRun
  let files: FitFolder
  let url: String
  let http: PlainHTTP

  /// Starts a fit and waits until its dashboard is open.
  init(
    _ spec: String, _ options: [String], address: String? = nil, in folder: TemporaryFolder,
    output: String = "out"
  ) async throws {
    files = FitFolder(path: folder(output))
    let run = try CommandRun(
      ["fit", spec, "--output", folder(output), "--progress", "plain"] + options + ["--dashboard"]
        + (address.map { [$0] } ?? []), in: folder)
    self.run = run
    var found: String?
    _ = try await eventually(within: 30) {
      if run.hasEnded { throw TestKitError("the fit ended early\n\(run.errors)") }
      found = run.errors.split(separator: "\n").first { $0.hasPrefix("dashboard: ") }
        .map { String($0.dropFirst("dashboard: ".count)) }
      return found != nil
    }
    url = try #require(found, "\(run.errors)")
    http = try PlainHTTP(url)
  }

  /// What `/status.json` says.
  func status() throws -> [String: Any] {
    let answer = try http.get("/status.json")
    // Thrown and not recorded, because some wait for it.
    guard answer.code == 200,
      let status = try JSONSerialization.jsonObject(with: Data(answer.body.utf8)) as? [String: Any]
    else { throw TestKitError("no status: \(answer)") }
    return status
  }

  /// Waits until the fit iterates.
  func waitForIterations(_ count: Int = 1) async throws {
    let isSo = try await eventually(within: 40) {
      if run.hasEnded { throw TestKitError("the fit ended early\n\(run.errors)") }
      return (try? status()["iteration"] as? Int).map { $0 >= count } ?? false
    }
    try #require(isSo, "\(run.errors)")
  }

  /// The process that serves.
  var server: pid_t? {
    ProcessTable.living().first { $0.parent == run.processID && $0.arguments.contains("serve-dashboard") }?
      .processID
  }
}
