import Testing

import FitRuntime

/// What is done about a CPU that OpenBLAS does not know.
@Suite struct BLASCodeTests {
  @Test("the oldest code gives way to the best that the CPU can run, and every other choice stands")
  func choice() {
    #expect(BLASCode.better(than: "Prescott", kernels: "x86-64-v4") == "SkylakeX")
    #expect(BLASCode.better(than: "Prescott", kernels: "x86-64-v3") == "Haswell")
    #expect(BLASCode.better(than: "Prescott", kernels: "default") == nil)
    for core in ["Haswell", "Zen", "SkylakeX", "Cooperlake", "Nehalem", "neoversen1"] {
      #expect(BLASCode.better(than: core, kernels: "x86-64-v4") == nil)
    }
  }
}
