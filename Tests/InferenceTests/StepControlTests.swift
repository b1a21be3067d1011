import Inference
import Testing

@Suite("The relative step")
struct StepControlTests {
  /// Shows ten pairs of gradients to a control.
  private func show(_ control: inout StepControl, _ now: [Double], after before: [Double], dimension: Int = 2)
  {
    for _ in 0..<10 { control.observe(now, after: before, dimension: dimension) }
  }

  @Test("is halved by gradients that turn round, and not before the tenth")
  func oscillation() {
    var control = StepControl()
    let start = control.rate
    #expect(start == StepControl.start)
    for _ in 0..<9 { control.observe([1, -2], after: [-3, 6], dimension: 2) }
    #expect(control.rate == start)
    control.observe([1, -2], after: [-3, 6], dimension: 2)
    #expect(control.rate == start / 2)
    show(&control, [1, -2], after: [-1, 2])
    #expect(control.rate == start / 4)
    // Gradients of 120 degrees turn round, those of 95 are noise.
    show(&control, [1, 0], after: [-0.5, 0.8660254])
    #expect(control.rate == start / 8)
    show(&control, [1, 0], after: [-0.0871557, 0.9961947])
    #expect(control.rate == start / 8)
    for _ in 0..<100 { show(&control, [1, 0], after: [-1, 0]) }
    #expect(control.rate > 0 && control.rate < 1e-5, "it does not vanish")
  }

  @Test("grows again while gradients agree, up to where the stage began")
  func persistence() {
    var control = StepControl()
    show(&control, [1, 1], after: [2, 2])
    #expect(control.rate == StepControl.start)
    control.shrink(by: 4)
    var rates: [Double] = []
    for _ in 0..<8 {
      show(&control, [1, 1], after: [2, 2])
      rates.append(control.rate)
    }
    #expect(abs(rates[0] - StepControl.start / 4 * 1.25) < 1e-15)
    #expect(zip(rates, rates.dropFirst()).allSatisfy { $0 <= $1 } && rates.last == StepControl.start)
    control.beginStage()
    #expect(control.rate == StepControl.start / 2)
    for _ in 0..<5 { show(&control, [1, 1], after: [2, 2]) }
    #expect(control.rate == StepControl.start / 2, "a later stage never takes the steps of an earlier one")
  }

  @Test("looks at directions alone, on average over components")
  func components() {
    var control = StepControl()
    // One component turns round, with gradients a million times as long; the other goes on.
    show(&control, [1e6, 0, 0, 1], after: [-1e6, 0, 0, 1])
    #expect(control.rate == StepControl.start)
    show(&control, [1e-200, 0, 0, 1], after: [-1e-100, 0, 0, -1])
    #expect(control.rate == StepControl.start / 2)
  }

  @Test("does not change without gradients to compare")
  func nothing() {
    var control = StepControl()
    for _ in 0..<10 {
      show(&control, [1, 0], after: [])
      show(&control, [], after: [])
      show(&control, [0, 0], after: [0, 0])
      show(&control, [.nan, 0], after: [1, 0])
      show(&control, [.infinity, 0], after: [-1, 0])
    }
    #expect(control.rate == StepControl.start)
  }
}
