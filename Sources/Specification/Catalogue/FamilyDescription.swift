/// What a user needs to know of a model family: formula, keys, and a spec to start from.
public struct FamilyDescription: Sendable, Codable, Hashable {
  /// A key of `model:`.
  public struct Key: Sendable, Codable, Hashable {
    public var name: String
    /// What may stand there.
    public var values: String
    /// Nil where a value has to be given.
    public var `default`: String?
    public var meaning: String

    init(_ name: String, _ values: String, default: String?, _ meaning: String) {
      self.name = name
      self.values = values
      self.default = `default`
      self.meaning = meaning
    }
  }

  public var family: String
  public var title: String
  /// The density, in words and symbols.
  public var formula: [String]
  public var keys: [Key]
  /// A whole spec.
  public var example: String

  /// The family's page as text.
  public var text: String {
    var lines = ["\(family): \(title)", ""]
    lines += formula.map { "  " + $0 }
    lines += ["", "Keys of model:"]
    let width = keys.map(\.name.count).max() ?? 0
    for key in keys {
      let name = key.name.padding(to: width)
      lines.append("  \(name)  \(key.values)" + (key.default.map { "  (default: \($0))" } ?? "  (required)"))
      lines.append("  \(String(repeating: " ", count: width))  \(key.meaning)")
    }
    lines += ["", "Example:"]
    lines += example.split(separator: "\n", omittingEmptySubsequences: false).map { "  " + $0 }
    while lines.last?.allSatisfy(\.isWhitespace) == true { lines.removeLast() }
    return lines.joined(separator: "\n")
  }
}

extension String {
  fileprivate func padding(to width: Int) -> String {
    self + String(repeating: " ", count: max(0, width - count))
  }
}

extension FamilyDescription {
  /// Every family, as `isomix models` lists them.
  public static let all: [FamilyDescription] = (regressions + networks + [stan, custom] + targets).map {
    var description = $0
    description.keys.append(factorization)
    return description
  }

  private static let factorization = Key(
    "factorization", "full | coordinates", default: "full",
    "coordinates: each parameter's marginal is its own mixture, and they are independent.")

  /// The description of a family; nil if there is none of that name.
  public static func of(_ family: String) -> FamilyDescription? { all.first { $0.family == family } }
}
