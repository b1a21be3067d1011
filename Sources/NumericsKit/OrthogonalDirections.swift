import COpenBLAS

/// Random directions that come in orthogonal frames: `√d q` for the rows q of random orthogonal matrices.
///
/// Each direction is uniform on the sphere of radius √d, as a standard normal vector nearly is; together the d
/// directions of a frame satisfy `Σ z zᵀ = d I` exactly. An average of `(H z) zᵀ` over a frame is therefore H itself, without the
/// noise that independent directions would add.
///
/// Belongs to one thread; keeps the frames it made last.
public struct OrthogonalDirections {
  private let noise: Noise
  private let dimension: Int
  private var frames: [(key: Key, rows: [Double])] = []

  private struct Key: Equatable {
    let iteration: Int
    let frame: Int
  }

  /// Enough for the tiles that one thread has in its hands; a frame is d² numbers.
  private static let mostFrames = 4

  public init(noise: Noise, dimension: Int) {
    self.noise = noise
    self.dimension = dimension
  }

  /// Fills `output`, row-major `[range.count, d]`, with directions of an endless sequence: direction j is row
  /// `j mod d` of frame `⌊j / d⌋`.
  ///
  /// - Parameter iteration: another one, another sequence.
  public mutating func fill(
    _ range: Range<Int>, iteration: Int, into output: UnsafeMutablePointer<Double>
  ) {
    var index = range.lowerBound
    while index < range.upperBound {
      let frame = index / dimension
      let end = min(range.upperBound, (frame + 1) * dimension)
      let rows = rows(of: Key(iteration: iteration, frame: frame))
      let first = (index - frame * dimension) * dimension
      for offset in 0..<(end - index) * dimension {
        output[(index - range.lowerBound) * dimension + offset] = rows[first + offset]
      }
      index = end
    }
  }

  private mutating func rows(of key: Key) -> [Double] {
    if let known = frames.first(where: { $0.key == key }) { return known.rows }
    let rows = makeFrame(key)
    if frames.count >= Self.mostFrames { frames.removeFirst() }
    frames.append((key, rows))
    return rows
  }

  /// A uniformly distributed orthogonal matrix times √d: the Q of a matrix of standard normal numbers, with the signs
  /// that make R's diagonal positive (Mezzadri, Notices of the AMS 54, 2007).
  private func makeFrame(_ key: Key) -> [Double] {
    let d = dimension
    var matrix = [Double](repeating: 0, count: d * d)
    matrix.withUnsafeMutableBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return }
      noise.fillNormals(
        .curvature, iteration: key.iteration, component: key.frame, samples: 0..<d, dimension: d, into: base)
    }
    // LAPACK counts by columns: its columns are our rows.
    let order = blasint(d)
    var tau = [Double](repeating: 0, count: d)
    var info = blasint(0)
    let size = blasint(64 * d)
    var work = [Double](repeating: 0, count: Int(size))
    dgeqrf_([order], [order], &matrix, [order], &tau, &work, [size], &info)
    let signs = (0..<d).map { matrix[$0 * d + $0] < 0 ? -1.0 : 1.0 }
    dorgqr_([order], [order], [order], &matrix, [order], tau, &work, [size], &info)
    let radius = Double(d).squareRoot()
    for row in 0..<d {
      for column in 0..<d { matrix[row * d + column] *= signs[row] * radius }
    }
    return matrix
  }
}
