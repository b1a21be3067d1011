import Foundation
import Reporting
import TestKit
import Testing

extension Commands {
  /// `isomix predict`.
  @Suite(.serialized) struct Predict {
    /// A linear or logistic fit of two columns whose mixture is set by hand: two components, `metric: unit`.
    private func handMade(_ family: String, in folder: TemporaryFolder, output: String = "out") async throws
      -> FitFolder
    {
      try folder.write("a,b,y\n1,2,0\n2,1,1\n3,5,0\n4,3,1\n", to: "train.csv")
      let noise = family == "linear" ? ", noise: 0.7" : ""
      let spec = try folder.write(
        "model: {family: \(family), response: y, intercept: false\(noise)}\n"
          + "data: {train: train.csv, standardize: false}\nmixture: {components: 2}\n"
          + "inference: {step_size: 0.001, iterations: 2, metric: unit}\n", to: "\(family).yaml")
      let done = try await fit(spec, in: folder, output: output)
      var mixture = try FittedMixture.read(done.path)
      mixture.means = [[1, 2], [3, -1]]
      mixture.variances = [0.25, 0.5]
      try folder.write(
        try JSONStyle.encoder(pretty: false).encode(mixture), to: "\(output)/mixture.json")
      return done
    }

    private static let rows = "a,b\n0.5,-1.5\n2,1\n0,0\n-3,4\n"

