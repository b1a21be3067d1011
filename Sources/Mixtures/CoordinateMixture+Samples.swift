import CKernels

/// Samples whose coordinates come from components of their own: sample s takes component `chosen[s, k]` in coordinate k.
extension CoordinateMixture {
  /// Turns standard normal deviates z in `offsets` into `√ε_ik z`, and writes `m_ik + √ε_ik z` to `points`.
  ///
  /// - Parameters:
  ///   - chosen: components, row-major `[count, d]`; offsets and points likewise.
  ///   - components: N·d components of one dimension in the order (component, coordinate).
  public static func place(
    chosen: UnsafePointer<Int32>, count: Int, dimension: Int, of components: IsotropicMixture,
    offsets: UnsafeMutablePointer<Double>, points: UnsafeMutablePointer<Double>
  ) {
    isomix_coordinate_place(
      chosen, count, dimension, components.means, components.variances, offsets, points)
  }

  /// Adds each sample's gradient and `gradient · offset` at its components to `sums`, row-major `[N, 2d]`: d numbers of the
  /// first kind, then d of the second.
  public static func contract(
    chosen: UnsafePointer<Int32>, count: Int, dimension: Int, gradients: UnsafePointer<Double>,
    offsets: UnsafePointer<Double>, into sums: UnsafeMutablePointer<Double>
  ) {
    isomix_coordinate_contract(chosen, count, dimension, gradients, offsets, sums)
  }
}
