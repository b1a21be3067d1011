import CKernels

/// The floating-point format in which a design matrix is stored and multiplied.
public enum Precision: String, Sendable, Codable, CaseIterable {
  case float64
  case float32

  /// Bytes a number.
  public var byteCount: Int { self == .float64 ? 8 : 4 }
}

/// How a matrix is stored.
public enum MatrixStorage: String, Sendable, Codable, CaseIterable {
  /// Every number.
  case dense
  /// The numbers other than 0, in compressed rows.
  case sparse
}

/// Compressed rows of a sparse matrix: row r has the numbers `offsets[r] ..< offsets[r + 1]`.
public struct SparseRows {
  /// Where each row begins in `places` and `numbers`, `[rows + 1]`.
  public let offsets: UnsafePointer<Int64>
  /// The column of each number, from 0; ascending within a row.
  public let places: UnsafePointer<Int32>
  /// The numbers, in the block's precision.
  public let numbers: UnsafeRawPointer

  public init(
    @_nonEphemeral offsets: UnsafePointer<Int64>, @_nonEphemeral places: UnsafePointer<Int32>,
    @_nonEphemeral numbers: UnsafeRawPointer
  ) {
    self.offsets = offsets
    self.places = places
    self.numbers = numbers
  }

  /// The rows from one on.
  public func rows(from first: Int) -> SparseRows {
    SparseRows(offsets: offsets + first, places: places, numbers: numbers)
  }
}

/// Consecutive rows of a design matrix with their responses, borrowed from whoever owns the memory
/// (usually a memory-mapped shard).
///
/// The block is valid only during the call that it is passed to.
public struct RowBlock {
  /// The design matrix, row-major `[count, columns]`, in `precision`. Of a sparse block nothing that may be read.
  public let features: UnsafeRawPointer
  /// The design matrix where it is sparse; nil for a dense one.
  public let sparse: SparseRows?
  /// The responses `[count]`: 0 or 1, a class index from 0, or a real number, as the family asks.
  public let responses: UnsafePointer<Double>
  /// Of each row the index of its level in each group column, row-major `[count, group columns]`; an index that is not
  /// below the number of levels is an unknown level. Nil where no columns group the rows.
  public let levels: UnsafePointer<Int32>?
  /// Number of group columns.
  public let groups: Int
  /// Number of rows.
  public let count: Int
  /// Number of columns of the design matrix (the intercept's column of ones included).
  public let columns: Int
  /// Format of the design matrix's numbers.
  public let precision: Precision

  /// Borrows memory: pass pointers that outlive the block (`withUnsafeBufferPointer`), never an array, which would
  /// be freed when this initialiser returns. The attribute makes the compiler say so.
  public init(
    @_nonEphemeral features: UnsafeRawPointer, @_nonEphemeral responses: UnsafePointer<Double>, count: Int,
    columns: Int, precision: Precision, @_nonEphemeral levels: UnsafePointer<Int32>? = nil, groups: Int = 0
  ) {
    self.features = features
    sparse = nil
    self.responses = responses
    self.count = count
    self.columns = columns
    self.precision = precision
    self.levels = levels
    self.groups = groups
  }

  /// Borrows sparse rows.
  public init(
    sparse: SparseRows, @_nonEphemeral responses: UnsafePointer<Double>, count: Int, columns: Int,
    precision: Precision
  ) {
    features = sparse.numbers
    self.sparse = sparse
    self.responses = responses
    self.count = count
    self.columns = columns
    self.precision = precision
    levels = nil
    groups = 0
  }

  /// Some of the rows.
  public func rows(_ range: Range<Int>) -> RowBlock {
    if let sparse {
      return RowBlock(
        sparse: sparse.rows(from: range.lowerBound), responses: responses + range.lowerBound,
        count: range.count, columns: columns, precision: precision)
    }
    return RowBlock(
      features: features + range.lowerBound * columns * precision.byteCount,
      responses: responses + range.lowerBound, count: range.count, columns: columns, precision: precision,
      levels: levels.map { $0 + range.lowerBound * groups }, groups: groups)
  }
}

extension RowBlock {
  /// In what precision products with the rows are taken: of sparse rows in double precision, whatever the numbers'.
  public var productPrecision: Precision { sparse == nil ? precision : .float64 }

  /// Writes rows as a dense matrix in double precision, `[range.count, columns]`.
  public func writeDense(_ range: Range<Int>, into output: UnsafeMutablePointer<Double>) {
    let numbers = range.count * columns
    guard let sparse else {
      switch precision {
      case .float64:
        output.update(
          from: features.assumingMemoryBound(to: Double.self) + range.lowerBound * columns, count: numbers)
      case .float32:
        isomix_to_doubles(
          features.assumingMemoryBound(to: Float.self) + range.lowerBound * columns, numbers, output)
      }
      return
    }
    output.update(repeating: 0, count: numbers)
    for row in range {
      let target = output + (row - range.lowerBound) * columns
      for index in Int(sparse.offsets[row])..<Int(sparse.offsets[row + 1]) {
        target[Int(sparse.places[index])] = sparse.number(index, precision)
      }
    }
  }
}

extension SparseRows {
  /// One of the numbers.
  @inline(__always)
  func number(_ index: Int, _ precision: Precision) -> Double {
    switch precision {
    case .float64: numbers.assumingMemoryBound(to: Double.self)[index]
    case .float32: Double(numbers.assumingMemoryBound(to: Float.self)[index])
    }
  }
}