    func table(_ text: String) throws -> [[Double]] {
      try text.split(separator: "\n").dropFirst().map { line in
        try line.split(separator: ",").map { try #require(Double($0)) }
      }
    }

    private func expectNear(_ found: [[Double]], _ expected: [[Double]], within tolerance: Double) {
      #expect(found.count == expected.count)
      for (row, wanted) in zip(found, expected) {
        #expect(row.count == wanted.count)
        for (value, number) in zip(row, wanted) {
          #expect(abs(value - number) <= tolerance, "\(row) \(wanted)")
        }
      }
    }

    // SciPy: xθ under component i is N(x m_i, ε_i |x|²), the response's variance σ² larger; mean and variance of the
    // mixture in closed form, quantiles by `brentq` on the average of `norm.cdf`.
    @Test func linearPredictionsAreMixturesOfNormals() async throws {
      let folder = try TemporaryFolder()
      let done = try await handMade("linear", in: folder)
      try folder.write(Predict.rows, to: "new.csv")
      let response = try await CommandRun.run(
        ["predict", done.path, "--data", folder("new.csv")], in: folder)
      #expect(response.exitCode == 0 && response.errors.isEmpty, "\(response)")
      #expect(response.lines.first == "mean,sd,q0.05,q0.5,q0.95")
      expectNear(
        try table(response.output),
        [
          [0.25, 2.99833287011, -3.85323654102, -0.054702418559, 4.69048261821],
          [4.5, 1.61709616288, 1.9574606556, 4.43273669333, 7.28097507348],
          [0, 0.7, -1.15139753887, 0, 1.15139753887],
          [-4, 9.53231346526, -17.6189223476, -2.53682934242, 8.32710139899],
        ], within: 1e-9)
      let mean = try await CommandRun.run(
        ["predict", done.path, "--data", folder("new.csv"), "--of", "mean"], in: folder)
      expectNear(
        try table(mean.output),
        [
          [0.25, 2.91547594742, -3.51315548434, -0.221825406948, 4.43281820861],
          [4.5, 1.45773797371, 2.251509596, 4.41421356237, 7.05496231318],
          [0, 0, 0, 0, 0],
          [-4, 9.50657667092, -17.5309690122, -2.45584412272, 8.20387892815],
        ], within: 1e-9)
    }

    /// A fit of two columns, and more keys of its model, whose mixture is set by hand.
    func handMade(
      _ model: String, train: String, means: [[Double]], variances: [Double], in folder: TemporaryFolder,
      output: String
    ) async throws -> FitFolder {
      try folder.write(train, to: "\(output).csv")
      let spec = try folder.write(
        "model: {response: y, features: [a, b], intercept: false, \(model)}\n"
          + "data: {train: \(output).csv, standardize: false}\nmixture: {components: \(means.count)}\n"
          + "inference: {step_size: 0.001, iterations: 2, metric: unit}\n", to: "\(output).yaml")
      let done = try await fit(spec, in: folder, output: output)
      var mixture = try FittedMixture.read(done.path)
      mixture.means = means
      mixture.variances = variances
      try folder.write(
        try JSONStyle.encoder(pretty: false).encode(mixture), to: "\(output)/mixture.json")
      return done
    }

    // The next three: SciPy, by 80-point Gauss-Hermite rules for every coordinate that the predictor is not linear in
    // (and, for counts, for the predictor), `brentq` on the distribution function of the mixture, `pmf` summed for counts.
    // Five nodes instead of eighty are what the tolerances are for.

    @Test func learnedNoiseIsIntegrated() async throws {
      let folder = try TemporaryFolder()
      let done = try await handMade(
        "family: linear, noise: {half_normal: {scale: 1}}", train: "a,b,y\n1,2,0\n2,1,1\n3,5,0\n4,3,1\n",
        means: [[1, 2, -0.3], [3, -1, 0.2]], variances: [0.05, 0.1], in: folder, output: "noise")
      try folder.write("a,b,y\n0.5,-1.5,0.3\n2,1,-1\n0,0,0.5\n-3,4,5\n", to: "new.csv")
      let run = try await CommandRun.run(
        ["predict", done.path, "--data", folder("new.csv"), "--scores", folder("scores.json")], in: folder)
      expectNear(
        try table(run.output),
        [
          [0.25, 2.994048218, -3.572295295, -0.4928477872, 4.752359197],
          [4.5, 1.356217066, 2.499784446, 4.388727643, 6.88890518],
          [0, 1.101964033, -1.756245003, 0, 1.756245003],
          [-4, 9.170023159, -15.62993674, -1.449186173, 6.739494314],
        ], within: 4e-3)
      let density = try FitFolder(path: folder.path).json("scores.json")["log_predictive_density"]
      let logs = [-3.825400497060963, -7.876182705581402, -1.013966478950338, -1.913606277238502]
      #expect(abs(try #require(density as? Double) - logs.reduce(0, +) / 4) < 2e-3)
    }

    @Test(arguments: [true, false]) func countsAreIntegrated(isPoisson: Bool) async throws {
      let folder = try TemporaryFolder()
      let means: [[Double]] =
        isPoisson ? [[0.4, 0.3], [0.8, -0.2]] : [[0.4, 0.3, -1], [0.8, -0.2, -0.5]]
      let done = try await handMade(
        isPoisson
          ? "family: poisson" : "family: negative_binomial, overdispersion: {half_normal: {scale: 1}}",
        train: "a,b,y\n1,2,0\n2,1,1\n0,1,2\n1,0,1\n", means: means, variances: [0.02, 0.05], in: folder,
        output: "counts")
      // The last row's predictor has standard deviations up to 1.1: it takes draws.
      try folder.write("a,b,y\n0.5,-1.5,2\n2,1,1\n0,0,0\n-1,2,3\n-3,4,0\n", to: "new.csv")
      let run = try await CommandRun.run(["predict", done.path, "--data", folder("new.csv")], in: folder)
      let found = try table(run.output)
      let expected: [[Double]] =
        isPoisson
        ? [
          [1.471072409, 1.498555409, 0, 1, 4], [3.876668239, 2.813542118, 0, 3, 9], [1, 1, 0, 1, 3],
          [0.812661586, 1.066811343, 0, 0, 3],
        ]
        : [
          [1.471072409, 1.997317561, 0, 1, 5], [3.876668239, 4.288877411, 0, 3, 12],
          [1, 1.223409528, 0, 1, 3], [0.812661586, 1.23414834, 0, 0, 3],
        ]
      expectNear(Array(found.prefix(4)), expected, within: 2e-3)
      #expect(found.count == 5 && (found.last ?? []).allSatisfy { $0 >= 0 && $0.isFinite }, "\(found)")
      let drawn = try await CommandRun.run(
        ["predict", done.path, "--data", folder("new.csv"), "--draws", "400"], in: folder)
      #expect(run.lines.last == drawn.lines.last)
      let mean = try await CommandRun.run(
        ["predict", done.path, "--data", folder("new.csv"), "--of", "mean", "--no-scores"], in: folder)
      expectNear(
        try Array(table(mean.output).prefix(2)),
        [
          [1.471072409, 0.8801113025, 0.5845797253, 1.125305543, 3.167988683],
          [3.876668239, 2.009813676, 1.784193345, 3.374434538, 7.727615483],
        ], within: 1e-7)
      try folder.write("a,b,y\n0.5,-1.5,2\n2,1,1\n0,0,0\n-1,2,3\n", to: "scored.csv")
      let scored = try await CommandRun.run(
        ["predict", done.path, "--data", folder("scored.csv"), "--scores", folder("scores.json")], in: folder)
      let logs: [Double] =
        isPoisson
        ? [-1.653131243927198, -2.0563290841097657, -1, -2.961511947744324]
        : [-1.9173859720286806, -1.767147127376285, -0.8142317207073608, -3.007939862026427]
      let density = try FitFolder(path: folder.path).json("scores.json")["log_predictive_density"]
      #expect(abs(try #require(density as? Double) - logs.reduce(0, +) / 4) < 2e-3, "\(scored)")
    }

    @Test(arguments: [false, true]) func effectsOfGroupsAreIntegrated(isCentred: Bool) async throws {
      let folder = try TemporaryFolder()
      let done = try await handMade(
        "family: linear, noise: 0.7, groups: [g], group_effects: \(isCentred ? "centred" : "non_centred")",
        train: "a,b,g,y\n1,2,p,0\n2,1,q,1\n3,5,p,0\n4,3,q,1\n",
        means: [[1, 2, 0.5, -1, -0.5], [3, -1, 0.2, 0.4, 0.1]], variances: [0.05, 0.1], in: folder,
        output: "groups")
      #expect(try FittedMixture.read(done.path).names[2] == (isCentred ? "effect_g[p]" : "z_g[p]"))
      // The last level is none of the fit's.
      try folder.write("a,b,g\n0.5,-1.5,p\n2,1,q\n0,0,q\n-3,4,r\n", to: "new.csv")
      let run = try await CommandRun.run(["predict", done.path, "--data", folder("new.csv")], in: folder)
      let known: [[Double]] =
        isCentred
        ? [
          [0.6, 2.740894015, -3.045073675, 0.4483227642, 4.374561411],
          [4.2, 1.542724862, 1.859169605, 4.103637922, 6.738056557],
          [-0.3, 1.027131929, -1.946477905, -0.3154943133, 1.386925431],
        ]
        : [
          [0.5216546884, 2.848777596, -3.214088618, 0.3011421387, 4.443882022],
          [4.42142432, 1.435103314, 2.239217569, 4.319252141, 6.847261773],
          [-0.07857567969, 0.94404033, -1.578006158, -0.1085902101, 1.514910007],
        ]
      let unknown = [-4, 9.130443582, -15.21600982, -2.789260479, 6.690482618]
      expectNear(try table(run.output), known + [unknown], within: isCentred ? 1e-8 : 2e-3)
    }

    // SciPy: `quad` of the normal density times 1/(1 + e^-η).
    @Test func logisticProbabilitiesAreIntegrals() async throws {
      let folder = try TemporaryFolder()
      let done = try await handMade("logistic", in: folder)
      try folder.write(Predict.rows, to: "new.csv")
      let run = try await CommandRun.run(["predict", done.path, "--data", folder("new.csv")], in: folder)
      #expect(run.lines.first == "p[0],p[1],class", "\(run)")
      let expected = [0.5097893552036759, 0.9743917187179538, 0.5, 0.4741939808902132]
      let rows = try table(run.output)
      expectNear(rows.map { Array($0.dropLast()) }, expected.map { [1 - $0, $0] }, within: 1e-8)
      #expect(rows.map { $0.last == ($0[1] >= 0.5 ? 1 : 0) } == [true, true, true, true])
      // Quantiles of a monotone function are the function's of the quantiles.
      let mean = try await CommandRun.run(
        ["predict", done.path, "--data", folder("new.csv"), "--of", "mean", "--quantiles", "0.5"], in: folder)
      #expect(mean.lines.first == "p[0],p[1],q0.5[1],class")
      let medians = [-0.221825406948, 4.41421356237, 0, -2.45584412272].map { 1 / (1 + exp(-$0)) }
      expectNear(try table(mean.output).map { [$0[2]] }, medians.map { [$0] }, within: 1e-9)
    }

    /// By the draws' own error: means of pairs are exact up to how many come from each component, a quantile is off by
    /// √(p(1 − p)/S) over the density.
    @Test func drawsAgreeWithIntegrals() async throws {
      let folder = try TemporaryFolder()
      for family in ["linear", "logistic"] {
        let done = try await handMade(family, in: folder, output: family)
        try folder.write(Predict.rows, to: "new.csv")
        for of in ["response", "mean"] {
          let arguments = ["predict", done.path, "--data", folder("new.csv"), "--of", of]
          let exact = try table(await CommandRun.run(arguments, in: folder).output)
          let drawn = try await CommandRun.run(arguments + ["--draws", "20000"], in: folder)
          for (row, wanted) in zip(try table(drawn.output), exact) {
            // Five standard errors at the sparsest quantile: the density there is above 0.06 of one over the deviation.
            let spread = family == "linear" ? wanted[1] : 0.5
            for (value, number) in zip(row, wanted).dropLast(family == "linear" ? 0 : 1) {
              #expect(abs(value - number) <= 5 * (0.05 * 0.95 / 20000).squareRoot() / 0.06 * spread + 1e-12)
            }
          }
          let again = try await CommandRun.run(
            arguments + ["--draws", "20000", "--workers", "1"], in: folder)
          let other = try await CommandRun.run(
            arguments + ["--draws", "20000", "--seed", "2"], in: folder)
          #expect(again.output == drawn.output && other.output != drawn.output)
        }
      }
    }

    /// Rows of the training data of an example, repeated.
    private func repeated(_ name: String, _ times: Int, in folder: TemporaryFolder) throws -> String {
      let lines = try String(contentsOfFile: Examples.data(name), encoding: .utf8).split(separator: "\n")
      let body = lines.dropFirst().joined(separator: "\n") + "\n"
      return try folder.write(
        lines[0] + "\n" + String(repeating: body, count: times), to: "rows-\(name)")
    }

    @Test func bytesDontDependOnWorkersAndThreads() async throws {
      let folder = try TemporaryFolder()
      for (spec, data, options) in [
        (Examples.wine, "wine-test.csv", ["--draws", "40", "--of", "mean"]),
        (Examples.breastCancer, "breast-cancer-test.csv", []),
      ] {
        let done = try await fit(
          spec, setting("inference.iterations=30"), in: folder, output: "out-\(data)")
        let rows = try repeated(data, 50, in: folder)
        var outputs: Set<Data> = []
        var errors: Set<String> = []
        for workers in [["--workers", "1"], ["--workers", "2"], ["--workers", "3", "--threads", "2"]] {
          for format in ["csv", "npy"] {
            let run = try await CommandRun.run(
              ["predict", done.path, "--data", rows, "--output", folder("p.\(format)"), "--format", format]
                + options + workers, in: folder)
            #expect(run.exitCode == 0 && run.output.isEmpty, "\(run)")
            outputs.insert(try Data(contentsOf: URL(fileURLWithPath: folder("p.\(format)"))))
            errors.insert(run.errors)
          }
        }
        #expect(outputs.count == 2 && errors.count == 1, "\(errors)")
        #expect(errors.first?.hasPrefix("Scores: ") == true)
      }
      // Prepared data are gone.
      let left = try FileManager.default.contentsOfDirectory(atPath: folder("cache/isomix/predictions"))
      #expect(left.isEmpty, "\(left)")
    }

    /// The fit's own scores are averages over draws: its error is computed from two seeds of ours.
    @Test func scoresAreThoseOfTheFit() async throws {
      let folder = try TemporaryFolder()
      for (spec, data, figure) in [
        (Examples.breastCancer, "breast-cancer-test.csv", "accuracy"),
        (Examples.wine, "wine-test.csv", "accuracy"),
      ] {
        let done = try await fit(
          spec, setting("inference.iterations=300"), in: folder, output: "out-\(data)")
        let recorded = try #require(try done.json("summary.json")["test"] as? [String: Any])
        let run = try await CommandRun.run(
          [
            "predict", done.path, "--data", Examples.data(data), "--output", "/dev/null", "--scores",
            folder("scores.json"),
          ] + (data == "wine-test.csv" ? ["--draws", "4000"] : []), in: folder)
        #expect(run.exitCode == 0, "\(run)")
        let scores = try FitFolder(path: folder.path).json("scores.json")
        #expect(scores["rows"] as? Int == recorded["rows"] as? Int)
        let found = try #require(scores[figure] as? Double)
        #expect(abs(found - (try #require(recorded[figure] as? Double))) <= 0.015, "\(scores) \(recorded)")
        let density = try #require(scores["log_predictive_density"] as? Double)
        let theirs = try #require(
          (recorded["log_predictive_density"] ?? recorded["logPredictiveDensity"]) as? Double)
        #expect(abs(density - theirs) <= 0.02, "\(scores) \(recorded)")
        #expect(try #require(scores["log_predictive_density_se"] as? Double) > 0)
      }
    }

