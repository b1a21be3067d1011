import FlyingFox
import FlyingSocks

/// A stream of events as a response's body.
struct EventSequence: AsyncBufferedSequence {
  typealias Element = UInt8

  let stream: AsyncStream<[UInt8]>

  func makeAsyncIterator() -> Iterator { Iterator(base: stream.makeAsyncIterator()) }

  struct Iterator: AsyncBufferedIteratorProtocol {
    fileprivate var base: AsyncStream<[UInt8]>.Iterator

    init(base: AsyncStream<[UInt8]>.Iterator) { self.base = base }

    /// Bodies are read by buffers; a byte at a time is what the protocol asks for besides.
    mutating func next() async throws -> UInt8? {
      try await nextBuffer(suggested: 1)?.first
    }

    mutating func nextBuffer(suggested count: Int) async throws -> [UInt8]? {
      await base.next()
    }
  }
}
