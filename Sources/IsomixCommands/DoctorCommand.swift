import ArgumentParser
import FitRuntime
import Foundation
import Reporting

struct DoctorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Check what fits need of this machine: libraries, limits, ports, folders.",
    discussion: """
      Exits 1 when something is missing without which a fit won't run here. Compare the fingerprints of machines that \
      are to work on one fit.

      EXAMPLE
        isomix doctor
        ssh node7 isomix doctor --json
      """)

  @Option(help: "Folder for prepared data (default: $XDG_CACHE_HOME/isomix or ~/.cache/isomix).")
  var cache: String?

  @Flag(help: "Print JSON.")
  var json = false

  func run() throws {
    try reportingFailures("doctor") {
      let checks = try Doctor(cache: cache).examine()
      if json {
        try printJSON(checks)
      } else {
        let width = checks.map(\.name.count).max() ?? 0
        for check in checks {
          let padding = String(repeating: " ", count: width - check.name.count)
          let mark = check.status == .ok ? "ok     " : check.status == .warning ? "warning" : "FAILED "
          try printOut("\(mark)  \(check.name)\(padding)  \(check.finding)")
          if let advice = check.advice {
            try printOut(String(repeating: " ", count: width + 11) + "→ \(advice)")
          }
        }
      }
      if checks.contains(where: { $0.status == .failed }) { throw ExitCode.requirementMissed }
    }
  }
}
