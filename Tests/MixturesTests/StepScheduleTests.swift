import Foundation
import Mixtures
import Testing

@Suite struct StepScheduleTests {
  @Test("Schedules give the step sizes of their formulas")
  func values() {
    #expect(StepSchedule.constant(stepSize: 0.1).stepSize(at: 999, of: 1000) == 0.1)
    let root = StepSchedule.inverseSqrt(initial: 0.4, timescale: 100)
    #expect(root.stepSize(at: 0, of: 1000) == 0.4)
    #expect(root.stepSize(at: 300, of: 1000) == 0.2)
    let line = StepSchedule.linear(from: 1, to: 0.5)
    #expect(line.stepSize(at: 0, of: 101) == 1)
    #expect(line.stepSize(at: 50, of: 101) == 0.75)
    #expect(line.stepSize(at: 100, of: 101) == 0.5)
    #expect(line.stepSize(at: 0, of: 1) == 1)
    let decay = StepSchedule.stepDecay(initial: 0.8, factor: 0.5, every: 10)
    #expect([0, 9, 10, 29, 30].map { decay.stepSize(at: $0, of: 100) } == [0.8, 0.8, 0.4, 0.2, 0.1])
  }

  @Test(
    "Schedules survive JSON",
    arguments: [
      StepSchedule.constant(stepSize: 0.1), .inverseSqrt(initial: 0.4, timescale: 100),
      .linear(from: 1, to: 0.5), .stepDecay(initial: 0.8, factor: 0.5, every: 10),
    ])
  func coding(schedule: StepSchedule) throws {
    let data = try JSONEncoder().encode(schedule)
    #expect(try JSONDecoder().decode(StepSchedule.self, from: data) == schedule)
  }
}
