import Foundation
import TestKit
import Testing

/// What `read_outputs.py stan` says.
private struct StanFacts: Decodable {
  let dims: [String: [String]]
  let coordinates: [Int]
  let placed: Bool
  let square: Bool
  let shapes: [String: [Int]]
  let finite: Bool
  let rejected: Int
  let beyond: Int
  let weight_sum: Double
}

extension Commands {
  /// What users see of a Stan model: its constrained parameters, transformed parameters and generated quantities.
  @Suite struct StanOutputs {
    private static let shown = ["x.1", "x.2", "x.3", "square"]

    /// A fit of three standard normals, `square = x.1²` and `noise[2, 3]`, each number of which tells its place.
    private func fitted(_ mode: String, in folder: TemporaryFolder) async throws -> FitFolder {
      let result = try await run(mode, in: folder)
      try #require(result.exitCode == 0, "\(result)")
      return FitFolder(path: folder(mode))
    }

    private func run(_ mode: String, in folder: TemporaryFolder) async throws -> CommandResult {
      let library = try StanLibraries.misbehaving(in: folder)
      try folder.write("{\"mode\": \"\(mode)\"}", to: "\(mode).json")
      let spec = try folder.write(
        """
        model: {family: stan, library: \(library), data: \(mode).json, outputs: {transformed: true, generated: true}}
        mixture: {components: 2}
        inference: {iterations: 300, objective: {draws: 200}}
        """, to: "\(mode).yaml")
      return try await CommandRun.run(
        ["fit", spec, "--output", folder(mode), "--workers", "1", "--progress", "none"], in: folder)
    }

    private func sample(_ fitted: FitFolder, _ options: String..., in folder: TemporaryFolder) async throws
      -> CommandResult
    {
      try await CommandRun.run(["sample", fitted.path, "--draws", "50"] + options, in: folder)
    }

    private func table(_ lines: some Sequence<String>) -> (names: [String], rows: [[String: Double]]) {
      let cells = lines.filter { !$0.hasPrefix("#") && !$0.isEmpty }.map {
        $0.split(separator: ",").map(String.init)
      }
      let rows = cells.dropFirst().map { row in
        Dictionary(uniqueKeysWithValues: zip(cells[0], row.compactMap { Double($0) }))
      }
      return (cells[0], rows)
    }

