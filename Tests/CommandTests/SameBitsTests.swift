import Foundation
import TestKit
import Testing

/// A fit whose bits are compared over arrangements of workers.
struct SameBitsCase: Sendable, CustomTestStringConvertible {
  let name: String
  /// Writes or names the spec.
  let spec: @Sendable (TemporaryFolder) throws -> String
  let options: [String]
  /// The job has at least this many tiles of rows.
  var rowTiles = 0

  var testDescription: String { name }

  /// Steps, coordinates and the end as the fit finds them, whatever the example says.
  private static let automatic = setting(
    "inference.step_size=auto", "inference.metric=~", "inference.relocation=~", "inference.stop=~",
    "mixture.initial=auto")

  /// Four modes of which two have a twentieth of the mass each.
  static func fourModes(in folder: TemporaryFolder) throws -> String {
    try folder.write(
      """
      model:
        family: gaussian_mixture
        weights: [0.05, 0.05, 0.45, 0.45]
        means: [[4, 4], [-4, -4], [4, -4], [-4, 4]]
        covariances: [1, 1, 1, 1]
      mixture: {components: 20}
      """, to: "four-modes.yaml")
  }

  static let all: [SameBitsCase] =
    ["ibw", "md"].flatMap { algorithm in
      [
        SameBitsCase(
          name: "breast cancer, \(algorithm)", spec: { _ in Examples.breastCancer },
          options: setting("inference.iterations=200", "inference.algorithm=\(algorithm)")),
        SameBitsCase(
          name: "wine, \(algorithm)", spec: { _ in Examples.wine },
          options: setting("inference.iterations=150", "inference.algorithm=\(algorithm)")),
        SameBitsCase(
          name: "2-D mixture, \(algorithm)", spec: { _ in Examples.mixture2D },
          options: setting("inference.iterations=300", "inference.algorithm=\(algorithm)")),
        SameBitsCase(
          name: "200 components, \(algorithm)", spec: { _ in Examples.components200 },
          options: setting("inference.iterations=15", "inference.algorithm=\(algorithm)")),
        SameBitsCase(
          name: "60,000 rows, \(algorithm)", spec: { try TallData.write(to: $0, precision: "float64") },
          options: setting("inference.algorithm=\(algorithm)"), rowTiles: 10),
      ]
    } + [
      SameBitsCase(
        name: "automatic, breast cancer, dense", spec: { _ in Examples.breastCancer },
        options: automatic + setting("inference.metric=dense", "inference.iterations=700")),
      SameBitsCase(
        name: "automatic, wine, diagonal, Sobol points", spec: { _ in Examples.wine },
        options: automatic
          + setting("inference.metric=diagonal", "inference.iterations=500", "inference.sampling=sobol")),
      SameBitsCase(
        name: "automatic, modes and moved components", spec: { try fourModes(in: $0) },
        options: setting("inference.iterations=1200")),
      SameBitsCase(
        name: "automatic, 60,000 rows", spec: { try TallData.write(to: $0, precision: "float64") },
        options: automatic + setting("inference.iterations=60", "inference.diagnosis.draws=100"), rowTiles: 10
      ),
      SameBitsCase(
        name: "2-D mixture, full covariances", spec: { _ in Examples.mixture2D },
        options: setting("inference.iterations=200", "inference.algorithm=bw")),
      SameBitsCase(
        name: "60,000 rows, full covariances", spec: { try TallData.write(to: $0, precision: "float64") },
        options: setting("inference.algorithm=bw"), rowTiles: 10),
      SameBitsCase(
        name: "counts with groups under a horseshoe, 20,000 rows", spec: { try CountData.write(to: $0) },
        options: [], rowTiles: 10),
      SameBitsCase(
        name: "automatic, counts with groups", spec: { _ in "\(Examples.folder)/groups.yaml" },
        options: setting("inference.iterations=200")),
      SameBitsCase(
        name: "automatic, Student-t", spec: { _ in "\(Examples.folder)/student-t.yaml" },
        options: setting("inference.iterations=300")),
      SameBitsCase(
        name: "2-D mixture, coordinates", spec: { _ in Examples.mixture2D },
        options: setting("inference.iterations=200", "model.factorization=coordinates")),
      SameBitsCase(
        name: "automatic network, coordinates", spec: { _ in Examples.diabetes },
        options: automatic
          + setting(
            "inference.iterations=60", "inference.warmup=20", "model.factorization=coordinates",
            "inference.metric=unit")),
      SameBitsCase(
        name: "network", spec: { _ in Examples.diabetes }, options: setting("inference.iterations=100")),
      SameBitsCase(
        name: "60,000 rows, float32", spec: { try TallData.write(to: $0, precision: "float32") },
        options: [], rowTiles: 10),
      SameBitsCase(
        name: "sparse rows", spec: { try SparseFit.write(to: $0) }, options: setting("mixture.components=20"),
        rowTiles: 3),
      SameBitsCase(
        name: "sparse rows, numbers in single precision",
        spec: { try SparseFit.write(to: $0, data: ", precision: float32") }, options: [], rowTiles: 3),
      SameBitsCase(
        name: "sparse rows, linear with a fitted noise, automatic",
        spec: {
          try SparseFit.write(
            to: $0, model: "family: linear, noise: {half_normal: {scale: 1}}", isBinary: false,
            inference:
              "{metric: diagonal, iterations: 30, warmup: 10, objective: {draws: 30, every: 10}, diagnosis: {draws: 30}}"
          )
        }, options: [], rowTiles: 3),
    ]
}

