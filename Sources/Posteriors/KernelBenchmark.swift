import NumericsKit

/// Measures the logistic gradient against the same machine's plain matrix multiplication, on one core.
public struct KernelBenchmark: Codable, Sendable, Equatable {
  /// Rows of the design matrix.
  public let rows: Int
  /// Columns of the design matrix, d.
  public let dimension: Int
  /// Parameter vectors evaluated at once, S.
  public let samples: Int
  public let precision: Precision
  /// Median speed of value and gradient, counting the 4·rows·d·S operations of the two products.
  public let gigaflopsKernel: Double
  /// Median speed of a 1024³ matrix product of the same precision, alternated with the kernel in the same run.
  public let gigaflopsGEMM: Double
  /// `gigaflopsKernel / gigaflopsGEMM`.
  public let ratio: Double
  /// How often each was measured.
  public let repetitions: Int

  /// Side of the square matrices that show the machine at its best.
  static let productSize = 1024

  /// Measures for about `seconds` of this thread's CPU time.
  ///
  /// - Throws: ``PosteriorError`` when a size is not positive.
  public static func run(
    rows: Int, dimension: Int, samples: Int, precision: Precision, seconds: Double = 2
  ) throws -> KernelBenchmark {
    guard rows > 0, dimension > 0, samples > 0, seconds > 0 else {
      throw PosteriorError(
        code: .range, message: "rows, dimension, samples and seconds of a benchmark must be positive")
    }
    BLAS.prepare()
    let tile = try LogisticTile(rows: rows, dimension: dimension, samples: samples, precision: precision)
    let product = SquareProduct(size: productSize, precision: precision)
    let operations = 4 * Double(rows) * Double(dimension) * Double(samples)
    var kernel: [Double] = []
    var plain: [Double] = []
    tile.evaluate()
    product.evaluate()
    // As much time for the one as for the other.
    let calls = max(1, Int(product.operations / operations))
    let start = ThreadClock.seconds
    repeat {
      kernel.append(time { for _ in 0..<calls { tile.evaluate() } } / Double(calls))
      plain.append(time { product.evaluate() })
    } while ThreadClock.seconds - start < seconds
    let kernelSpeed = 1e-9 * operations / median(kernel)
    let plainSpeed = 1e-9 * product.operations / median(plain)
    return KernelBenchmark(
      rows: rows, dimension: dimension, samples: samples, precision: precision, gigaflopsKernel: kernelSpeed,
      gigaflopsGEMM: plainSpeed, ratio: kernelSpeed / plainSpeed, repetitions: kernel.count)
  }

  private static func time(_ work: () -> Void) -> Double {
    let start = ThreadClock.seconds
    work()
    return ThreadClock.seconds - start
  }

  private static func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
}
