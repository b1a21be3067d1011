import Foundation
import NumericsKit
import Posteriors
import Testing

@Suite struct KernelBenchmarkTests {
  @Test("A kernel benchmark reports both speeds and their quotient", arguments: Precision.allCases)
  func report(precision: Precision) throws {
    let result = try KernelBenchmark.run(
      rows: 100, dimension: 5, samples: 8, precision: precision, seconds: 0.05)
    #expect(result.gigaflopsKernel > 0 && result.gigaflopsGEMM > 0 && result.repetitions > 0)
    #expect(result.ratio == result.gigaflopsKernel / result.gigaflopsGEMM)
    let data = try JSONEncoder().encode(result)
    #expect(try JSONDecoder().decode(KernelBenchmark.self, from: data) == result)
  }

  @Test("A benchmark of nothing is refused")
  func nothing() {
    #expect(throws: PosteriorError.self) {
      try KernelBenchmark.run(rows: 0, dimension: 5, samples: 8, precision: .float64)
    }
  }
}
