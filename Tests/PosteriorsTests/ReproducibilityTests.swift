import NumericsKit
import Posteriors
import Testing

@Suite struct ReproducibilityTests {
  init() { BLAS.prepare() }

  /// The digest of V and ∇V with the design at some offset from a cache line.
  private static func bits(offset: Int, precision: Precision) throws -> Digest {
    let model = try Targets.logistic((0..<30).map { "\($0)" }, scale: 10)
    let (rows, samples) = (700, 37)
    let features = normals(rows * 30)
    let responses = (0..<rows).map { Double($0 & 1) }
    let points = normals(samples * 30, component: 1)
    let memory = UnsafeMutableRawPointer.allocate(byteCount: rows * 30 * 8 + 64, alignment: 64)
    defer { memory.deallocate() }
    let start = memory + offset * precision.byteCount
    for (index, value) in features.enumerated() {
      switch precision {
      case .float64: start.storeBytes(of: value, toByteOffset: index * 8, as: Double.self)
      case .float32: start.storeBytes(of: Float(value), toByteOffset: index * 4, as: Float.self)
      }
    }
    var value = [Double](repeating: 0, count: samples)
    var gradient = [Double](repeating: 0, count: points.count)
    responses.withUnsafeBufferPointer { responses in
      guard let observed = responses.baseAddress else { return }
      model.accumulateRows(
        RowBlock(features: start, responses: observed, count: rows, columns: 30, precision: precision),
        points: points, count: samples, value: &value, gradient: &gradient, workspace: DensityWorkspace())
    }
    var digest = DigestBuilder()
    digest.update(value)
    digest.update(gradient)
    return digest.finalize()
  }

  @Test(
    "Bits depend neither on where the rows lie in memory nor on the thread", arguments: Precision.allCases)
  func alignmentAndThreads(precision: Precision) async throws {
    let expected = try Self.bits(offset: 0, precision: precision)
    try await withThrowingTaskGroup(of: Digest.self) { group in
      for offset in 0..<8 { group.addTask { try Self.bits(offset: offset, precision: precision) } }
      for try await digest in group { #expect(digest == expected) }
    }
  }
}
