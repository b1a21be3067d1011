import ArgumentParser
import Reporting

struct CompletionCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "completion", abstract: "Print a completion script for a shell.",
    discussion: """
      EXAMPLE
        isomix completion bash > ~/.local/share/bash-completion/completions/isomix
        isomix completion zsh > ~/.zfunc/_isomix
        isomix completion fish > ~/.config/fish/completions/isomix.fish
      """)

  enum Shell: String, ExpressibleByArgument, CaseIterable {
    case bash, zsh, fish
  }

  @Argument(help: "bash, zsh or fish.")
  var shell: Shell

  func run() throws {
    try reportingFailures("completion") {
      let script =
        switch shell {
        case .bash: Isomix.completionScript(for: .bash)
        case .zsh: Isomix.completionScript(for: .zsh)
        case .fish: Isomix.completionScript(for: .fish)
        }
      try StandardStream.output.write(script + "\n")
    }
  }
}
