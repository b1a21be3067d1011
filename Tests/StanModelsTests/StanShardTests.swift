import Foundation
import NumericsKit
import Posteriors
import StanModels
import TestKit
import Testing

/// Models whose data come in shards, interpreted by stanli.
@Suite(.serialized, .enabled(if: StanLibraries.stanli != nil, "\(StanLibraries.stanliAdvice)"))
struct StanShardTests {
  private let folder: TemporaryFolder
  private let references = StanLibraries.references

  init() throws {
    folder = try TemporaryFolder()
    setenv("XDG_CACHE_HOME", folder("cache"), 1)
  }

  private func model(_ program: String, _ data: [String], _ sharding: StanModel.Sharding? = nil) throws
    -> StanModel
  {
    try StanModel(
      StanModel.Configuration(
        library: try #require(StanLibraries.stanli), program: program, data: data, sharding: sharding))
  }

  /// V and its gradient at a point, over all shards.
  private func total(_ model: StanModel, _ point: [Double]) -> [Double] {
    var value = 0.0
    var gradient = [Double](repeating: 0, count: point.count)
    let workspace = DensityWorkspace()
    model.accumulateBase(points: point, count: 1, value: &value, gradient: &gradient, workspace: workspace)
    model.accumulateShards(
      0..<model.shardCount, points: point, count: 1, value: &value, gradient: &gradient,
      workspace: workspace)
    return [value] + gradient
  }

  private func expectEqual(_ a: [Double], _ b: [Double]) {
    #expect(a.count == b.count)
    for (a, b) in zip(a, b) { #expect(abs(a - b) <= 1e-9 * max(1, abs(b)), "\(a), \(b)") }
  }

  private let point = [0.3, -0.4, 0.7, 0.2, -0.5]

  @Test("Shards of a file add up to the model of all rows, however many", arguments: [1, 2, 7, 300, 1000])
  func cut(shards: Int) throws {
    let data = ["\(references)/logistic.json"]
    let whole = try model("\(references)/logistic.stan", data)
    let cut = try model(
      "\(references)/logistic.stan", data, StanModel.Sharding(size: "N", slice: ["X", "y"], shards: shards))
    #expect(cut.shardCount == min(shards, 300) && whole.shardCount == 0)
    expectEqual(total(cut, point), total(whole, point))
    try cut.check()
  }

  @Test func aModelThatTakesNoEmptyDataIsCutAllTheSame() throws {
    let program = try folder.write(
      try String(contentsOfFile: "\(references)/logistic.stan", encoding: .utf8)
        .replacingOccurrences(of: "int<lower=0> N;", with: "int<lower=1> N;"), to: "at-least-one.stan")
    let data = ["\(references)/logistic.json"]
    let cut = try model(program, data, StanModel.Sharding(size: "N", slice: ["X", "y"], shards: 4))
    try cut.check()
    expectEqual(total(cut, point), total(try model(program, data), point))
  }

  @Test func aLikelihoodThatIsNoSumOverRowsIsRefused() throws {
    let program = try folder.write(
      """
      data { int<lower=0> N; vector[N] y; }
      parameters { real mu; }
      model { mu ~ normal(0, 1); if (N > 0) target += -square(sum(y) - N * mu); }
      """, to: "no-sum.stan")
    let data = try folder.write(#"{"N": 6, "y": [1, 2, 3, 4, 5, 6.5]}"#, to: "no-sum.json")
    let cut = try model(program, [data], StanModel.Sharding(size: "N", slice: ["y"], shards: 3))
    let error = #expect(throws: StanError.self) { try cut.check() }
    #expect(error?.message.contains("the shards don't add up to the model of all rows") == true)
  }

  @Test func parametersThatBelongToRowsAreRefused() throws {
    let program = try folder.write(
      "data { int<lower=0> N; vector[N] y; } parameters { vector[N] mu; } model { mu ~ normal(y, 1); }",
      to: "local.stan")
    let data = try folder.write(#"{"N": 5, "y": [1, 2, 3, 4, 5]}"#, to: "local.json")
    let error = #expect(throws: StanError.self) {
      try model(program, [data], StanModel.Sharding(size: "N", slice: ["y"], shards: 2))
    }
    #expect(error?.message.contains("only rows that no parameter belongs to") == true)
  }

  @Test func arraysThatAreNotOfRowsAreNamed() throws {
    for (slice, problem) in [
      (["X", "z"], "has no variable 'z'; it has: N, K, X, y"), (["X", "K"], "'K' must be an array"),
    ] {
      let error = #expect(throws: StanError.self) {
        try model(
          "\(references)/logistic.stan", ["\(references)/logistic.json"],
          StanModel.Sharding(size: "N", slice: slice, shards: 2))
      }
      #expect(error?.message.contains(problem) == true, "\(error?.message ?? "")")
    }
  }

  @Test func shardFilesOfWhichOneHasThePriorAddUp() throws {
    let program = "\(references)/weighted-logistic.stan"
    let shards = (0..<3).map { "\(references)/weighted-logistic-\($0).json" }
    let sharded = try model(program, shards)
    try sharded.check()
    let point = Array(point.prefix(4))
    expectEqual(
      total(sharded, point), total(try model(program, ["\(references)/weighted-logistic-all.json"]), point))
    let error = #expect(throws: StanError.self) { try model(program, [shards[0], shards[2]]) }
    #expect(error?.message.contains("0 of 2 data files have prior_weight 1") == true)
    let unmarked = #expect(throws: StanError.self) {
      try model("\(references)/logistic.stan", [shards[0], "\(references)/logistic.json"])
    }
    #expect(unmarked?.message.contains("has no variable 'prior_weight'") == true)
  }

  @Test func gradientsAreThoseOfFiniteDifferences() throws {
    for name in ["eight-schools", "hierarchical-poisson"] {
      let model = try model("\(references)/\(name).stan", ["\(references)/\(name).json"])
      let point = (0..<model.dimension).map { 0.3 * Double($0 % 4) - 0.4 }
      let gradient = total(model, point).dropFirst()
      for k in 0..<model.dimension {
        var (up, down) = (point, point)
        up[k] += 1e-5
        down[k] -= 1e-5
        let slope = (total(model, up)[0] - total(model, down)[0]) / 2e-5
        #expect(abs(slope - gradient[1 + k]) < 1e-6 * max(1, abs(slope)), "\(name), parameter \(k)")
      }
    }
  }

  @Test func constrainedParametersAndWhatFollowsFromThemHaveStansNames() throws {
    let model = try StanModel(
      StanModel.Configuration(
        library: try #require(StanLibraries.stanli), program: "\(references)/eight-schools.stan",
        data: ["\(references)/eight-schools.json"], outputs: StanOutputs(transformed: true)))
    #expect(model.outputVariables.map(\.name) == ["mu", "tau", "eta", "theta"])
    var output = [Double](repeating: 0, count: model.outputCount)
    let point = [1, 0.5, 1, 2, 3, 4, 5, 6, 7, 8]
    try model.computeOutputs(points: point, count: 1, into: &output, workspace: DensityWorkspace())
    #expect(abs(output[1] - Foundation.exp(0.5)) < 1e-14)
    for school in 0..<8 { #expect(abs(output[10 + school] - (1 + output[1] * point[2 + school])) < 1e-13) }
  }

  @Test func aProgramThatIsNoneIsRefusedWithTheCompilersPlace() throws {
    let program = try folder.write("parameters { real mu } model {}", to: "bad.stan")
    let error = #expect(throws: StanError.self) { try model(program, []) }
    #expect(error?.message.contains("bad.stan can't be compiled: Syntax error") == true)
    let forgotten = #expect(throws: StanError.self) {
      try StanModel(StanModel.Configuration(library: try #require(StanLibraries.stanli)))
    }
    #expect(forgotten?.message.contains("Give the model's Stan program as model.program") == true)
  }
}
