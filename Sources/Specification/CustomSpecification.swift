/// A target that a program of the user's own adds to the families, by name.
public struct CustomSpecification: Sendable, Equatable {
  /// The name that the program registered it under.
  public var name: String
  /// Numbers that it takes, by name.
  public var settings: [String: Double]
  /// The column that it explains; nil for a target without data.
  public var response: String?
  /// Nil: every other column.
  public var features: [String]?
  /// Whether the design matrix starts with a column of ones.
  public var intercept: Bool

  init(_ node: SpecificationNode) throws(SpecificationError) {
    let values = try node.mapping(["family", "name", "settings", "response", "features", "intercept"])
    name = try values.required("name").text()
    settings = [:]
    if let given = values["settings"] {
      let mapping = given.mappingAsIs
      for key in mapping.values.keys { settings[key] = try mapping.required(key).number() }
    }
    guard values["response"] != nil else {
      try values.forbid(["features", "intercept"], because: "has no place without model.response")
      (response, features, intercept) = (nil, nil, false)
      return
    }
    let columns = try ModelColumns(values, empty: nil)
    response = columns.response
    features = columns.features
    intercept = try values["intercept"]?.bool() ?? true
  }

  var lines: [String] {
    var lines = ["  name: \(quoted(name))"]
    if !settings.isEmpty {
      let numbers = settings.keys.sorted().map { "\(quoted($0)): \(settings[$0] ?? 0)" }
      lines.append("  settings: {\(numbers.joined(separator: ", "))}")
    }
    if let response {
      lines.append("  response: \(quoted(response))")
      if let features { lines.append("  features: [\(features.map(quoted).joined(separator: ", "))]") }
      lines.append("  intercept: \(intercept)")
    }
    return lines
  }
}
