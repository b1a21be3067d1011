extension JobPlan {
  /// The integrand at every draw of an objective, `[components, samples]` row-major, from the sums of its blocks.
  public func integrands(_ sums: [[Double]]) -> [Double] {
    var integrands = [Double](repeating: 0, count: components * samples)
    for (block, values) in sums.enumerated() {
      let drawn = samples(ofObjectiveBlock: block)
      for (place, component) in components(ofBlock: block).enumerated() {
        for (index, sample) in drawn.enumerated() {
          integrands[component * samples + sample] = values[place * drawn.count + index]
        }
      }
    }
    return integrands
  }
}
