import ArgumentParser
import FitRuntime
import Foundation
import Reporting

struct StatusCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status", abstract: "Say what a fit is doing, or how it ended.",
    discussion: """
      Reads status.json in the fit's folder, which the coordinator rewrites about once a second, from any machine that \
      sees the folder. It costs the fit nothing.

      Exit codes: 0 the fit goes on or is done; 75 it was interrupted and can be resumed; 69 nothing comes from its \
      coordinator any more (it was killed, hangs or is stopped); the fit's own exit code when it failed; 66 there is no \
      fit in the folder.

      EXAMPLE
        isomix status out
        isomix status out --watch
        isomix status out --json | jq .status.iteration
      """)

  @Argument(help: "A fit's folder.", completion: .directory)
  var fit: String

  @Flag(help: "Print JSON: liveness (alive, silent, gone, ended) and the status.")
  var json = false

  @Flag(help: "Go on until the fit has ended; a line a second where the output is no terminal.")
  var watch = false

  func run() throws {
    try reportingFailures("status") {
      let exitCode = watch ? try follow() : try show()
      guard exitCode == 0 else { throw ArgumentParser.ExitCode(exitCode) }
    }
  }

  private func show() throws -> Int32 {
    let status = try FitStatus(folder: fit)
    if json { try printJSON(status) } else { try printOut(status.text) }
    return status.exitCode
  }

  private func follow() throws -> Int32 {
    let isTerminal = isatty(STDOUT_FILENO) == 1
    var last: String?
    while true {
      let status = try FitStatus(folder: fit)
      let isOver = status.liveness == .ended || status.liveness == .gone
      if last != status.status.updatedAt || isOver || status.liveness == .silent {
        last = status.status.updatedAt
        if json {
          try printJSON(status, pretty: false)
        } else if isTerminal {
          try StandardStream.output.write("\u{1B}[H\u{1B}[2J" + status.text + "\n")
        } else {
          try printOut(isOver ? status.text : status.line)
        }
      }
      if isOver { return status.exitCode }
      Thread.sleep(forTimeInterval: LiveStatusLimits.interval_s)
    }
  }
}
