import Foundation

/// A page in headless Chromium that stays open over some steps, as a reader has it open while things happen.
public struct WatchedPage: Sendable {
  /// What is waited for and looked at.
  public struct Step: Encodable, Sendable {
    /// An expression that must become true.
    public var wait: String
    /// Within so many seconds.
    public var seconds = 40.0
    public var width: Int?
    public var height = 900
    public var dark: Bool?
    /// An expression whose value is reported.
    public var evaluate: String?
    /// A file to write a picture to.
    public var picture: String?

    public init(
      wait: String = "true", width: Int? = nil, dark: Bool? = nil, evaluate: String? = nil,
      picture: String? = nil
    ) {
      self.wait = wait
      self.width = width
      self.dark = dark
      self.evaluate = evaluate
      self.picture = picture
    }
  }

  private struct Plan: Encodable {
    let chromium: String
    let profile: String
    let url: String
    let steps: [Step]
  }

  private let run: CommandRun
  private let count: Int

  /// Opens a page and begins with the steps.
  /// - Throws: where Chromium is not installed.
  public init(_ url: String, _ steps: [Step], in folder: TemporaryFolder) throws {
    guard let chromium = Chromium.executable else { throw TestKitError(Chromium.missing) }
    let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
      "watch_page.py")
    let plan = Plan(
      chromium: chromium, profile: folder("chromium-\(UUID().uuidString)"), url: url, steps: steps)
    run = try CommandRun(
      [script.path, String(decoding: try JSONEncoder().encode(plan), as: UTF8.self)], in: folder,
      executable: "/usr/bin/python3")
    count = steps.count
  }

  /// Waits until so many steps are done.
  public func reach(_ step: Int) async throws {
    let isThere = try await eventually(within: 60) {
      if run.hasEnded, values.count < step {
        throw TestKitError("the page was not as expected\n\(run.errors)")
      }
      return values.count >= step
    }
    if !isThere { throw TestKitError("step \(step) took too long\n\(run.errors)") }
  }

  /// The values of the steps that are done.
  public var values: [Any?] {
    run.output.split(separator: "\n").compactMap { line in
      let object = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      return object.flatMap { $0.keys.contains("value") ? .some($0["value"]) : nil }
    }
  }

  /// Waits for the last step.
  /// - Returns: all that the console said.
  public func finish() async throws -> [String] {
    let result = try await run.finish(within: 90)
    guard result.exitCode == 0, values.count == count, let last = result.lines.last,
      let object = try JSONSerialization.jsonObject(with: Data(last.utf8)) as? [String: [String]]
    else { throw TestKitError("the page was not as expected\n\(result)") }
    return object["console"] ?? []
  }
}
