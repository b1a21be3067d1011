/// Lower triangular matrices, row-major `[d, d]`.
public enum TriangularMatrix {
  /// `L⁻¹`, row-major `[d, d]`, zero above the diagonal; not finite where a diagonal entry is zero.
  public static func inverse(_ lower: [Double], dimension d: Int) -> [Double] {
    var result = [Double](repeating: 0, count: d * d)
    result.withUnsafeMutableBufferPointer { result in
      lower.withUnsafeBufferPointer { lower in
        for row in 0..<d {
          for k in 0..<row {
            let entry = lower[row * d + k]
            for column in 0...k { result[row * d + column] -= entry * result[k * d + column] }
          }
          let scale = 1 / lower[row * d + row]
          for column in 0..<row { result[row * d + column] *= scale }
          result[row * d + row] = scale
        }
      }
    }
    return result
  }
}
