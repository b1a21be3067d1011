import ArgumentParser
import Dashboard
import Foundation
import Reporting

/// The process of `isomix fit --dashboard` that serves the page. Fits start it; it is told all that it needs on standard
/// input.
struct ServeDashboardCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve-dashboard", abstract: "Serve a fit's dashboard; started by `isomix fit --dashboard`.",
    shouldDisplay: false)

  func run() throws {
    let code = DashboardServer.run(input: STDIN_FILENO) { announcement in
      guard let data = try? JSONEncoder().encode(announcement) else { return }
      StandardStream.output.offer(String(decoding: data, as: UTF8.self) + "\n")
    }
    guard code == 0 else { throw ArgumentParser.ExitCode(code) }
  }
}
