/// Turns category codes in order of appearance into indices of the sorted categories.
struct CategoryCoding {
  private struct Column {
    /// Index in the table.
    let index: Int
    /// The final code, by the code in order of appearance.
    let codes: [Double]
    let texts: [String]
    let counts: [Int]
  }

  private let columns: [Column]
  /// Where a column of the table is in `columns`; nil for a numeric one.
  private let positions: [Int?]

  init(_ categories: [CategoryTable?]) {
    var columns: [Column] = []
    var positions = [Int?](repeating: nil, count: categories.count)
    for (index, table) in categories.enumerated() {
      guard let table else { continue }
      // A category that only dropped records had is none.
      let used = table.texts.indices.filter { table.counts[$0] > 0 }
      let order = CategoryOrder.sorted(used.map { table.texts[$0] }).map { used[$0] }
      var codes = [Double](repeating: 0, count: table.texts.count)
      for (code, original) in order.enumerated() { codes[original] = Double(code) }
      positions[index] = columns.count
      columns.append(
        Column(
          index: index, codes: codes, texts: order.map { table.texts[$0] },
          counts: order.map { table.counts[$0] }))
    }
    self.columns = columns
    self.positions = positions
  }

  func apply(to row: UnsafeMutablePointer<Double>) {
    for column in columns { row[column.index] = column.codes[Int(row[column.index])] }
  }

  /// The sorted categories of a column and their numbers of rows; nil for a numeric column.
  func categories(_ index: Int) -> (texts: [String], counts: [Int])? {
    positions[index].map { (columns[$0].texts, columns[$0].counts) }
  }
}
