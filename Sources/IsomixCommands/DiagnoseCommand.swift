import ArgumentParser
import FitRuntime
import Reporting

struct DiagnoseCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "diagnose", abstract: "Judge a fit from its folder: how near it is to its target.",
    discussion: """
      Draws from the fitted mixture, finished or interrupted, and compares its density with the target's: the ELBO, \
      the shape k̂ of the importance weights' tail, what each component carries, and how settled the iterates were. \
      The data are read again, and must be those of the fit. Draws are never the fit's own, whatever the seed; the \
      result does not depend on the number of threads.

      Exit code 0 when the fit could be judged, however bad it is; with --require-reliable 1 when k̂ is above its \
      threshold.

      EXAMPLE
        isomix diagnose out
        isomix diagnose out --draws 100000 --seed 7 --json
        isomix diagnose out --require-reliable || echo 'do not use this fit'
      """)

  @Argument(help: "A fit's folder.", completion: .directory)
  var folder: String

  @Option(name: .shortAndLong, help: "Number of draws, rounded up to equally many of each component.")
  var draws: Int = FitDiagnosis.usualDraws

  @Option(help: "Seed of the draws.")
  var seed: UInt64 = 1

  @Option(help: "Compute threads (default: one a core).")
  var threads: Int?

  @Option(help: "Folder for prepared data (default: $XDG_CACHE_HOME/isomix or ~/.cache/isomix).")
  var cache: String?

  @Flag(help: "Exit 1 when k̂ is above its threshold.")
  var requireReliable = false

  @Flag(help: "Print JSON.")
  var json = false

  func validate() throws {
    let possible = FitDiagnosis.possibleDraws
    guard possible.contains(draws) else {
      throw ValidationError("--draws must be from \(possible.lowerBound) to \(possible.upperBound).")
    }
    if let threads, !(1...1024).contains(threads) {
      throw ValidationError("--threads must be from 1 to 1024.")
    }
  }

  func run() throws {
    try reportingFailures("diagnose") {
      let diagnosis = try FitDiagnosis(
        folder: folder, draws: draws, seed: seed, threads: threads ?? Allocation.current().cores,
        cache: cache
      ) { try? StandardStream.error.write("\($0)\n") }
      if json { try printJSON(diagnosis) } else { try printOut(diagnosis.text) }
      if requireReliable, !diagnosis.judgement.isReliable { throw ExitCode.requirementMissed }
    }
  }
}