    // SciPy: the mean of `log(norm.pdf(y, m, s).mean())` over the rows of `Predict.rows`.
    @Test func linearScoresAreInClosedForm() async throws {
      let folder = try TemporaryFolder()
      let done = try await handMade("linear", in: folder)
      try folder.write("y,b,a\n0.3,-1.5,0.5\n-1,1,2\n0.5,0,0\n5,4,-3\n", to: "scored.csv")
      try folder.write(Predict.rows, to: "new.csv")
      let run = try await CommandRun.run(
        ["predict", done.path, "--data", folder("scored.csv"), "--scores", folder("scores.json")], in: folder)
      #expect(run.errors.contains("RMSE 5.28"), "\(run)")
      let scores = try FitFolder(path: folder.path).json("scores.json")
      for (name, value) in [
        ("log_predictive_density", -3.7350799959755245), ("rmse", 5.279737209369421),
        ("log_predictive_density_se", 1.49171705160519),
      ] { #expect(abs(try #require(scores[name] as? Double) - value) < 1e-9, "\(name)") }
      // Columns in another order, with responses or without: the same predictions.
      let without = try await CommandRun.run(["predict", done.path, "--data", folder("new.csv")], in: folder)
      #expect(without.output == run.output)
      let ignored = try await CommandRun.run(
        ["predict", done.path, "--data", folder("scored.csv"), "--no-scores"], in: folder)
      #expect(ignored.output == run.output && ignored.errors.isEmpty)
    }

    @Test func npyHoldsTheNumbersOfTheCSV() async throws {
      let folder = try TemporaryFolder()
      let done = try await handMade("linear", in: folder)
      try folder.write(Predict.rows, to: "new.csv")
      let text = try await CommandRun.run(["predict", done.path, "--data", folder("new.csv")], in: folder)
      let run = try await CommandRun.run(
        [
          "predict", done.path, "--data", folder("new.csv"), "--format", "npy", "--output", folder("p.npy"),
        ], in: folder)
      #expect(run.exitCode == 0, "\(run)")
      let data = try Data(contentsOf: URL(fileURLWithPath: folder("p.npy")))
      #expect(data.starts(with: [0x93] + Array("NUMPY".utf8) + [1, 0]))
      let length = Int(data[8]) + 256 * Int(data[9])
      let header = String(decoding: data[10..<10 + length], as: UTF8.self)
      #expect((10 + length) % 64 == 0 && header.hasSuffix("\n"))
      #expect(header.hasPrefix("{'descr': '<f8', 'fortran_order': False, 'shape': (4, 5), }"), "\(header)")
      let numbers = data[(10 + length)...].withUnsafeBytes { raw in
        (0..<20).map { Double(bitPattern: raw.loadUnaligned(fromByteOffset: 8 * $0, as: UInt64.self)) }
      }
      #expect(data.count == 10 + length + 160)
      for (number, shown) in zip(numbers, try table(text.output).joined()) {
        #expect(abs(number - shown) <= 1e-11 * abs(number))
      }
    }

    @Test func foldersGlobsAndKeptCachesAreRead() async throws {
      let folder = try TemporaryFolder()
      let done = try await handMade("logistic", in: folder)
      try folder.write(Predict.rows, to: "new.csv")
      try folder.write("a,b\n0.5,-1.5\n2,1\n", to: "part-1.csv")
      try folder.write("a,b\n0,0\n-3,4\n", to: "part-2.csv")
      let whole = try await CommandRun.run(["predict", done.path, "--data", folder("new.csv")], in: folder)
      let parts = try await CommandRun.run(
        ["predict", done.path, "--data", folder("part-*.csv")], in: folder)
      #expect(parts.output == whole.output, "\(parts)")
      let imported = try await CommandRun.run(
        ["data", "import", folder("new.csv"), "--output", folder("table")], in: folder)
      #expect(imported.exitCode == 0)
      let table = try await CommandRun.run(["predict", done.path, "--data", folder("table")], in: folder)
      #expect(table.output == whole.output, "\(table)")
      for _ in 0..<2 {
        let kept = try await CommandRun.run(
          ["predict", done.path, "--data", folder("new.csv"), "--cache", folder("kept")], in: folder)
        #expect(kept.output == whole.output, "\(kept)")
      }
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder("kept/designs")).count == 1)
    }

