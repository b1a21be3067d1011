import ArgumentParser
import FitRuntime
import Foundation
import Reporting

struct LaunchSlurmCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "slurm", abstract: "Submit a fit to Slurm, or more workers for one that runs.",
    discussion: """
      One job holds the coordinator, on its first node, and workers on all of its nodes. Before the time limit it writes a \
      checkpoint and goes back into the queue, until the fit is done; the job's exit code is the coordinator's. Tasks, nodes \
      and links may fail, and workers of other jobs may join, without a change of the result. Several specs are an array of \
      jobs, each with a folder of its own in the output folder.

      Without --workers-per-node the job asks for whole nodes (--exclusive).

      EXAMPLE
        isomix launch slurm flights.yaml --output out --nodes 4 --time 2:00:00 --dry-run
        isomix launch slurm flights.yaml --output out --nodes 4 --workers-per-node 16 --partition long \\
          --interface ib0 --extra '#SBATCH --account=stat' --env-setup 'module load openblas'
        isomix launch slurm flights.yaml --output out --set mixture.components=50 -- --checkpoint-interval 60
        isomix launch slurm --join out --nodes 8 --partition spare
        isomix launch slurm specs/*.yaml --output all --workers-per-node 8
      """)

  @Argument(help: "The specs (YAML).", completion: .file(extensions: ["yaml", "yml"]))
  var specs: [String] = []

  @Option(name: .shortAndLong, help: "Folder for the results.", completion: .directory)
  var output: String?

  @Option(help: "Start more workers for the fit in this output folder.", completion: .directory)
  var join: String?

  @OptionGroup var options: LaunchOptions
  @OptionGroup var fit: LaunchedFitOptions

  @Option(help: "The job's name.")
  var jobName: String?

  @Option(help: "Seconds before the time limit at which the checkpoint is written.")
  var signalMargin: Int = 180

  @Option(help: "How often the job goes back into the queue at most.")
  var mostRequeues: Int = 1000

  @Flag(help: "Wait for the job to end, and exit with its code.")
  var waitForEnd = false

  func validate() throws {
    if join != nil {
      guard specs.isEmpty, output == nil, fit.arguments.isEmpty else {
        throw ValidationError(
          "With --join DIR the fit is there already: leave specs, --output and its options away.")
      }
    } else {
      guard !specs.isEmpty, output != nil else {
        throw ValidationError("Give a spec and --output DIR, or --join DIR.")
      }
    }
    guard (1...65535).contains(signalMargin) else {
      throw ValidationError("--signal-margin must be from 1 to 65535 seconds.")
    }
    guard (0...1_000_000).contains(mostRequeues) else {
      throw ValidationError("--most-requeues must be from 0 to 1000000.")
    }
  }

  func run() throws {
    try reportingFailures("launch slurm") {
      var request = LaunchRequest(output: join ?? output ?? "", specifications: specs)
      options.apply(to: &request)
      request.fitOptions = fit.arguments
      request.jobName = jobName
      request.signalMargin_s = signalMargin
      request.mostRequeues = mostRequeues
      let script: String
      if join != nil {
        script = try SlurmLaunch.joinScript(request, template: options.chosenTemplate(.slurmJoin))
      } else {
        try fit.check(request)
        script = try SlurmLaunch.script(request, template: options.chosenTemplate(.slurmFit))
      }
      if options.dryRun { return try StandardStream.output.write(script) }
      let path = try request.write(script, to: join == nil ? "slurm-fit.sh" : "slurm-join.sh")
      try? StandardStream.error.write(
        "isomix launch: the script and the job's logs are in \(request.folder)\n")
      try SlurmLaunch.submit(path, waiting: waitForEnd)
    }
  }
}
