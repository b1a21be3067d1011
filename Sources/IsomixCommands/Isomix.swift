import ArgumentParser
import Coordination
import FitRuntime
import Foundation
import Reporting

struct Isomix: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "isomix",
    abstract: "Fits Bayesian posteriors with mixtures of isotropic Gaussians, over many processes.",
    discussion: """
      EXAMPLE
        isomix fit cluster/examples/breast-cancer.yaml --output out
        isomix sample out --draws 1000 > draws.csv
        isomix predict out --data new.csv > predictions.csv

      Exit codes: 0 done, 1 done but not as required (fit --require-convergence: not converged, diagnose \
      --require-reliable: k̂ too large), 64 usage, 65 bad data or spec, 66 no such input, 69 no workers or a peer lost for good, \
      70 internal, 73 cannot write, 75 interrupted (resumable), 77 not authorised.
      """,
    version: Identity.version,
    subcommands: [
      FitCommand.self, StatusCommand.self, WorkerCommand.self, RelayCommand.self, InitCommand.self,
      SampleCommand.self, PredictCommand.self,
      DiagnoseCommand.self, ReportCommand.self, CompareCommand.self, ModelsCommand.self, DataCommand.self,
      KeysCommand.self, LaunchCommand.self, DoctorCommand.self, SimulateCommand.self, BenchCommand.self,
      CompletionCommand.self, ManualCommand.self, ServeDashboardCommand.self,
    ])
}

/// The command line, for a program's `main`.
public enum IsomixProgram {
  /// Runs the command that the process was started with, and ends the process.
  ///
  /// A program of one's own registers its targets before (``CustomTargets``); its worker processes come here, too.
  public static func main() {
    BLASCode.prepare()
    StandardStream.fill()
    Isomix.main()
  }
}

extension ArgumentParser.ExitCode {
  /// The command did its work, and the result is not what an option requires of it.
  static let requirementMissed = ArgumentParser.ExitCode(1)
}

/// Runs a command's body: a failure becomes one sentence on standard error and its exit code.
func reportingFailures(_ command: String, _ body: () throws -> Void) throws {
  do {
    try body()
  } catch let exit as ArgumentParser.ExitCode {
    throw exit
  } catch {
    let failure = RunFailure(error)
    try? StandardStream.error.write("isomix \(command): \(failure.message)\n")
    throw ArgumentParser.ExitCode(failure.exitCode)
  }
}

/// Writes to standard output.
func printOut(_ text: String) throws { try StandardStream.output.write(text + "\n") }

/// Writes a value as JSON to standard output, indented or on one line.
func printJSON(_ value: some Encodable, pretty: Bool = true) throws {
  let data = try JSONStyle.encoder(pretty: pretty).encode(value)
  try printOut(String(decoding: data, as: UTF8.self))
}
