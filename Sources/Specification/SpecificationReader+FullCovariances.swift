extension InferenceSpecification {
  /// Defaults of algorithm `bw`, and the settings that make no sense beside it: full covariances need no coordinates, and
  /// the warm-up, the moves of components and the averages of the stopping rule are those of isotropic components.
  mutating func settleFullCovariances(_ mapping: SpecificationMapping) throws(SpecificationError) {
    if let node = mapping["metric"], metric != .unit {
      throw node.error(
        "inference.metric must be unit for algorithm bw: full covariances need no other coordinates; leave it out"
      )
    }
    if let node = mapping["relocation"], relocation {
      throw node.error(
        "inference.relocation is not for algorithm bw; leave it out, or use an isotropic algorithm")
    }
    if let node = mapping["warmup"], warmUp != 0 {
      throw node.error(
        "inference.warmup must be 0 for algorithm bw, which learns no coordinates; leave it out")
    }
    if let node = mapping["stop"], stop != .iterations {
      throw node.error(
        "inference.stop: converged is not for algorithm bw; use iterations, which is its default, and judge its end by "
          + "k̂ and the trace")
    }
    metric = .unit
    relocation = false
    warmUp = 0
    stop = .iterations
  }
}
