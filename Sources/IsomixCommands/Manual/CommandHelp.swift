import ArgumentParser
import Foundation

/// What the argument parser knows of a command: as much of its JSON as man pages need.
struct CommandHelp: Decodable {
  struct Argument: Decodable {
    struct Name: Decodable {
      let kind: String
      let name: String

      var text: String { (kind == "long" ? "--" : "-") + name }
    }

    let kind: String
    let shouldDisplay: Bool
    let isOptional: Bool
    let isRepeating: Bool
    let names: [Name]?
    let preferredName: Name?
    let valueName: String?
    let defaultValue: String?
    let abstract: String?
  }

  let commandName: String
  let superCommands: [String]?
  let shouldDisplay: Bool?
  let abstract: String?
  let discussion: String?
  let subcommands: [CommandHelp]?
  let arguments: [Argument]?

  /// The words that call it, for example `isomix data import`.
  var words: [String] { (superCommands ?? []) + [commandName] }
  /// The name of its page.
  var page: String { words.joined(separator: "-") }

  /// This command and all below it that help shows, `help` itself apart.
  var all: [CommandHelp] {
    [self]
      + (subcommands ?? []).filter { $0.commandName != "help" && $0.shouldDisplay != false }.flatMap(\.all)
  }

  private struct Document: Decodable { let command: CommandHelp }

  /// The whole program.
  static func program() throws -> CommandHelp {
    try JSONDecoder().decode(Document.self, from: Data(Isomix._dumpHelp().utf8)).command
  }
}