extension Commands {
  @Suite(.serialized) struct SameBits {
    @Test(arguments: SameBitsCase.all)
    func workersAndThreadsDoNotChangeTheResult(_ example: SameBitsCase) async throws {
      let folder = try TemporaryFolder()
      let spec = try example.spec(folder)
      var digests: [String: String] = [:]
      for (workers, threads) in [(1, 1), (2, 1), (1, 2), (3, 2), (7, 1)] {
        let done = try await fit(
          spec, example.options + ["--workers", "\(workers)", "--threads", "\(threads)"], in: folder,
          output: "out-\(workers)-\(threads)")
        digests["\(workers) × \(threads)"] = try done.digest()
        #expect(try done.json("summary.json")["workers"] as? Int == workers)
        let plan = try #require(try done.json("plan.json")["plan"] as? [String: Any])
        let gradient = try #require(plan["gradient"] as? [String: Any])
        let rows = try #require(gradient["rows"] as? Int)
        let rowsPerTile = try #require(gradient["rows_per_tile"] as? Int)
        #expect((rows + rowsPerTile - 1) / rowsPerTile >= example.rowTiles)
      }
      digests["tcp"] = try await Commands.fitOverTCP(spec, example.options, in: folder).digest()
      #expect(Set(digests.values).count == 1, "\(digests)")
    }

    @Test func workerThatJoinsLateDoesNotChangeTheResult() async throws {
      let folder = try TemporaryFolder()
      let options = setting("inference.iterations=20000", "inference.objective.every=5000")
      let alone = try await fit(Examples.breastCancer, options + ["--workers", "1"], in: folder)
      let run = try CommandRun(
        ["fit", Examples.breastCancer, "--output", folder("late"), "--workers", "1", "--listen"]
          + ["tcp://127.0.0.1:0", "--progress", "none"] + options, in: folder)
      #expect(try await run.waitForReady(1, output: folder("late")))
      let worker = try CommandRun(["worker", "--rendezvous", folder("late/rendezvous.json")], in: folder)
      let result = try await run.finish()
      #expect(result.exitCode == 0, "\(result)")
      #expect(try await worker.finish().exitCode == 0)
      let late = FitFolder(path: folder("late"))
      #expect(try late.json("summary.json")["workers"] as? Int == 2)
      #expect(try late.digest() == alone.digest())
    }

