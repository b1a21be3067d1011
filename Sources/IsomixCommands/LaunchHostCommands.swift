import ArgumentParser
import FitRuntime
import Foundation
import Reporting

struct LaunchSshCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ssh", abstract: "Run a fit over hosts that are reached by ssh.",
    discussion: """
      The coordinator runs on this machine, and workers on every host, for as long as this command runs: Ctrl-C, a lost \
      connection, a closed terminal and `kill -9` leave no process behind, and a checkpoint to go on from with --resume. A host \
      that is lost is tried again. Keys go to the hosts through ssh. A hostfile has a host a line, [user@]host[:port], with \
      slots=N after it for its number of worker processes.

      EXAMPLE
        isomix launch ssh flights.yaml --output out --host node1 --host node2
        isomix launch ssh flights.yaml --output out --hostfile hosts --threads 2 --interface eth1
        isomix launch ssh flights.yaml --output out --hostfile hosts --ssh-option IdentityFile=~/.ssh/cluster \\
          --ssh-option '-J gateway'
        isomix launch ssh flights.yaml --output out --hostfile hosts --resume
      """)

  @Argument(help: "The spec (YAML).", completion: .file(extensions: ["yaml", "yml"]))
  var spec: String

  @Option(name: .shortAndLong, help: "Folder for the results.", completion: .directory)
  var output: String

  @Option(help: "File with the hosts.", completion: .file())
  var hostfile: String?

  @Option(help: "A host, [user@]host[:port]; repeatable.")
  var host: [String] = []

  @Option(
    parsing: .unconditionalSingleValue,
    help: ArgumentHelp(
      "An option for ssh: Name=value, or with a hyphen as on its command line; repeatable.",
      valueName: "option"))
  var sshOption: [String] = []

  @OptionGroup var options: LaunchOptions
  @OptionGroup var fit: LaunchedFitOptions

  func run() throws {
    try reportingFailures("launch ssh") {
      var hosts: [LaunchHost] = []
      if let hostfile {
        guard let data = FileManager.default.contents(atPath: hostfile) else {
          throw RuntimeError("the hostfile \(hostfile) can't be read", exitCode: 66)
        }
        hosts = try LaunchHost.parse(String(decoding: data, as: UTF8.self), source: hostfile)
      }
      for host in host { hosts += try LaunchHost.parse(host, source: "--host") }
      guard !hosts.isEmpty else {
        throw RuntimeError("no hosts: give --hostfile FILE or --host HOST", exitCode: 64)
      }
      try launch(spec, output: output, options: options, fit: fit) { request in
        try HostLaunch.script(
          request, hosts: hosts, sshOptions: sshOption, template: options.chosenTemplate(.sshFit))
      }
    }
  }
}

struct LaunchLocalCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "local", abstract: "Run a fit on this machine as it would run on a cluster.",
    discussion: """
      The script of `isomix launch ssh`, without ssh: --nodes N pools of workers on this machine. To try a spec, a template \
      or the options of a launch; `isomix fit` alone does the same with less.

      EXAMPLE
        isomix launch local flights.yaml --output out
        isomix launch local flights.yaml --output out --nodes 2 --workers-per-node 1 --time 30
      """)

  @Argument(help: "The spec (YAML).", completion: .file(extensions: ["yaml", "yml"]))
  var spec: String

  @Option(name: .shortAndLong, help: "Folder for the results.", completion: .directory)
  var output: String

  @OptionGroup var options: LaunchOptions
  @OptionGroup var fit: LaunchedFitOptions

  func run() throws {
    try reportingFailures("launch local") {
      try launch(spec, output: output, options: options, fit: fit) { request in
        try HostLaunch.localScript(request, template: options.chosenTemplate(.sshFit))
      }
    }
  }
}

/// Prints the script, or runs it in the place of this process.
private func launch(
  _ spec: String, output: String, options: LaunchOptions, fit: LaunchedFitOptions,
  script make: (LaunchRequest) throws -> String
) throws {
  var request = LaunchRequest(output: output, specifications: [spec])
  options.apply(to: &request)
  request.fitOptions = fit.arguments
  try fit.check(request)
  let script = try make(request)
  if options.dryRun { return try StandardStream.output.write(script) }
  if options.partition != nil {
    try? StandardStream.error.write(
      "isomix launch: only Slurm has partitions: --partition changes nothing here\n")
  }
  try HostLaunch.run(request.write(script, to: "fit.sh"))
}
