import Foundation

/// Debian's headless Chromium, which looks at reports as a reader does.
public struct Chromium: Sendable {
  /// The program; nil where it is not installed.
  public static let executable: String? = ["/usr/bin/chromium", "/usr/bin/chromium-browser"].first {
    FileManager.default.isExecutableFile(atPath: $0)
  }

  /// Why tests that need it are skipped.
  public static let missing = "chromium is not installed: cluster/bootstrap.sh --tests installs it"

  private let program: String
  private let folder: TemporaryFolder

  /// - Throws: where it is not installed.
  public init(in folder: TemporaryFolder) throws {
    guard let program = Chromium.executable else { throw TestKitError(Chromium.missing) }
    self.program = program
    self.folder = folder
  }

  /// A page as it is after its scripts, and what the console said.
  public func open(_ page: String, options: [String] = []) async throws -> (dom: String, console: [String]) {
    let result = try await run(["--dump-dom"] + options, page)
    let console = result.errors.split(separator: "\n").map(String.init).filter { $0.contains(":CONSOLE") }
    return (result.output, console)
  }

  /// Writes a picture of a page as it looks in a window of some size.
  public func picture(_ page: String, to file: String, width: Int, height: Int, isDark: Bool = false)
    async throws
  {
    let dark = isDark ? ["--force-dark-mode", "--blink-settings=preferredColorScheme=0"] : []
    _ = try await run(
      ["--screenshot=\(file)", "--window-size=\(width),\(height)", "--hide-scrollbars"] + dark, page)
  }

  /// Prints a page.
  public func print(_ page: String, to file: String) async throws {
    _ = try await run(["--print-to-pdf=\(file)", "--no-pdf-header-footer"], page)
  }

  private func run(_ options: [String], _ page: String) async throws -> CommandResult {
    let result = try await CommandRun.run(
      [
        "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
        "--disable-extensions", "--disable-background-networking", "--enable-logging=stderr", "--v=0",
        "--virtual-time-budget=10000", "--user-data-dir=\(folder("chromium"))",
      ] + options + ["file://\(page)"], in: folder, executable: program, within: 120)
    guard result.exitCode == 0 else { throw TestKitError("chromium failed: \(result)") }
    return result
  }
}