    @Test(
      "Draws have Stan's names, in Stan's own order in Stan's CSV, and nothing that the model prints is among them"
    )
    func tables() async throws {
      let folder = try TemporaryFolder()
      let fitted = try await fitted("print", in: folder)
      let csv = try await sample(fitted, in: folder)
      let stan = try await sample(fitted, "--format", "stan-csv", in: folder)
      try #require(csv.exitCode == 0 && stan.exitCode == 0, "\(csv) \(stan)")
      let (rows, stanRows) = (table(csv.lines), table(stan.lines))
      let rowMajor = ["1.1", "1.2", "1.3", "2.1", "2.2", "2.3"].map { "noise.\($0)" }
      let columnMajor = ["1.1", "2.1", "1.2", "2.2", "1.3", "2.3"].map { "noise.\($0)" }
      #expect(rows.names == Self.shown + rowMajor)
      #expect(stanRows.names == ["lp__", "accept_stat__"] + Self.shown + columnMajor)
      #expect(rows.rows.count == 50 && stanRows.rows.count == 50)
      for (row, stanRow) in zip(rows.rows, stanRows.rows) {
        for name in rows.names { #expect(row[name] == stanRow[name], "\(name)") }
        let x = try (1...3).map { try #require(row["x.\($0)"]) }
        #expect(row["square"] == x[0] * x[0])
        let first = try #require(row["noise.1.1"])
        for place in rowMajor {
          let indices = place.split(separator: ".").compactMap { Double($0) }
          #expect(try #require(row[place]) - first == 10 * (indices[0] - 1) + indices[1] - 1)
        }
        let density = -1.5 * log(2 * Double.pi) - 0.5 * x.reduce(0) { $0 + $1 * $1 }
        #expect(abs(try #require(stanRow["lp__"]) - density) < 1e-12)
      }
      let theta = try await sample(fitted, "--unconstrained", in: folder)
      #expect(theta.lines.first == "x.1,x.2,x.3" && theta.lines.count == 51, "\(theta)")
      let diagnosis = try await CommandRun.run(["diagnose", fitted.path, "--json"], in: folder)
      #expect(diagnosis.exitCode == 0, "\(diagnosis)")
      _ = try JSONSerialization.jsonObject(with: Data(diagnosis.output.utf8))
      let report = try await CommandRun.run(
        ["report", fitted.path, "--output", folder("r.html")], in: folder)
      #expect(report.exitCode == 0 && report.lines == [folder("r.html")], "\(report)")
      let html = try String(contentsOfFile: folder("r.html"), encoding: .utf8)
      for name in ["Marginal of x.1", "Histogram of square", "Histogram of noise.2.3"] {
        #expect(html.contains(name), "\(name)")
      }
    }

    @Test(
      "Without its library or data, a Stan fit is only drawn from unconstrained, and the missing file is named"
    )
    func missingFiles() async throws {
      let folder = try TemporaryFolder()
      let fitted = try await fitted("normal", in: folder)
      for name in ["normal.json", "models.so"] {
        let bytes = try Data(contentsOf: URL(fileURLWithPath: folder(name)))
        try FileManager.default.removeItem(atPath: folder(name))
        for command in ["sample", "diagnose"] {
          let result = try await CommandRun.run([command, fitted.path], in: folder)
          #expect(result.exitCode == 66 && result.errors.contains(folder(name)), "\(result)")
          #expect(result.output.isEmpty)
        }
        let theta = try await sample(fitted, "--unconstrained", in: folder)
        #expect(theta.exitCode == 0 && theta.lines.count == 51, "\(theta)")
        let report = try await CommandRun.run(["report", fitted.path], in: folder)
        #expect(report.exitCode == 0, "\(report)")
        #expect(try fitted.text("report.html").contains(folder(name)))
        try bytes.write(to: URL(fileURLWithPath: folder(name)))
      }
      try folder.write("{\"mode\": \"refuse\"}", to: "normal.json")
      let refused = try await sample(fitted, in: folder)
      #expect(refused.exitCode == 65 && refused.errors.contains("variable name=N"), "\(refused)")
    }

    @Test func aModelThatCrashesWhereOutputsAreComputedIsBlamedAndTheFitIsKept() async throws {
      let folder = try TemporaryFolder()
      let result = try await run("crash_outputs", in: folder)
      #expect(result.exitCode == 70, "\(result)")
      #expect(
        result.errors.contains("the model's code crashed this process while fit.nc was made"), "\(result)")
      let fitted = FitFolder(path: folder("crash_outputs"))
      let drawn = try await sample(fitted, in: folder)
      // The names come before the first draw.
      #expect(drawn.exitCode == 70 && drawn.lines.count <= 1, "\(drawn)")
      #expect(drawn.errors.contains("the model's code crashed this process"), "\(drawn)")
      let theta = try await sample(fitted, "--unconstrained", in: folder)
      #expect(theta.exitCode == 0 && theta.lines.count == 51, "\(theta)")
    }

    @Test(
      "ArviZ and CmdStanPy see a Stan model's shapes and order, and rejected draws have weight 0 and are no NaN",
      .enabled(
        if: PythonEnvironment.unavailable(PythonEnvironment.withArviZ) == nil,
        "\(PythonEnvironment.unavailable(PythonEnvironment.withArviZ) ?? "")"),
      arguments: PythonEnvironment.withArviZ.filter(\.isThere))
    func python(_ python: PythonEnvironment) async throws {
      let folder = try TemporaryFolder()
      let fitted = try await fitted("throw_beyond", in: folder)
      let stan = try await sample(
        fitted, "--format", "stan-csv", "--output", folder("stan.csv"), in: folder)
      try #require(stan.exitCode == 0, "\(stan)")
      let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("read_outputs.py").path
      let run = try await CommandRun.run(
        [script, "stan", fitted.path, folder("stan.csv")], in: folder,
        environment: ["OMP_NUM_THREADS": "1"], executable: python.python)
      try #require(run.exitCode == 0, "\(run)")
      let facts = try JSONDecoder().decode(StanFacts.self, from: Data(run.output.utf8))
      #expect(facts.dims["x"] == ["chain", "draw", "x_dim_0"] && facts.coordinates == [0, 1, 2])
      #expect(facts.dims["square"] == ["chain", "draw"])
      #expect(facts.dims["noise"] == ["chain", "draw", "noise_dim_0", "noise_dim_1"])
      #expect(facts.placed && facts.square && facts.finite)
      #expect(facts.shapes == ["x": [50, 3], "square": [50], "noise": [50, 2, 3]])
      #expect(facts.rejected > 0 && facts.rejected == facts.beyond)
      #expect(abs(facts.weight_sum - 1) < 1e-9)
    }
  }
}