    @Test func whatCantBePredictedIsNamed() async throws {
      let folder = try TemporaryFolder()
      let done = try await handMade("logistic", in: folder)
      let target = try await fit(
        Examples.mixture2D, setting("inference.iterations=2"), in: folder, output: "target")
      try folder.write("a,c\n1,2\n", to: "missing-column.csv")
      try folder.write("a,b\n1,2\n3,\n", to: "missing-value.csv")
      try folder.write("a,b\n1,2\n3,x\n", to: "text.csv")
      try folder.write("a,b,y\n1,2,1\n3,4,2\n", to: "class.csv")
      try folder.write("a,b\n", to: "empty.csv")
      try folder.write(Predict.rows, to: "new.csv")
      for (path, data, code, words) in [
        (done.path, "missing-column.csv", 65, ["'b'"]),
        (done.path, "missing-value.csv", 65, ["missing-value.csv:3", "'b'", "missing"]),
        (done.path, "text.csv", 65, ["text.csv:3", "'b'"]),
        (done.path, "class.csv", 65, ["class.csv:3", "'y'"]),
        (done.path, "empty.csv", 65, ["no records"]),
        (done.path, "nothing.csv", 66, ["nothing.csv"]),
        (folder("nothing"), "new.csv", 66, ["there is no fit at"]),
        (target.path, "new.csv", 65, ["predicts nothing"]),
      ] as [(String, String, Int32, [String])] {
        let run = try await CommandRun.run(
          ["predict", path, "--data", folder(data), "--output", folder("p.csv")], in: folder)
        #expect(run.exitCode == code && run.output.isEmpty, "\(data): \(run)")
        for word in words { #expect(run.errors.contains(word), "\(data): \(run)") }
        Commands.expectPlainWords(run.errors)
        #expect(!FileManager.default.fileExists(atPath: folder("p.csv")))
      }
      let good = ["predict", done.path, "--data", folder("new.csv")]
      for (options, code, words) in [
        (["--quantiles", "0.5,1"], 64, "--quantiles"), (["--quantiles", "x"], 64, "--quantiles"),
        (["--of", "median"], 64, "--of"), (["--workers", "0"], 64, "--workers"),
        (["--draws", "1"], 64, "--draws"), (["--format", "npy"], 64, "--output"),
        (["--output", folder("new.csv")], 64, "the file with the data"),
        (["--output", folder.path], 73, "is a folder"),
        (["--output", folder("no/folder/p.csv")], 73, "can't write"),
        (["--scores", folder("s.json")], 65, "no column 'y'"),
      ] as [([String], Int32, String)] {
        let run = try await CommandRun.run(good + options, in: folder)
        #expect(run.exitCode == code && run.errors.contains(words), "\(options): \(run)")
      }
      #expect(try String(contentsOfFile: folder("new.csv"), encoding: .utf8) == Predict.rows)
    }

    /// Peaks of the command and its workers over the rows of a file.
    private func peak_kB(_ arguments: [String], in folder: TemporaryFolder) async throws -> Int {
      let run = try CommandRun(arguments, in: folder)
      var peak = 0
      while !run.hasEnded {
        for process in [run.processID] + run.workers {
          peak = max(peak, ProcessTable.kilobytes("VmHWM", of: process) ?? 0)
        }
        try await Task.sleep(for: .milliseconds(3))
      }
      let result = try await run.finish()
      #expect(result.exitCode == 0, "\(result)")
      return peak
    }

    @Test func memoryDoesNotGrowWithTheRows() async throws {
      let folder = try TemporaryFolder()
      let done = try await handMade("linear", in: folder)
      let block = String(repeating: "0.5,-1.5\n2,1\n-3.25,4.125\n0.0625,17.5\n", count: 25_000)
      var peaks: [Int] = []
      // Shards of 2²¹ rows are mapped while they are read.
      for times in [22, 66] {
        let path = try folder.write("a,b\n" + String(repeating: block, count: times), to: "\(times).csv")
        peaks.append(
          try await peak_kB(
            ["predict", done.path, "--data", path, "--workers", "2", "--output", "/dev/null"], in: folder))
      }
      #expect(peaks[0] > 20_000 && peaks[1] < peaks[0] + 24_576, "\(peaks) kB")
    }
  }
}
