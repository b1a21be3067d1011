import Posteriors

/// A model's quantities as variables with shapes, from their flat names.
///
/// Stan writes `beta.2.1` for row 2, column 1, with the first index running fastest; variables have the last one running
/// fastest.
struct StanVariables: Sendable {
  let variables: [OutputVariable]
  /// For each number of the variables, one after the other, its place in the library's order.
  let places: [Int]

  init(names: [String]) {
    var groups: [(base: String, members: [(indices: [Int], place: Int)])] = []
    var groupOf: [String: Int] = [:]
    for (place, name) in names.enumerated() {
      let parts = name.split(separator: ".", omittingEmptySubsequences: false)
      let indices = parts.dropFirst().compactMap { Int($0) }
      // Members of tuples and parts of complex numbers keep their names.
      let isPlain = indices.count == parts.count - 1 && !name.contains(":")
      let base = isPlain ? String(parts[0]) : name
      let number = groupOf[base] ?? groups.count
      if number == groups.count {
        groups.append((base, []))
        groupOf[base] = number
      }
      groups[number].members.append((isPlain ? indices : [], place))
    }
    var variables: [OutputVariable] = []
    var places: [Int] = []
    for group in groups {
      let ordered = group.members.sorted { $0.indices.lexicographicallyPrecedes($1.indices) }
      if let shape = StanVariables.shape(ordered.map(\.indices)) {
        variables.append(
          OutputVariable(
            name: group.base,
            axes: shape.enumerated().map { axis, size in
              OutputVariable.Axis(
                name: "\(group.base)_dim_\(axis)", labels: (0..<size).map { "\($0)" })
            }, columnNames: ordered.map { names[$0.place] }))
      } else {
        variables += ordered.map { OutputVariable(name: names[$0.place]) }
      }
      places += ordered.map(\.place)
    }
    self.variables = variables
    self.places = places
  }

  /// The shape of which sorted indices from 1 are all places; nil when they are those of none.
  private static func shape(_ indices: [[Int]]) -> [Int]? {
    guard let last = indices.last, indices.allSatisfy({ $0.count == last.count }) else { return nil }
    for (number, place) in indices.enumerated() {
      var rest = number
      for axis in last.indices.reversed() {
        guard place[axis] == rest % last[axis] + 1 else { return nil }
        rest /= last[axis]
      }
      guard rest == 0 else { return nil }
    }
    return indices.count == last.reduce(1, *) ? last : nil
  }
}
