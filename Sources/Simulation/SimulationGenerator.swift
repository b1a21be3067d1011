/// SplitMix64 (Steele, Lea, Flood 2014): all that is random in a simulated run follows from its seed.
struct SimulationGenerator: RandomNumberGenerator, Sendable {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    return SimulationGenerator.mixed(state)
  }

  /// The generator's output function: a bijection that spreads every bit.
  static func mixed(_ value: UInt64) -> UInt64 {
    var mixed = value
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  /// A whole number from 0 to `bound` − 1. Written out, so that no library's choice changes a replay.
  mutating func below(_ bound: Int) -> Int { Int(next() >> 33) % max(1, bound) }

  /// A number from `low` to `high`.
  mutating func uniform(_ low: Double, _ high: Double) -> Double {
    low + (high - low) * Double(next() >> 11) * 0x1p-53
  }

  /// Whether something of the given probability happens.
  mutating func happens(_ probability: Double) -> Bool { uniform(0, 1) < probability }
}
