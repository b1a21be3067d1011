import Foundation
import TestKit
import Testing

extension Commands {
  /// First specs: what is guessed, and that `fit` takes it.
  @Suite(.serialized) struct FirstSpecs {
    /// Writes a spec for a table and returns it.
    static func spec(_ csv: String, response: String, in folder: TemporaryFolder, options: [String] = [])
      async throws -> String
    {
      let file = try folder.write(csv, to: "table.csv")
      let result = try await CommandRun.run(["init", file, "--response", response] + options, in: folder)
      try #require(result.exitCode == 0, "\(result)")
      return result.output
    }

    static func rows(_ count: Int, _ row: (Int) -> String) -> String {
      (0..<count).map { row($0) + "\n" }.joined()
    }

    static let responses: [(family: String, values: [String])] = [
      ("linear", (0..<40).map { "\(Double($0) * 1.5 - 20)" }),
      ("logistic", ["0", "1"]),
      ("logistic", ["no", "yes"]),
      ("softmax", ["red", "green", "blue"]),
      ("softmax", ["1", "2", "3", "4"]),
      ("poisson", ["0", "1", "2", "1", "3", "2", "5", "1"]),
      ("negative_binomial", ["0", "0", "0", "19", "1", "0", "40", "2"]),
    ]

    @Test(arguments: responses)
    func familyFollowsFromTheResponse(family: String, values: [String]) async throws {
      let folder = try TemporaryFolder()
      let csv = "x,y\n" + FirstSpecs.rows(40) { "\(sin(Double($0))),\(values[$0 % values.count])" }
      let spec = try await FirstSpecs.spec(csv, response: "y", in: folder)
      #expect(spec.contains("  family: \(family)\n"))
    }

    @Test func columnsThatSayNothingAreLeftOutWithTheReason() async throws {
      let folder = try TemporaryFolder()
      let csv =
        "id,constant,holes,site,colour,x,y\n"
        + FirstSpecs.rows(200) {
          "key\($0),7,\($0 % 3 == 0 ? "" : "1.5"),s\($0 % 30),\(["red", "blue"][$0 % 2]),"
            + "\($0 == 5 ? "NA" : "\(cos(Double($0)))"),\(Double($0) / 3)"
        }
      let spec = try await FirstSpecs.spec(csv, response: "y", in: folder)
      #expect(spec.contains("# Left out: id (it holds 199 different texts in 199 rows)."))
      #expect(spec.contains("# Left out: constant (it has the same value in every row)."))
      #expect(spec.contains("# Left out: holes (34 % of its values are missing)."))
      #expect(spec.contains("  features: [colour, x]\n"))
      #expect(spec.contains("  groups: [site]\n"))
      #expect(spec.contains("  missing: drop"))
    }

    @Test func specFitsWithoutAnEdit() async throws {
      let folder = try TemporaryFolder()
      let table = try folder.write(
        "amount,\"odd: name\",y\n"
          + FirstSpecs.rows(60) {
            "\($0),\(cos(Double($0))),\(20000 + 300 * cos(Double($0)) + 7 * Double($0 % 5))"
          },
        to: "table.csv")
      let written = try await CommandRun.run(
        ["init", table, "--response", "y", "--output", folder("first.yaml")], in: folder)
      try #require(written.exitCode == 0, "\(written)")
      let result = try await fit(folder("first.yaml"), ["--workers", "1"], in: folder)
      #expect(try result.json("summary.json")["converged"] as? Bool == true)
    }

    @Test func refusesWhatItCannotDo() async throws {
      let folder = try TemporaryFolder()
      let table = try folder.write("x,y,same\n1,2,3\n4,5,3\n7,9,3\n", to: "table.csv")
      try folder.write("kept\n", to: "there.yaml")
      for (options, code, words) in [
        (["--response", "z"], 65, "has no column 'z'; its columns are 'x', 'y', 'same'"),
        (["--response", "same"], 65, "has the same value in every row"),
        (["--response", "y", "--family", "funnel"], 64, "isomix models"),
        (["--response", "y", "--output", folder("there.yaml")], 73, "--force"),
      ] {
        let result = try await CommandRun.run(["init", table] + options, in: folder)
        #expect(result.exitCode == code, "\(result)")
        #expect(result.errors.contains(words), "\(result)")
      }
      #expect(try String(contentsOfFile: folder("there.yaml"), encoding: .utf8) == "kept\n")
      let missing = try await CommandRun.run(["init", folder("none.csv"), "--response", "y"], in: folder)
      #expect(missing.exitCode == 66, "\(missing)")
    }
  }
}
