import NumericsKit
import Testing

@Suite struct ScratchMemoryTests {
  @Test("Scratch memory keeps its place while requests fit, and is aligned to a cache line")
  func growth() {
    var scratch = ScratchMemory()
    let first = scratch.reserve(100)
    #expect(Int(bitPattern: first) % 64 == 0)
    #expect(scratch.reserve(50) == first)
    #expect(
      scratch.reserve(200, of: Float.self)
        == UnsafeMutableRawPointer(first).assumingMemoryBound(to: Float.self))
    let second = scratch.reserve(1000)
    for index in 0..<1000 { second[index] = Double(index) }
    #expect(second[999] == 999)
  }
}
