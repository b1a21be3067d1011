import FitRuntime

/// A command's page for `man`, in the macros of man(7).
struct ManualPage {
  let command: CommandHelp

  var fileName: String { command.page + ".1" }

  var text: String {
    var lines = [
      ".TH \(ManualPage.escaped(command.page.uppercased())) 1 \"\" \"isomix \(Identity.version)\" \"User Commands\"",
      ".SH NAME",
      "\(ManualPage.escaped(command.page)) \\- \(ManualPage.escaped(command.abstract ?? ""))",
      ".SH SYNOPSIS",
      synopsis,
    ]
    lines += descriptionLines + argumentLines + commandLines + exampleLines
    if command.superCommands != nil {
      lines += [".SH SEE ALSO", ".BR isomix (1)"]
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// The discussion up to its example.
  private var discussion: (text: [String], example: [String]) {
    let lines = (command.discussion ?? "").split(separator: "\n", omittingEmptySubsequences: false).map(
      String.init)
    guard let place = lines.firstIndex(of: "EXAMPLE") else { return (lines, []) }
    let after = lines[(place + 1)...]
    let end = after.firstIndex { !$0.isEmpty && !$0.hasPrefix(" ") } ?? lines.endIndex
    return (Array(lines[..<place]) + Array(lines[end...]), Array(after[..<end]).filter { !$0.isEmpty })
  }

  private var synopsis: String {
    var parts = [".B " + ManualPage.escaped(command.words.joined(separator: " "))]
    if command.subcommands?.isEmpty == false { parts.append(".I command") }
    for argument in shown {
      let value = "\\fI\(ManualPage.escaped(argument.valueName ?? "value"))\\fR"
      let name = argument.preferredName.map { "\\fB\(ManualPage.escaped($0.text))\\fR" } ?? ""
      var text =
        switch argument.kind {
        case "positional": value
        case "option": "\(name) \(value)"
        default: name
        }
      if argument.isRepeating { text += " ..." }
      parts.append(argument.isOptional ? "[\(text)]" : text)
    }
    return parts.joined(separator: "\n")
  }

  private var descriptionLines: [String] {
    let text = discussion.text
    guard text.contains(where: { !$0.isEmpty }) else { return [] }
    return [".SH DESCRIPTION"] + text.map { $0.isEmpty ? ".PP" : ManualPage.line($0) }
  }

  private var shown: [CommandHelp.Argument] { (command.arguments ?? []).filter(\.shouldDisplay) }

  private var argumentLines: [String] {
    guard !shown.isEmpty else { return [] }
    return [".SH OPTIONS"]
      + shown.flatMap { argument in
        let value = argument.valueName ?? "value"
        let names = (argument.names ?? []).map(\.text).joined(separator: ", ")
        let head =
          switch argument.kind {
          case "positional": "<\(value)>"
          case "option": "\(names) <\(value)>"
          default: names
          }
        let fallback = argument.defaultValue.map { " (default: \($0))" } ?? ""
        return [
          ".TP", "\\fB\(ManualPage.escaped(head))\\fR",
          ManualPage.line((argument.abstract ?? "") + fallback),
        ]
      }
  }

  private var commandLines: [String] {
    let commands = (command.subcommands ?? []).filter {
      $0.commandName != "help" && $0.shouldDisplay != false
    }
    guard !commands.isEmpty else { return [] }
    return [".SH COMMANDS"]
      + commands.flatMap {
        [".TP", "\\fB\($0.page)\\fR(1)", ManualPage.line($0.abstract ?? "")]
      }
  }

  private var exampleLines: [String] {
    guard !discussion.example.isEmpty else { return [] }
    return [".SH EXAMPLES", ".nf"] + discussion.example.map(ManualPage.line) + [".fi"]
  }

  /// A line of text, which must not begin like a request.
  private static func line(_ text: String) -> String {
    let escaped = escaped(text)
    return escaped.hasPrefix(".") || escaped.hasPrefix("'") ? "\\&" + escaped : escaped
  }

  /// roff's own characters, and those beyond ASCII by their numbers: old formatters read bytes.
  private static func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.replacing("k\u{302}", with: "k-hat").unicodeScalars {
      switch scalar {
      case "\\": result += "\\e"
      case "-": result += "\\-"
      case "\n": result += " "
      default:
        if scalar.isASCII {
          result.unicodeScalars.append(scalar)
        } else {
          let digits = String(scalar.value, radix: 16, uppercase: true)
          result += "\\[u\(String(repeating: "0", count: max(0, 4 - digits.count)))\(digits)]"
        }
      }
    }
    return result
  }
}
