import Foundation
import Yams

/// A value of a spec with its path and place, read strictly: every error names file, line and key.
struct SpecificationNode {
  let node: Node
  /// Dotted path from the root, for messages and `--set`.
  let path: String
  let source: SpecificationSource

  /// `file:line:column: ` of the value, or the option that it came from.
  var place: String {
    if let mark = node.mark { return "\(source.name):\(mark.line):\(mark.column): " }
    return source.option(for: path).map { "--set \($0): " } ?? "\(source.name): "
  }

  func error(_ text: String) -> SpecificationError { SpecificationError(place + text) }

  private var name: String { path.isEmpty ? "the spec" : path }

  /// The value as a mapping that may have the given keys and no others.
  func mapping(_ allowed: [String]) throws(SpecificationError) -> SpecificationMapping {
    guard let mapping = node.mapping else { throw error("\(name) must be a mapping (key: value)") }
    var values: [String: SpecificationNode] = [:]
    for (keyNode, value) in mapping {
      guard let key = keyNode.scalar?.string else {
        throw SpecificationNode(node: keyNode, path: path, source: source).error(
          "a key of \(name) is not a text")
      }
      let child = path.isEmpty ? key : "\(path).\(key)"
      let keyPlace = SpecificationNode(node: keyNode, path: child, source: source)
      guard allowed.contains(key) else {
        let valid = path == "model" ? allowed + [SpecificationNode.factorizationKey] : allowed
        let hint = nearest(to: key, in: valid).map { "; did you mean '\($0)'?" } ?? "."
        let known = valid.joined(separator: ", ")
        throw keyPlace.error(
          "unknown key '\(key)'\(path.isEmpty ? "" : " in \(path)")\(hint) Valid keys: \(known)")
      }
      values[key] = SpecificationNode(node: value, path: child, source: source)
    }
    return SpecificationMapping(values: values, parent: self)
  }

  /// The value as a mapping whose keys have been checked before.
  var mappingAsIs: SpecificationMapping {
    var values: [String: SpecificationNode] = [:]
    for (key, value) in node.mapping ?? [:] {
      guard let key = key.scalar?.string else { continue }
      values[key] = SpecificationNode(
        node: value, path: path.isEmpty ? key : "\(path).\(key)", source: source)
    }
    return SpecificationMapping(values: values, parent: self)
  }

  /// Whether the value is written as nothing, `~` or `null`.
  var isNull: Bool { node.scalar != nil && node.null != nil }

  func text() throws(SpecificationError) -> String {
    guard let scalar = node.scalar, !isNull else { throw error("\(name) must be a text") }
    return scalar.string
  }

  func bool() throws(SpecificationError) -> Bool {
    guard let scalar = node.scalar, let value = Bool.construct(from: scalar) else {
      throw error("\(name) must be true or false")
    }
    return value
  }

  func integer(atLeast minimum: Int, atMost maximum: Int = .max) throws(SpecificationError) -> Int {
    // Not Yams' own reading: that takes 010 for 8, and traps on an overflow of base-60 numbers such as 9:59.
    guard let scalar = node.scalar, let value = Int(scalar.string) else {
      throw error("\(name) must be a whole number, not \(described)")
    }
    guard value >= minimum else { throw error("\(name) must be at least \(minimum), not \(value)") }
    guard value <= maximum else { throw error("\(name) must be at most \(maximum), not \(value)") }
    return value
  }

  func seed() throws(SpecificationError) -> UInt64 {
    guard let scalar = node.scalar, let value = UInt64(scalar.string) else {
      throw error("\(name) must be a whole number from 0 to \(UInt64.max), not \(described)")
    }
    return value
  }

  func number() throws(SpecificationError) -> Double {
    guard let scalar = node.scalar, let value = Double(scalar.string) ?? Double.construct(from: scalar) else {
      throw error("\(name) must be a number, not \(described)")
    }
    guard value.isFinite else { throw error("\(name) must be finite, not \(described)") }
    return value
  }

  func positive() throws(SpecificationError) -> Double {
    let value = try number()
    guard value > 0 else { throw error("\(name) must be greater than 0, not \(described)") }
    return value
  }

  func list() throws(SpecificationError) -> [SpecificationNode] {
    guard let sequence = node.sequence else { throw error("\(name) must be a list, not \(described)") }
    return sequence.enumerated().map {
      SpecificationNode(node: $0.element, path: "\(path)[\($0.offset + 1)]", source: source)
    }
  }

  func numbers() throws(SpecificationError) -> [Double] {
    try list().map { node throws(SpecificationError) in try node.number() }
  }

  /// One of a fixed set of words.
  func choice<Value>(_ choices: [(String, Value)]) throws(SpecificationError) -> Value {
    let word = try text()
    if let match = choices.first(where: { $0.0 == word }) { return match.1 }
    let known = choices.map(\.0)
    let hint = nearest(to: word, in: known).map { "; did you mean '\($0)'?" } ?? "."
    throw error("'\(word)' is not a valid \(name)\(hint) Valid: \(known.joined(separator: ", "))")
  }

  /// The value as a message shows it.
  private var described: String {
    switch node {
    case .scalar(let scalar): "'\(scalar.string)'"
    case .mapping: "a mapping"
    case .sequence: "a list"
    case .alias: "an alias"
    }
  }
}

/// Where the values of a spec come from.
struct SpecificationSource {
  /// Name of the file.
  let name: String
  /// Dotted paths that were set from outside the file, each with the option's text.
  var options: [(path: String, text: String)] = []

  /// The option that a path, or what it lies in, was last set by.
  func option(for path: String) -> String? {
    options.last { path == $0.path || path.hasPrefix($0.path + ".") || path.hasPrefix($0.path + "[") }?.text
  }
}

/// A mapping whose keys have been checked.
struct SpecificationMapping {
  let values: [String: SpecificationNode]
  let parent: SpecificationNode

  /// The value of a key, nil when it is missing or null.
  subscript(key: String) -> SpecificationNode? {
    guard let value = values[key], !value.isNull else { return nil }
    return value
  }

  /// The value of a key that must be there.
  func required(_ key: String) throws(SpecificationError) -> SpecificationNode {
    guard let value = self[key] else {
      let path = parent.path.isEmpty ? key : "\(parent.path).\(key)"
      throw parent.error("'\(path)' is missing")
    }
    return value
  }

  /// Refuses keys that make no sense beside another choice.
  func forbid(_ keys: [String], because reason: String) throws(SpecificationError) {
    for key in keys {
      if let value = values[key] { throw value.error("'\(value.path)' \(reason)") }
    }
  }
}

/// The word nearest to a mistyped one by edit distance, if one is near enough.
func nearest(to word: String, in candidates: [String]) -> String? {
  let ranked = candidates.map { (candidate: $0, distance: editDistance(word, $0)) }
  guard let best = ranked.min(by: { ($0.distance, $0.candidate) < ($1.distance, $1.candidate) }) else {
    return nil
  }
  return best.distance <= max(2, word.count / 3) ? best.candidate : nil
}

/// Levenshtein distance.
private func editDistance(_ left: String, _ right: String) -> Int {
  let right = Array(right.lowercased())
  var row = Array(0...right.count)
  for (i, letter) in left.lowercased().enumerated() {
    var diagonal = row[0]
    row[0] = i + 1
    for j in right.indices {
      let substituted = diagonal + (right[j] == letter ? 0 : 1)
      diagonal = row[j + 1]
      row[j + 1] = min(substituted, row[j] + 1, row[j + 1] + 1)
    }
  }
  return row[right.count]
}
