/// The columns that a model of data speaks of.
struct ModelColumns: Sendable, Equatable {
  /// The name that responses from a file of their own go by.
  static let unnamedResponse = "response"

  var response: String
  /// Nil: every other column.
  var features: [String]?

  /// Reads `response` and `features`.
  ///
  /// - Parameter empty: what is wrong with a list of no features; nil when nothing is.
  init(_ values: SpecificationMapping, empty: String?) throws(SpecificationError) {
    // A separate NPY file of responses has no column name; `FitSpecification` insists on one otherwise.
    response = try values["response"]?.text() ?? ModelColumns.unnamedResponse
    features = try values["features"]?.list().map { item throws(SpecificationError) in try item.text() }
    guard let node = values["features"], let names = features else { return }
    if names.isEmpty, let empty { throw node.error("model.features lists no column\(empty)") }
    guard Set(names).count == names.count else { throw node.error("model.features names a column twice") }
    guard !names.contains(response) else {
      throw node.error("model.features contains the response '\(response)'")
    }
  }
}
