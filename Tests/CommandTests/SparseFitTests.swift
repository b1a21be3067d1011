import Foundation
import Reporting
import TestKit
import Testing

extension Commands {
  /// Fits of sparse rows.
  @Suite(.serialized) struct Sparse {
    @Test func fitOfSparseRowsIsThatOfDenseOnesToRounding() async throws {
      for (model, isBinary) in [
        ("family: logistic", true), ("family: linear, noise: 0.8", false),
        ("family: linear, noise: {half_normal: {scale: 1}}", false),
        ("family: bnn_regression, noise: 1", false),
      ] {
        let folder = try TemporaryFolder()
        let spec = try SparseFit.write(
          to: folder, model: model, isBinary: isBinary,
          inference: SparseFit.short.replacingOccurrences(of: "1.0e-4", with: "1.0e-5"), rows: 3000)
        let sparse = try await fit(
          spec, setting("model.hidden=3").filter { _ in model.contains("bnn") }, in: folder, output: "sparse")
        #expect(try sparse.text("spec.yaml").contains("  standardize: scale\n  storage: sparse\n"))
        #expect(try sparse.text("log.jsonl").contains("divided by their standard deviation and not centred"))
        let dense = try await fit(
          spec,
          setting("model.hidden=3").filter { _ in model.contains("bnn") }
            + setting("data.storage=dense", "data.standardize=scale"), in: folder, output: "dense")
        #expect(try dense.text("spec.yaml").contains("  standardize: scale\n  storage: dense\n"))
        let mixtures = try [sparse, dense].map { try FittedMixture.read($0.path) }
        #expect(mixtures[0].names == mixtures[1].names)
        for (a, b) in zip(mixtures[0].means.joined(), mixtures[1].means.joined()) {
          #expect(abs(a - b) < 1e-9, "\(model)")
        }
        for key in ["elbo", "elbo_se"] {
          let values = try [sparse, dense].map { try #require(try $0.json("summary.json")[key] as? Double) }
          #expect(abs(values[0] - values[1]) < 1e-9 * max(1, abs(values[0])), "\(key)")
        }
        let scores = try [sparse, dense].map {
          try #require(try $0.json("summary.json")["test"] as? [String: Any])
        }
        for key in scores[0].keys {
          let values = scores.map { $0[key] as? Double ?? .nan }
          #expect(abs(values[0] - values[1]) < 1e-9 * max(1, abs(values[0])), "\(key)")
        }
      }
    }

    @Test func predictionsOfSparseRowsAreThoseOfDenseOnes() async throws {
      let folder = try TemporaryFolder()
      let spec = try SparseFit.write(to: folder, rows: 3000)
      let done = try await fit(spec, in: folder)
      // The test rows as a table with every column.
      var csv = (1...SparseFit.columns).map { "column_\($0)" }.joined(separator: ",") + ",response\n"
      for line in try String(contentsOfFile: folder("test.svm"), encoding: .utf8).split(separator: "\n") {
        let words = line.split(separator: " ")
        var values = [String](repeating: "0", count: SparseFit.columns)
        for pair in words.dropFirst().map({ $0.split(separator: ":") }) {
          values[Int(pair[0])! - 1] = String(pair[1])
        }
        csv += (values + [words[0] == "+1" ? "1" : "0"]).joined(separator: ",") + "\n"
      }
      try folder.write(csv, to: "test.csv")
      for options in [[], ["--draws", "60"], ["--quantiles", "0.1,0.9"]] {
        var tables: [[[Double]]] = []
        for file in ["test.svm", "test.csv"] {
          let run = try await CommandRun.run(
            ["predict", done.path, "--data", folder(file), "--scores", folder("scores.json")] + options,
            in: folder)
          #expect(run.exitCode == 0, "\(run)")
          tables.append(
            run.lines.dropFirst().map { $0.split(separator: ",").compactMap { Double($0) } })
        }
        #expect(tables[0].count == 700)
        for (a, b) in zip(tables[0].joined(), tables[1].joined()) { #expect(abs(a - b) < 1e-9) }
      }
      // Rows that lack the highest columns.
      try folder.write("+1 1:1\n-1 2:3\n", to: "few.svm")
      let few = try await CommandRun.run(["predict", done.path, "--data", folder("few.svm")], in: folder)
      #expect(few.exitCode == 0 && few.lines.count == 3, "\(few)")
    }

    @Test func importedFolderReportDrawsAndMinibatchesWork() async throws {
      let folder = try TemporaryFolder()
      let spec = try SparseFit.write(to: folder, rows: 3000)
      let direct = try await fit(spec, in: folder, output: "direct")
      let run = try await CommandRun.run(
        ["data", "import", folder("train.svm"), "--output", folder("table")], in: folder)
      #expect(run.exitCode == 0 && run.output.contains("sparse with 2"), "\(run)")
      let imported = try await fit(
        spec, setting("data.train=\(folder("table"))"), in: folder, output: "imported")
      #expect(try imported.digest() == direct.digest())
      #expect(direct.has("report.html") && direct.has("fit.nc"))
      let diagnosed = try await CommandRun.run(
        ["diagnose", direct.path, "--draws", "200"], in: folder)
      #expect(diagnosed.exitCode == 0, "\(diagnosed)")
      let batched = try await fit(
        spec, setting("inference.minibatch={rows: 512, control_variate: true}"), in: folder, output: "batched"
      )
      let plan = try #require(try batched.json("plan.json")["plan"] as? [String: Any])
      #expect((plan["gradient"] as? [String: Any])?["batch_rows"] as? Int == 512)
      let again = try await fit(
        spec,
        setting("inference.minibatch={rows: 512, control_variate: true}") + ["--workers", "3"], in: folder,
        output: "again")
      #expect(try again.digest() == batched.digest())
    }

    @Test func firstSpecOfSparseDataIsFitted() async throws {
      let folder = try TemporaryFolder()
      let text = String(decoding: SparseFit.text(rows: 400), as: UTF8.self)
      try folder.write(text.replacingOccurrences(of: "-1 ", with: "0 "), to: "train.svm")
      let made = try await CommandRun.run(
        ["init", folder("train.svm"), "--response", "response", "--output", folder("first.yaml")], in: folder)
      #expect(made.exitCode == 0, "\(made)")
      let spec = try String(contentsOfFile: folder("first.yaml"), encoding: .utf8)
      #expect(spec.contains("  standardize: scale "), "\(spec)")
      let done = try await fit(
        folder("first.yaml"),
        setting("inference.iterations=2", "inference.warmup=0", "inference.diagnosis.draws=0"), in: folder)
      #expect(try done.text("spec.yaml").contains("storage: sparse"))
    }

    @Test func whatSparseRowsCannotBeIsRefused() async throws {
      let folder = try TemporaryFolder()
      let spec = try SparseFit.write(to: folder, rows: 300)
      for (options, words) in [
        (setting("data.standardize=true"), "set standardize: scale"),
        (setting("data.standardize=true", "data.storage=sparse"), "data.standardize: true centres columns"),
        (setting("model.groups=[column_3]"), "groups need dense rows: set data.storage: dense"),
        (setting("model.groups=[column_3]", "data.storage=sparse"), "model.groups needs rows that are dense"),
        (setting("data.storage=csr"), "'csr' is not a valid data.storage. Valid: auto, sparse, dense"),
      ] {
        let run = try await CommandRun.run(
          ["fit", spec, "--output", folder("out"), "--progress", "none"] + options, in: folder)
        #expect(run.exitCode == 65 && run.errors.contains(words), "\(run)")
      }
      let bad = try await CommandRun.run(
        ["data", "import", folder("train.svm"), "--output", folder("t"), "--storage", "csc"], in: folder)
      #expect(bad.exitCode == 64 && bad.errors.contains("'csc' is not auto, sparse or dense"), "\(bad)")
    }

    @Test func importOfTenfoldSparseRowsTakesNoMoreMemory() async throws {
      let folder = try TemporaryFolder()
      var peaks: [Int] = []
      // 20,000 columns: dense, a row would have 160 kB, the smaller file's rows 3 GB.
      let block = SparseFit.text(rows: 2000, columns: 20_000)
      for copies in [10, 100] {
        var data = Data()
        for _ in 0..<copies { data.append(block) }
        try folder.write(data, to: "\(copies).svm")
        let run = try CommandRun(
          ["data", "import", folder("\(copies).svm"), "--output", folder("table-\(copies)")], in: folder)
        var peak = 0
        while !run.hasEnded {
          peak = max(peak, ProcessTable.kilobytes("VmHWM", of: run.processID) ?? 0)
          try await Task.sleep(for: .milliseconds(2))
        }
        #expect(try await run.finish().exitCode == 0)
        peaks.append(peak)
      }
      #expect(peaks[0] > 10_000, "the peak was not seen: \(peaks)")
      // The larger file's rows have 110 MB of numbers and places more than the smaller one's.
      #expect(peaks[1] < peaks[0] + 49_152, "\(peaks) kB")
    }
  }
}
