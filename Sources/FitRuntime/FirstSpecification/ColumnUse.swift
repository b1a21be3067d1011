import Datasets

/// What a first spec does with a column that is not the response.
enum ColumnUse: Sendable, Equatable {
  case feature
  /// Varying intercepts, one for each text.
  case group
  case leftOut(String)

  /// Columns in which a larger share of the values is missing are left out, so that their rows need not be.
  static let mostMissing = 0.2
  /// Texts with at most so many different values become 0/1 columns.
  static let mostFeatureTexts = 20
  /// Texts with at most so many different values, each with this many rows on average, become groups.
  static let mostGroups = 1000
  static let rowsPerGroup = 5

  /// - Parameter takesGroups: whether the family has groups; softmax has none.
  static func of(_ column: DatasetProfile.Column, rows: Int, records: Int, takesGroups: Bool) -> ColumnUse {
    let share = Double(column.missing) / Double(records)
    if share > mostMissing { return .leftOut("\(Int((100 * share).rounded())) % of its values are missing") }
    if column.isConstant { return .leftOut("it has the same value in every row") }
    guard column.isText else { return .feature }
    let count = column.categories.count
    if count <= mostFeatureTexts, count * 2 <= rows { return .feature }
    if takesGroups, count <= mostGroups, count * rowsPerGroup <= rows { return .group }
    return .leftOut("it holds \(count) different texts in \(rows) rows")
  }
}
