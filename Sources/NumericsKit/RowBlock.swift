/// The floating-point format in which a design matrix is stored and multiplied.
public enum Precision: String, Sendable, Codable, CaseIterable {
  case float64
  case float32

  /// Bytes a number.
  public var byteCount: Int { self == .float64 ? 8 : 4 }
}

/// Consecutive rows of a design matrix with their responses, borrowed from whoever owns the memory
/// (usually a memory-mapped shard).
///
/// The block is valid only during the call that it is passed to.
public struct RowBlock {
  /// The design matrix, row-major `[count, columns]`, in `precision`.
  public let features: UnsafeRawPointer
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
  /// Format of `features`.
  public let precision: Precision

  /// Borrows memory: pass pointers that outlive the block (`withUnsafeBufferPointer`), never an array, which would
  /// be freed when this initialiser returns. The attribute makes the compiler say so.
  public init(
    @_nonEphemeral features: UnsafeRawPointer, @_nonEphemeral responses: UnsafePointer<Double>, count: Int,
    columns: Int, precision: Precision, @_nonEphemeral levels: UnsafePointer<Int32>? = nil, groups: Int = 0
  ) {
    self.features = features
    self.responses = responses
    self.count = count
    self.columns = columns
    self.precision = precision
    self.levels = levels
    self.groups = groups
  }

  /// Some of the rows.
  public func rows(_ range: Range<Int>) -> RowBlock {
    RowBlock(
      features: features + range.lowerBound * columns * precision.byteCount,
      responses: responses + range.lowerBound, count: range.count, columns: columns, precision: precision,
      levels: levels.map { $0 + range.lowerBound * groups }, groups: groups)
  }
}
