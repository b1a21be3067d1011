/// A piece of HTML that is also well-formed XML. Text gets in through ``text(_:)`` and attributes alone, which escape it.
package struct Markup: Sendable, Equatable {
  /// The markup.
  package private(set) var html: String

  private init(trusted html: String) { self.html = html }

  /// Nothing.
  package static let nothing = Markup(trusted: "")

  /// Text, escaped.
  package static func text(_ text: String) -> Markup { Markup(trusted: escape(text)) }

  /// An element with attributes in the order given.
  package static func element(
    _ name: StaticString, _ attributes: KeyValuePairs<String, String> = [:], _ children: [Markup] = []
  ) -> Markup {
    var html = "<\(name)"
    for (key, value) in attributes { html += " \(key)=\"\(escape(value))\"" }
    if children.isEmpty {
      // Only elements without content may close themselves in HTML; in SVG any may.
      html += isVoid(name.description) ? "/>" : "></\(name)>"
    } else {
      html += ">"
      for child in children { html += child.html }
      html += "</\(name)>"
    }
    return Markup(trusted: html)
  }

  /// An element that holds text.
  package static func element(
    _ name: StaticString, _ attributes: KeyValuePairs<String, String> = [:], text: String
  ) -> Markup {
    element(name, attributes, [.text(text)])
  }

  /// The style sheet, which HTML takes literally: it holds no character that means anything in markup.
  package static func style(_ css: StaticString) -> Markup { Markup(trusted: "<style>\(css)</style>") }

  package static func + (left: Markup, right: Markup) -> Markup { Markup(trusted: left.html + right.html) }
  package static func += (left: inout Markup, right: Markup) { left.html += right.html }

  /// Several, one after the other.
  package static func joined(_ parts: [Markup]) -> Markup {
    var html = ""
    for part in parts { html += part.html }
    return Markup(trusted: html)
  }

  private static let voids: Set<String> = [
    "meta", "link", "br", "hr", "path", "line", "rect", "circle", "ellipse",
  ]
  private static func isVoid(_ name: String) -> Bool { voids.contains(name) }

  /// Replaces what means something in markup, and characters that XML does not allow.
  package static func escape(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "'": result += "&#39;"
      case "\n", "\t": result.unicodeScalars.append(scalar)
      case "\u{0}"..."\u{1F}", "\u{7F}"..."\u{9F}", "\u{FFFE}", "\u{FFFF}": result += "\u{FFFD}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}
