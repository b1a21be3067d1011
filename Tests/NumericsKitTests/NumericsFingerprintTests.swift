import Foundation
import NumericsKit
import Testing

@Suite struct NumericsFingerprintTests {
  init() { BLAS.prepare() }

  @Test("The fingerprint is the same at every measurement and on every thread")
  func repeatable() async {
    let first = NumericsFingerprint.measure()
    let others = await withTaskGroup(of: NumericsFingerprint.self) { group in
      for _ in 0..<4 { group.addTask { NumericsFingerprint.measure() } }
      return await group.reduce(into: []) { $0.append($1) }
    }
    for other in others { #expect(other == first) }
    #expect(first.digest.count == 64)
    #expect(["x86-64-v4", "x86-64-v3", "default"].contains(first.kernelVariant))
    #expect(!first.blasCore.isEmpty && first.blasConfiguration.contains("OpenBLAS"))
  }

  @Test("The fingerprint survives JSON")
  func coding() throws {
    let fingerprint = NumericsFingerprint.measure()
    let data = try JSONEncoder().encode(fingerprint)
    #expect(try JSONDecoder().decode(NumericsFingerprint.self, from: data) == fingerprint)
  }
}
