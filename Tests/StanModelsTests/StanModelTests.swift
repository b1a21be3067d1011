import Foundation
import NumericsKit
import Posteriors
import StanModels
import TestKit
import Testing

/// The model of three standard normals in `stan_test_models.c`.
@Suite(.serialized) struct StanModelTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    // Copies of the test's libraries have no place in the user's cache.
    setenv("XDG_CACHE_HOME", folder("cache"), 1)
  }

  private func model(_ mode: String = "normal", _ options: String..., outputs: StanOutputs = StanOutputs())
    throws -> StanModel
  {
    let library = try StanLibraries.misbehaving(in: folder)
    let data = try folder.write("{\"mode\": \"\(mode)\"}", to: "\(mode).json")
    return try StanModel(StanModel.Configuration(library: library, data: [data], outputs: outputs))
  }

  private func evaluate(_ model: StanModel, _ points: [Double], gradient: Bool = true) -> (
    values: [Double], gradients: [Double]
  ) {
    let count = points.count / model.dimension
    var values = [Double](repeating: 0, count: count)
    var gradients = [Double](repeating: 0, count: points.count)
    gradients.withUnsafeMutableBufferPointer { gradients in
      model.accumulateBase(
        points: points, count: count, value: &values, gradient: gradient ? gradients.baseAddress : nil,
        workspace: DensityWorkspace())
    }
    return (values, gradients)
  }

  @Test func vIsMinusTheLogDensityWithItsConstants() throws {
    let model = try model()
    #expect(model.parameterNames == ["x.1", "x.2", "x.3"])
    let (values, gradients) = evaluate(model, [1, 2, -3, 0, 0, 0.5])
    let constant = 1.5 * Foundation.log(2 * Double.pi)
    #expect(abs(values[0] - (7 + constant)) < 1e-12 && abs(values[1] - (0.125 + constant)) < 1e-12)
    #expect(gradients == [1, 2, -3, 0, 0, 0.5])
    #expect(evaluate(model, [1, 2, -3], gradient: false).values == [values[0]])
  }

  @Test(
    "Where a model fails, or gives no finite number and says that all is well, V is infinite and the gradient gets nothing",
    arguments: ["throw_beyond", "nan_beyond", "nan_gradient"])
  func rejected(mode: String) throws {
    let (values, gradients) = evaluate(try model(mode), [2, 0, 0, 1, 0, 0])
    #expect(values[0] == .infinity && values[1].isFinite)
    #expect(gradients == [0, 0, 0, 1, 0, 0])
  }

  @Test func aModelThatAlwaysFailsIsRefusedInItsOwnWords() throws {
    let error = #expect(throws: StanError.self) { try model("throw").check() }
    #expect(error?.message.contains("Scale parameter is -1, but must be positive!") == true)
  }

  @Test func dataThatDoNotFitAreRefusedInTheModelsOwnWords() throws {
    let error = #expect(throws: StanError.self) { try model("refuse") }
    #expect(error?.code == .data && error?.message.contains("variable name=N") == true)
    #expect(error?.message.contains("refuse.json") == true)
  }

  @Test func outputsHaveStansNamesAndTheirLastIndexRunsFastest() throws {
    let model = try model(outputs: StanOutputs(transformed: true, generated: true))
    let variables = model.outputVariables
    #expect(variables.map(\.name) == ["x", "square", "noise"])
    #expect(variables[0].columnNames == ["x.1", "x.2", "x.3"])
    #expect(variables[0].axes.map(\.name) == ["x_dim_0"])
    #expect(
      variables[2].columnNames == [
        "noise.1.1", "noise.1.2", "noise.1.3", "noise.2.1", "noise.2.2", "noise.2.3",
      ])
    #expect(variables[2].axes.map(\.labels) == [["0", "1"], ["0", "1", "2"]])
    func outputs(_ points: [Double]) throws -> [Double] {
      var output = [Double](repeating: 0, count: points.count / 3 * model.outputCount)
      try model.computeOutputs(
        points: points, count: points.count / 3, into: &output, workspace: DensityWorkspace())
      return output
    }
    let both = try outputs([1, 2, 3, 4, 5, 6])
    #expect(Array(both[0..<4]) == [1, 2, 3, 1] && Array(both[10..<14]) == [4, 5, 6, 16])
    #expect(zip(both[4..<10], [11, 12, 13, 21, 22, 23]).map { $0 - $1 }.allSatisfy { $0 == both[4] - 11 })
    // What is generated depends on the draw alone, not on what came before it.
    #expect(try outputs([4, 5, 6]) == Array(both[10...]))
    #expect(both[4] != both[14])
  }

  @Test func whatAModelPrintsIsKeptFromStandardOutput() throws {
    let path = folder("output")
    fflush(nil)
    let kept = dup(STDOUT_FILENO)
    let file = open(path, O_WRONLY | O_CREAT, 0o600)
    dup2(file, STDOUT_FILENO)
    defer {
      dup2(kept, STDOUT_FILENO)
      close(kept)
      close(file)
    }
    _ = StanConsole.shared.takeLines()
    let values = Result { evaluate(try model("print"), [0, 0, 0]).values }
    #expect(try values.get()[0].isFinite)
    #expect(try String(contentsOfFile: path, encoding: .utf8) == "")
    let lines = StanConsole.shared.takeLines()
    #expect(lines.contains("evaluated") && lines.contains("by hand") && lines.contains("constructed"))
    #expect(StanConsole.shared.takeLines().isEmpty)
  }

  @Test func aLibraryThatThreadsMayNotCallIsCalledByOneAtATime() async throws {
    let model = try model("alone")
    await withTaskGroup(of: Bool.self) { group in
      for number in 0..<4 {
        group.addTask {
          let points = [Double](repeating: Double(number) / 10, count: 3 * 50)
          return evaluate(model, points).values.allSatisfy(\.isFinite)
        }
      }
      for await isFinite in group { #expect(isFinite) }
    }
  }

  @Test func filesThatAreNoStanLibrariesAreNamedWithTheReason() throws {
    func problem(_ library: String) -> String {
      do {
        _ = try StanModel(StanModel.Configuration(library: library))
        return "none"
      } catch {
        return "\(error)"
      }
    }
    #expect(problem("/nowhere/model.so") == "the Stan library /nowhere/model.so is not there")
    #expect(problem(folder.path).contains("can't be read"))
    let text = try folder.write("not a library", to: "text.so")
    #expect(problem(text).hasPrefix("\(text) can't be loaded as a library ("))
    let old = try StanLibraries.misbehaving("-DMAJOR=1", in: folder)
    #expect(problem(old).contains("has version 1.7.0 of BridgeStan's interface; this program speaks 2.x"))
    let incomplete = try StanLibraries.misbehaving("-DINCOMPLETE", in: folder)
    #expect(problem(incomplete).contains("it has no function bs_param_constrain"))
    // Another processor's: the machine's number in the ELF header.
    var bytes = try Data(contentsOf: URL(fileURLWithPath: try StanLibraries.misbehaving(in: folder)))
    bytes[18] = 0xF3
    let foreign = try folder.write(bytes, to: "foreign.so")
    #expect(problem(foreign).contains("foreign.so can't be loaded as a library ("))
  }

  @Test func aLibraryThatWasCompiledAnewIsLoadedAnew() throws {
    let path = try StanLibraries.misbehaving(in: folder)
    let first = try StanModel(StanModel.Configuration(library: path))
    let other = try StanLibraries.misbehaving("-DMAJOR=1", in: folder)
    try Data(contentsOf: URL(fileURLWithPath: other)).write(to: URL(fileURLWithPath: path))
    #expect(throws: StanError.self) { try StanModel(StanModel.Configuration(library: path)) }
    // The first is none the worse for it.
    #expect(evaluate(first, [0, 0, 0]).values[0].isFinite)
  }

  @Test func dataThatAreNoObjectAreNamedWithTheirLine() throws {
    let library = try StanLibraries.misbehaving(in: folder)
    for (text, problem) in [
      ("[1, 2]", "1: Stan data must be a JSON object"), ("{\"a\": 1,\n\"b\": }", "2: a value is missing"),
      ("{\"a\": [1, 2}", "1: a ',' or ']' is missing"), ("{\"a\": 1} 2", "something follows"),
      ("{\"a\" 1}", "a ':' is missing"), (String(repeating: "{\"a\":[", count: 200), "nested too deeply"),
    ] {
      let data = try folder.write(text, to: "bad.json")
      let error = #expect(throws: StanError.self) {
        try StanModel(StanModel.Configuration(library: library, data: [data]))
      }
      #expect(error?.message.contains(problem) == true, "\(text): \(error?.message ?? "")")
    }
  }
}
