import Coordination
import Foundation

/// A script with places to fill in: how all launchers write theirs.
///
/// | in the template | in the script |
/// |---|---|
/// | `{{name}}` | the value's words, quoted for the shell where needed, with a space between |
/// | `{{{name}}}`, alone on its line | the value's lines as they are |
/// | a line with a place whose value is not given | nothing: the line is left out |
public struct LaunchTemplate: Sendable {
  /// What a place is filled with.
  public enum Value: Sendable, Equatable {
    case words([String])
    case lines([String])
    /// The line is left out.
    case absent

    package static func word(_ text: String?) -> Value { text.map { .words([$0]) } ?? .absent }
    static func number(_ number: Int?) -> Value { word(number.map { "\($0)" }) }
  }

  /// Where the text comes from, for errors.
  public let source: String
  public let text: String

  public init(source: String, text: String) {
    self.source = source
    self.text = text
  }

  /// Reads a template that a site has changed.
  /// - Throws: ``RuntimeError``, 66.
  public init(path: String) throws {
    guard let data = FileManager.default.contents(atPath: path),
      let text = String(data: data, encoding: .utf8)
    else {
      throw RuntimeError("the template \(path) can't be read", exitCode: ExitCode.noInput)
    }
    self.init(source: path, text: text)
  }

  /// Jobs of Slurm: coordinator and workers.
  public static let slurmFit = embedded("cluster/slurm/fit.sh", PackageResources.slurm_fit_sh)
  /// Jobs of Slurm: more workers.
  public static let slurmJoin = embedded("cluster/slurm/join.sh", PackageResources.slurm_join_sh)
  /// Hosts that are reached over ssh, or this machine.
  public static let sshFit = embedded("cluster/ssh/fit.sh", PackageResources.ssh_fit_sh)

  private static func embedded(_ source: String, _ bytes: [UInt8]) -> LaunchTemplate {
    LaunchTemplate(source: source, text: String(decoding: bytes, as: UTF8.self))
  }

  /// The script.
  /// - Throws: ``RuntimeError``, 65, for a place that nothing is known of.
  public func render(_ values: [String: Value]) throws -> String {
    var script: [String] = []
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    for (number, line) in lines.enumerated() {
      script += try rendered(line, values) {
        RuntimeError("\(source), line \(number + 1): \($0)", exitCode: ExitCode.badData)
      }
    }
    return script.joined(separator: "\n")
  }

  /// The lines that come from one line of the template.
  private func rendered(
    _ line: Substring, _ values: [String: Value], failure: (String) -> RuntimeError
  ) throws -> [String] {
    func value(_ name: Substring) throws -> Value {
      guard let value = values[String(name)] else {
        throw failure(
          "nothing is known of '\(name)'; places are \(values.keys.sorted().joined(separator: ", "))")
      }
      return value
    }
    let trimmed = line.trimmingCharacters(in: .whitespaces)
    if trimmed.hasPrefix("{{{"), trimmed.hasSuffix("}}}") {
      switch try value(trimmed.dropFirst(3).dropLast(3)) {
      case .lines(let lines): return lines
      case .words(let words): return [words.joined(separator: " ")]
      case .absent: return []
      }
    }
    var result = ""
    var rest = line
    while let open = rest.range(of: "{{") {
      guard let close = rest[open.upperBound...].range(of: "}}") else { throw failure("'{{' without '}}'") }
      result += rest[..<open.lowerBound]
      switch try value(rest[open.upperBound..<close.lowerBound]) {
      case .words(let words): result += words.map(LaunchTemplate.quoted).joined(separator: " ")
      case .lines(let lines): result += LaunchTemplate.quoted(lines.joined(separator: "\n"))
      case .absent: return []
      }
      rest = rest[close.upperBound...]
    }
    return [result + rest]
  }

  /// A word for a POSIX shell; left as it is where that is safe.
  static func quoted(_ word: String) -> String {
    let isPlain =
      !word.isEmpty
      && word.utf8.allSatisfy {
        UInt8(ascii: "a")...UInt8(ascii: "z") ~= $0 || UInt8(ascii: "A")...UInt8(ascii: "Z") ~= $0
          || UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 || "_-+=./:,@%".utf8.contains($0)
      }
    return isPlain ? word : "'" + word.replacingOccurrences(of: "'", with: "'\\''") + "'"
  }
}