    @Test func seedDecidesTheResult() async throws {
      let folder = try TemporaryFolder()
      let options = setting("inference.iterations=30")
      let first = try await fit(Examples.wine, options, in: folder, output: "1").digest()
      let option = try await fit(Examples.wine, options + ["--seed", "7"], in: folder, output: "2").digest()
      let set = try await fit(
        Examples.wine, options + setting("inference.seed=7"), in: folder, output: "3"
      ).digest()
      #expect(first != option)
      #expect(option == set)
    }

    @Test func fingerprintsOfMixedWorkersAreAcceptedOnRequest() async throws {
      let folder = try TemporaryFolder()
      let options = setting("inference.iterations=30")
      let plain = try await fit(Examples.wine, options, in: folder, output: "1").digest()
      let mixed = try await fit(
        Examples.wine, options + ["--workers", "2", "--mixed-numerics"], in: folder, output: "2")
      #expect(try mixed.digest() == plain)
    }

    @Test func otherNumericsAreRefusedOrRecorded() async throws {
      let folder = try TemporaryFolder()
      // OpenBLAS has kernels for CPUs of 2008, which multiply in another order than those of today.
      let old = ["OPENBLAS_CORETYPE": "Nehalem"]
      for accepted in [false, true] {
        let output = folder("mixed-\(accepted)")
        let run = try CommandRun(
          ["fit", Examples.wine, "--output", output, "--workers", "0", "--listen", "tcp://127.0.0.1:0"]
            + ["--progress", "none", "--worker-timeout", accepted ? "60" : "2"]
            + (accepted ? ["--mixed-numerics"] : []) + setting("inference.iterations=20"), in: folder)
        let worker = try CommandRun(
          ["worker", "--rendezvous", "\(output)/rendezvous.json"], in: folder, environment: old)
        let end = try await worker.finish()
        let result = try await run.finish()
        if accepted {
          #expect(result.exitCode == 0 && end.exitCode == 0, "\(result)\n\(end)")
          let warnings = try #require(
            try FitFolder(path: output).json("summary.json")["warnings"] as? [String])
          #expect(warnings.contains { $0.contains("other numerics") && $0.contains("Nehalem") })
        } else {
          #expect(result.exitCode == 69 && end.exitCode == 65, "\(result)\n\(end)")
          #expect(end.errors.contains("OPENBLAS_CORETYPE"), "\(end)")
        }
      }
    }
  }

  /// A fit whose two workers join over tcp, one of them with two threads.
  static func fitOverTCP(_ spec: String, _ options: [String], in folder: TemporaryFolder) async throws
    -> FitFolder
  {
    // The fit begins with its first worker; on a busy machine it may be over before the second one comes.
    var workersSeen: Int?
    for attempt in 1...4 {
      let output = folder("tcp-\(attempt)")
      let rendezvous = "\(output)/rendezvous.json"
      let run = try CommandRun(
        ["fit", spec, "--output", output, "--workers", "0", "--listen", "tcp://127.0.0.1:0"]
          + ["--progress", "none"] + options, in: folder)
      try #require(try await eventually(within: 60) { FileManager.default.fileExists(atPath: rendezvous) })
      run.signal(SIGSTOP)
      let workers = try [1, 2].map {
        try CommandRun(["worker", "--rendezvous", rendezvous, "--threads", "\($0)"], in: folder)
      }
      try await Task.sleep(for: .milliseconds(300 * attempt))
      run.signal(SIGCONT)
      let result = try await run.finish()
      try #require(result.exitCode == 0, "\(result)")
      let done = FitFolder(path: output)
      workersSeen = try done.json("summary.json")["workers"] as? Int
      guard workersSeen == 2 else { continue }
      for worker in workers {
        let result = try await worker.finish()
        #expect(result.exitCode == 0, "\(result)")
      }
      return done
    }
    throw TestKitError("only \(workersSeen ?? 0) worker(s) took part")
  }
}
