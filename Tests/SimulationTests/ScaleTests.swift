import Foundation
import Simulation
import Testing

@Suite("Forecasts of large fits")
struct ScaleTests {
  /// Tiles that take long beside their messages.
  private var model: ScaleModel {
    var model = ScaleModel()
    model.components = 100
    model.dimension = 10
    model.blocks = 1
    model.tilesPerBlock = 512
    model.tile_s = 0.002
    return model
  }

  @Test("without costs of messages to speak of, W workers are nearly W times as fast as one")
  func speedup() {
    for workers in [1, 2, 8] {
      let forecast = ScaleSimulation.forecast(model, workers: workers, relays: 0)
      #expect(
        forecast.speedup > 0.9 * Double(workers) && forecast.speedup <= 1.001 * Double(workers), "\(forecast)"
      )
    }
  }

  @Test("workers that share processors are as fast as the processors")
  func sharedProcessors() {
    var model = model
    (model.cores, model.workersPerHost) = (2, 0)
    let forecast = ScaleSimulation.forecast(model, workers: 8, relays: 0)
    #expect(forecast.speedup > 1.8 && forecast.speedup <= 2.001, "\(forecast)")
  }

  @Test("each link carries the state once an iteration; a coordinator's links are its relays")
  func bytes() {
    let state = 8.0 * 100 * 11
    let flat = ScaleSimulation.forecast(model, workers: 64, relays: 0)
    #expect(flat.bytesDownPerLink > state && flat.bytesDown > 64 * state, "\(flat)")
    var tree: [ScaleForecast] = []
    for workers in [8, 64] { tree.append(ScaleSimulation.forecast(model, workers: workers, relays: 4)) }
    for forecast in tree {
      #expect(forecast.bytesDown > 4 * state && forecast.bytesDown < 4 * state * 1.2, "\(forecast)")
    }
    #expect(tree[1].bytesUp < 1.5 * tree[0].bytesUp, "\(tree)")
    #expect(tree[1].coordinatorCPU_s < flat.coordinatorCPU_s / 2)
  }

  @Test("a model may leave keys away, and may not make no sense")
  func reading() throws {
    let read = try JSONDecoder().decode(
      ScaleModel.self, from: Data(#"{"tile_s": 0.25, "workers_per_host": 3}"#.utf8))
    var expected = ScaleModel()
    (expected.tile_s, expected.workersPerHost) = (0.25, 3)
    #expect(read == expected && read.problem == nil)
    var wrong = read
    wrong.blocks = 0
    #expect(wrong.problem != nil)
    (wrong.blocks, wrong.tile_s) = (1, .nan)
    #expect(wrong.problem != nil)
  }
}
