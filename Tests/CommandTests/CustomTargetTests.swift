import Foundation
import TestKit
import Testing

extension Commands {
  /// A program with a target of its own: cluster/examples/custom-target, as the package's manifest builds it.
  @Suite(.serialized) struct CustomTargets {
    static let program = (CommandRun.executable as NSString).deletingLastPathComponent + "/ring"
    static let spec = "\(Examples.folder)/custom-target/ring.yaml"

    static func fit(in folder: TemporaryFolder, output: String, workers: Int) async throws -> FitFolder {
      let run = try CommandRun(
        ["fit", spec, "--output", folder(output), "--progress", "none", "--workers", "\(workers)"]
          + setting("inference.iterations=1500"), in: folder, executable: program)
      let result = try await run.finish()
      try #require(result.exitCode == 0, "\(result)")
      return FitFolder(path: folder(output))
    }

    @Test func ownWorkersComputeItToTheSameBits() async throws {
      let folder = try TemporaryFolder()
      let one = try await CustomTargets.fit(in: folder, output: "one", workers: 1)
      let three = try await CustomTargets.fit(in: folder, output: "three", workers: 3)
      #expect(try one.digest() == three.digest())
      // log ∫ exp(−V) in polar coordinates: 2π (radius width √(2π) Φ(10) + width² e^{−50}).
      let evidence = log(2 * Double.pi * 3 * 0.3 * (2 * Double.pi).squareRoot())
      let elbo = try #require(try one.json("summary.json")["elbo"] as? Double)
      #expect(elbo < evidence + 0.02 && elbo > evidence - 0.5, "\(elbo) \(evidence)")
    }

    @Test func drawsLieOnTheRing() async throws {
      let folder = try TemporaryFolder()
      let fitted = try await CustomTargets.fit(in: folder, output: "out", workers: 1)
      let run = try CommandRun(
        ["sample", fitted.path, "--draws", "500"], in: folder, executable: CustomTargets.program)
      let result = try await run.finish()
      try #require(result.exitCode == 0, "\(result)")
      #expect(result.lines.first == "x,y")
      let radii = result.lines.dropFirst().map { line in
        line.split(separator: ",").compactMap { Double($0) }.reduce(0) { $0 + $1 * $1 }.squareRoot()
      }
      #expect(abs(radii.reduce(0, +) / 500 - 3) < 0.15)
      #expect(radii.allSatisfy { $0 > 0.5 && $0 < 6 })
    }

    @Test func isomixItselfSaysThatItHasNoSuchTarget() async throws {
      let folder = try TemporaryFolder()
      let result = try await CommandRun.run(
        ["fit", CustomTargets.spec, "--output", folder("out"), "--progress", "none"], in: folder)
      #expect(result.exitCode == 65)
      #expect(result.errors.contains("has no target 'ring'"), "\(result)")
    }
  }
}
