/// Memory of one thread that grows to the largest request and stays, so that hot paths allocate nothing.
///
/// Pointers into it don't keep it alive: whoever uses one extends its owner's lifetime (`withExtendedLifetime`) to
/// the end of the use, because Swift may end an object's life after its last mention.
public struct ScratchMemory: ~Copyable {
  /// A cache line, and the widest vector.
  private static let alignment = 64
  private var memory: UnsafeMutableRawPointer?
  private var byteCount = 0

  public init() {}

  deinit { memory?.deallocate() }

  /// Memory for `count` numbers of a type, with undefined content; valid until the next request.
  @inline(__always)
  public mutating func reserve<Scalar: BitwiseCopyable>(
    _ count: Int, of type: Scalar.Type = Double.self
  ) -> UnsafeMutablePointer<Scalar> {
    let needed = max(1, count) * MemoryLayout<Scalar>.stride
    if let memory, needed <= byteCount { return memory.assumingMemoryBound(to: type) }
    return grow(to: needed).assumingMemoryBound(to: type)
  }

  private mutating func grow(to needed: Int) -> UnsafeMutableRawPointer {
    memory?.deallocate()
    byteCount = max(needed, 2 * byteCount)
    let fresh = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: Self.alignment)
    memory = fresh
    return fresh
  }
}
