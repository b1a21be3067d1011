import NumericsKit
import Testing

@Suite struct SobolTests {
  // SciPy 1.17.1, qmc.Sobol(4096, scramble=False, bits=30), times 2³⁰: cluster/examples/reference/diagnostics.py.
  static let firstPoints: [(dimension: Int, points: [UInt32])] = [
    (0, [0, 536_870_912, 805_306_368, 268_435_456, 402_653_184, 939_524_096, 671_088_640, 134_217_728]),
    (1, [0, 536_870_912, 268_435_456, 805_306_368, 402_653_184, 939_524_096, 134_217_728, 671_088_640]),
    (2, [0, 536_870_912, 268_435_456, 805_306_368, 671_088_640, 134_217_728, 939_524_096, 402_653_184]),
    (1023, [0, 536_870_912, 805_306_368, 268_435_456, 939_524_096, 402_653_184, 134_217_728, 671_088_640]),
    (4095, [0, 536_870_912, 268_435_456, 805_306_368, 402_653_184, 939_524_096, 134_217_728, 671_088_640]),
  ]
  static let hashOfPoints = 1884649955

  @Test("Points without scrambling are SciPy's, in every dimension")
  func scipy() {
    let sequence = SobolSequence(dimension: 4096, pointCount: 2048)
    var hash = 0
    sequence.forEachPoint(0..<2048) { index, point in
      if index < 8 {
        for (dimension, points) in Self.firstPoints { #expect(point[dimension] == points[index]) }
      }
      // The same digest as in the script: 2048 points use the leading eleven of thirty bits.
      var sum = 0
      for (j, value) in point.enumerated() { sum += Int(value >> 19) * (j + 1) }
      hash = (hash * 31 + sum) % (1 << 32 - 5)
    }
    #expect(hash == Self.hashOfPoints)
  }

  @Test("A stretch of points is the same wherever it starts")
  func stretches() {
    var sequence = SobolSequence(dimension: 3, pointCount: 200)
    sequence.scramble(Noise(seed: 1), iteration: 2, component: 3)
    var whole: [[UInt32]] = []
    sequence.forEachPoint(0..<200) { whole.append(Array($1)) }
    for range in [0..<1, 1..<2, 63..<65, 100..<200, 7..<7] {
      var part: [[UInt32]] = []
      sequence.forEachPoint(range) { part.append(Array($1)) }
      #expect(part == Array(whole[range]))
    }
  }

  @Test("Of 2^k scrambled points one lies in each of 2^k equal intervals, in every dimension")
  func stratified() {
    for component in 0..<3 {
      var sequence = SobolSequence(dimension: 50, pointCount: 64)
      sequence.scramble(Noise(seed: 9), iteration: 0, component: component)
      var cells = [Set<UInt32>](repeating: [], count: 50)
      sequence.forEachPoint(0..<64) { _, point in
        for j in 0..<50 { cells[j].insert(point[j] >> 24) }
      }
      #expect(cells.allSatisfy { $0.count == 64 })
    }
  }

  @Test("Scrambled points keep the net property in the first two dimensions")
  func net() {
    var sequence = SobolSequence(dimension: 2, pointCount: 256)
    sequence.scramble(Noise(seed: 4), iteration: 7, component: 1)
    for split in UInt32(0)...8 {
      var cells: Set<UInt32> = []
      sequence.forEachPoint(0..<256) { _, point in
        cells.insert((point[0] >> (30 - split)) << (8 - split) | point[1] >> (22 + split))
      }
      #expect(cells.count == 256, "2^-\(split) by 2^-\(8 - split)")
    }
  }
}

@Suite struct SobolNormalsTests {
  private func normals(
    seed: UInt64 = 11, iteration: Int = 3, component: Int = 2, samples: Range<Int>, dimension: Int
  ) -> [Double] {
    var output = [Double](repeating: 0, count: samples.count * dimension)
    SobolNormals.fill(
      noise: Noise(seed: seed), iteration: iteration, component: component, samples: samples,
      dimension: dimension,
      into: &output)
    return output
  }

  @Test("A part of the samples and of the dimensions has the numbers of the whole")
  func parts() {
    let whole = normals(samples: 0..<40, dimension: 7)
    for range in [0..<10, 5..<6, 31..<33, 16..<40] {
      #expect(
        normals(samples: range, dimension: 7) == Array(whole[range.lowerBound * 7..<range.upperBound * 7]))
    }
    let narrow = normals(samples: 0..<40, dimension: 3)
    for s in 0..<40 {
      for k in 0..<3 { #expect(narrow[s * 3 + k] == whole[s * 7 + k]) }
    }
    #expect(normals(samples: 4..<4, dimension: 7).isEmpty)
  }

  @Test("Seeds, iterations and components have scrambles of their own")
  func independence() {
    let base = normals(samples: 0..<16, dimension: 5)
    #expect(base == normals(samples: 0..<16, dimension: 5))
    for other in [
      normals(seed: 12, samples: 0..<16, dimension: 5), normals(iteration: 4, samples: 0..<16, dimension: 5),
      normals(component: 3, samples: 0..<16, dimension: 5),
    ] {
      #expect(zip(base, other).allSatisfy { $0 != $1 })
    }
  }

  @Test("Over scrambles each deviate is standard normal, and deviates of two components are uncorrelated")
  func distribution() {
    let repeats = 4000
    var sums = [0.0, 0, 0, 0]
    for iteration in 0..<repeats {
      let first = normals(iteration: iteration, component: 0, samples: 0..<3, dimension: 2)
      let second = normals(iteration: iteration, component: 1, samples: 0..<3, dimension: 2)
      let z = first[5]
      sums[0] += z
      sums[1] += z * z
      sums[2] += z * z * z * z
      sums[3] += z * second[5]
    }
    let means = sums.map { $0 / Double(repeats) }
    // Five standard errors: variances of the terms are 1, 2, 96 and 1.
    let error = 5 / Double(repeats).squareRoot()
    #expect(abs(means[0]) < error)
    #expect(abs(means[1] - 1) < 2.0.squareRoot() * error)
    #expect(abs(means[2] - 3) < 96.0.squareRoot() * error)
    #expect(abs(means[3]) < error)
  }

  @Test("Means over scrambled points have far less error than means over independent ones")
  func accuracy() {
    let (samples, dimension, repeats) = (256, 10, 50)
    var squares = 0.0
    for iteration in 0..<repeats {
      let z = normals(iteration: iteration, samples: 0..<samples, dimension: dimension)
      // E Σ_k z_k² = d; an independent mean has variance 2 d / samples.
      let mean = z.reduce(0) { $0 + $1 * $1 } / Double(samples)
      squares += (mean - Double(dimension)) * (mean - Double(dimension))
    }
    let variance = squares / Double(repeats)
    #expect(variance < 0.05 * 2 * Double(dimension) / Double(samples))
  }
}
