import Foundation
import NumericsKit
import Testing

@Suite struct NoiseTests {
  static let seed: UInt64 = 20_250_613

  private func normals(
    _ stream: NoiseStream = .gradient, seed: UInt64 = seed, iteration: Int = 3, component: Int = 2,
    samples: Range<Int>, dimension: Int
  ) -> [Double] {
    var output = [Double](repeating: .nan, count: samples.count * dimension)
    Noise(seed: seed).fillNormals(
      stream, iteration: iteration, component: component, samples: samples, dimension: dimension,
      into: &output)
    return output
  }

  private func uniforms(samples: Range<Int>, dimension: Int) -> [Double] {
    var output = [Double](repeating: .nan, count: samples.count * dimension)
    Noise(seed: Self.seed).fillUniforms(
      .gradient, iteration: 3, component: 2, samples: samples, dimension: dimension, into: &output)
    return output
  }

  @Test("Normal deviates have the moments of a standard normal, within four standard errors")
  func moments() {
    let z = normals(samples: 0..<2000, dimension: 101)
    let count = Double(z.count)
    let means = (1...4).map { power in z.reduce(0.0) { $0 + pow($1, Double(power)) } / count }
    // Variances of z, z², z³, z⁴: 1, 2, 15, 96.
    for (power, (expected, variance)) in [(0.0, 1.0), (1, 2), (0, 15), (3, 96)].enumerated() {
      #expect(abs(means[power] - expected) < 4 * (variance / count).squareRoot(), "moment \(power + 1)")
    }
  }

  @Test("Normal deviates pass a Kolmogorov–Smirnov test at level 0.001")
  func distribution() {
    let z = normals(samples: 0..<1000, dimension: 200).sorted()
    let count = Double(z.count)
    var largest = 0.0
    for (rank, value) in z.enumerated() {
      let probability = 0.5 * erfc(-value / 2.0.squareRoot())
      largest = max(
        largest, abs(probability - Double(rank) / count), abs(probability - Double(rank + 1) / count))
    }
    #expect(largest * count.squareRoot() < 1.95)
  }

  @Test("Neighbouring coordinates, samples and iterations are uncorrelated")
  func correlations() {
    let dimension = 64
    let samples = 1000
    let z = normals(samples: 0..<samples, dimension: dimension)
    let later = normals(iteration: 4, samples: 0..<samples, dimension: dimension)
    let other = normals(component: 3, samples: 0..<samples, dimension: dimension)
    let objective = normals(.objective, samples: 0..<samples, dimension: dimension)
    let reseeded = normals(seed: Self.seed + 1, samples: 0..<samples, dimension: dimension)
    let count = Double(z.count)
    for partner in [Array(z.dropFirst()), Array(z.dropFirst(dimension)), later, other, objective, reseeded] {
      let correlation = zip(z, partner).reduce(0.0) { $0 + $1.0 * $1.1 } / count
      #expect(abs(correlation) < 4 / count.squareRoot())
    }
  }

  @Test("A deviate does not depend on the dimension, nor on the range of samples asked for")
  func callPattern() {
    let dimension = 37
    let all = normals(samples: 0..<50, dimension: dimension)
    let wide = normals(samples: 0..<50, dimension: 64)
    for sample in 0..<50 {
      let row = Array(all[sample * dimension..<(sample + 1) * dimension])
      #expect(row == normals(samples: sample..<sample + 1, dimension: dimension))
      #expect(row == Array(wide[sample * 64..<sample * 64 + dimension]))
    }
    #expect(Array(all[7 * dimension..<19 * dimension]) == normals(samples: 7..<19, dimension: dimension))
  }

  @Test("Normal deviates are Box and Muller's transform of the uniform ones", arguments: [2, 7, 30])
  func boxMuller(dimension: Int) {
    let z = normals(samples: 0..<400, dimension: dimension)
    let u = uniforms(samples: 0..<400, dimension: dimension)
    for sample in 0..<400 {
      for pair in 0..<dimension / 2 {
        let at = sample * dimension + 2 * pair
        let radius = (-2 * log(u[at])).squareRoot()
        let angle = 2 * Double.pi * u[at + 1]
        #expect(abs(z[at] - radius * cos(angle)) < 2e-14)
        #expect(abs(z[at + 1] - radius * sin(angle)) < 2e-14)
      }
    }
  }

  @Test(
    "Deviates 2p and 2p+1 are the words of the block (p, sample, component, iteration) under the stream's key"
  )
  func layout() {
    let u = uniforms(samples: 5..<8, dimension: 7)
    let keyWords = Philox.block(
      counter: (UInt32(truncatingIfNeeded: Self.seed), UInt32(Self.seed >> 32), 1, 0x6973_6f6d), key: (0, 0))
    for sample in 0..<3 {
      for coordinate in 0..<7 {
        let words = Philox.block(
          counter: (UInt32(coordinate / 2), UInt32(5 + sample), 2, 3), key: (keyWords[0], keyWords[1]))
        let high = words[coordinate % 2 * 2]
        let low = words[coordinate % 2 * 2 + 1]
        let fraction = Double(UInt64(high) << 20 | UInt64(low) >> 12) * 0x1p-52
        #expect(u[sample * 7 + coordinate] == 1 - fraction)
      }
    }
  }

  @Test("Uniform deviates lie in (0, 1], evenly")
  func uniformity() {
    let u = uniforms(samples: 0..<1000, dimension: 101)
    #expect(u.allSatisfy { $0 > 0 && $0 <= 1 })
    var bins = [Double](repeating: 0, count: 100)
    for value in u { bins[min(99, Int(value * 100))] += 1 }
    let expected = Double(u.count) / 100
    let chiSquare = bins.reduce(0) { $0 + ($1 - expected) * ($1 - expected) / expected }
    // The 0.001 quantile from above of chi square with 99 degrees of freedom.
    #expect(chiSquare < 149.4)
  }

  @Test("Deviates keep the bits that they had in the first release")
  func regression() {
    let z = normals(samples: 0..<3, dimension: 5)
    #expect(Digest.of(z.map { "\($0.bitPattern)" }.joined(separator: ",")).description == Self.firstRelease)
  }

  static let firstRelease = "a080ac0768b09f41670bedb857d9a7bc3a4fc487f8ac4a38e39ef4b926ea540f"
}
