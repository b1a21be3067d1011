/// The numbers of a row that are stored, with their columns.
struct SparseRow {
  private(set) var places: [Int32] = []
  private(set) var numbers: [Double] = []
  private var isAscending = true

  var count: Int { places.count }

  mutating func removeAll() {
    places.removeAll(keepingCapacity: true)
    numbers.removeAll(keepingCapacity: true)
    isAscending = true
  }

  /// Adds a number; zeros are not stored.
  @inline(__always)
  mutating func append(_ number: Double, at place: Int32) {
    guard number != 0 else { return }
    if let last = places.last, last >= place { isAscending = false }
    places.append(place)
    numbers.append(number)
  }

  /// Puts the numbers into the order of their columns.
  mutating func sort() {
    guard !isAscending else { return }
    let order = places.indices.sorted { places[$0] < places[$1] }
    places = order.map { places[$0] }
    numbers = order.map { numbers[$0] }
    isAscending = true
  }
}
