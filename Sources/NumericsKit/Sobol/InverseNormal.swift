/// The inverse Φ⁻¹ of the standard normal distribution function: algorithm AS 241, PPND16 (Wichura, Applied Statistics
/// 37, 1988), relative error about 10⁻¹⁶.
///
/// Rational functions, a square root and this package's own logarithm: no libm.
public enum InverseNormal {
  /// Φ⁻¹(p); `−∞` at 0, `+∞` at 1, NaN outside.
  public static func value(at probability: Double) -> Double {
    var value = probability
    transform(&value, count: 1)
    return value
  }

  /// Replaces probabilities by their quantiles.
  public static func transform(_ values: UnsafeMutablePointer<Double>, count: Int) {
    for start in stride(from: 0, to: count, by: blockCount) {
      transformBlock(values + start, count: min(blockCount, count - start))
    }
  }

  /// Numbers whose logarithms are taken at once.
  private static let blockCount = 512
  /// Where centre and tails meet: |p − ½|.
  private static let split = 0.425
  /// Where the two parts of a tail meet: √(−ln p).
  private static let tailSplit = 5.0

  private static func transformBlock(_ values: UnsafeMutablePointer<Double>, count: Int) {
    withUnsafeTemporaryAllocation(of: Double.self, capacity: count) { tails in
      guard let logarithms = tails.baseAddress else { return }
      var tailCount = 0
      for index in 0..<count {
        let p = values[index]
        guard !(abs(p - 0.5) <= split) else { continue }
        (logarithms + tailCount).initialize(to: p < 0.5 ? p : 1 - p)
        tailCount += 1
      }
      VectorMath.takeLogarithms(logarithms, count: tailCount)
      var tail = 0
      for index in 0..<count {
        let q = values[index] - 0.5
        if abs(q) <= split {
          values[index] = q * center.value(at: split * split - q * q)
        } else {
          let magnitude = tailQuantile(logarithms[tail])
          values[index] = q < 0 ? -magnitude : magnitude
          tail += 1
        }
      }
    }
  }

  /// −Φ⁻¹(p) of a small p, from its logarithm.
  private static func tailQuantile(_ logarithm: Double) -> Double {
    if logarithm == -.infinity { return .infinity }
    let r = (-logarithm).squareRoot()
    return r <= tailSplit ? nearTail.value(at: r - 1.6) : farTail.value(at: r - tailSplit)
  }

  // Coefficients in ascending order, as published.
  private static let center = RationalFunction(
    numerator: (
      3.387_132_872_796_366_608_0, 1.331_416_678_917_843_774_5e2, 1.971_590_950_306_551_442_7e3,
      1.373_169_376_550_946_112_5e4, 4.592_195_393_154_987_145_7e4, 6.726_577_092_700_870_085_3e4,
      3.343_057_558_358_812_810_5e4, 2.509_080_928_730_122_672_7e3
    ),
    denominator: (
      4.231_333_070_160_091_125_2e1, 6.871_870_074_920_579_083_0e2, 5.394_196_021_424_751_107_7e3,
      2.121_379_430_158_659_586_7e4, 3.930_789_580_009_271_061_0e4, 2.872_908_573_572_194_267_4e4,
      5.226_495_278_852_854_561_0e3
    ))

  private static let nearTail = RationalFunction(
    numerator: (
      1.423_437_110_749_683_577_34, 4.630_337_846_156_545_295_90, 5.769_497_221_460_691_405_50,
      3.647_848_324_763_204_605_04, 1.270_458_252_452_368_382_58, 2.417_807_251_774_506_117_70e-1,
      2.272_384_498_926_918_458_33e-2, 7.745_450_142_783_414_076_40e-4
    ),
    denominator: (
      2.053_191_626_637_758_821_87, 1.676_384_830_183_803_849_40, 6.897_673_349_851_000_045_50e-1,
      1.481_039_764_274_800_745_90e-1, 1.519_866_656_361_645_719_66e-2, 5.475_938_084_995_344_946_00e-4,
      1.050_750_071_644_416_843_24e-9
    ))

  private static let farTail = RationalFunction(
    numerator: (
      6.657_904_643_501_103_777_20, 5.463_784_911_164_114_369_90, 1.784_826_539_917_291_335_80,
      2.965_605_718_285_048_912_30e-1, 2.653_218_952_657_612_309_30e-2, 1.242_660_947_388_078_438_60e-3,
      2.711_555_568_743_487_578_15e-5, 2.010_334_399_292_288_132_65e-7
    ),
    denominator: (
      5.998_322_065_558_879_376_90e-1, 1.369_298_809_227_358_053_10e-1, 1.487_536_129_085_061_485_25e-2,
      7.868_691_311_456_132_591_00e-4, 1.846_318_317_510_054_681_80e-5, 1.421_511_758_316_445_888_70e-7,
      2.044_263_103_389_939_785_64e-15
    ))
}

/// A quotient of two polynomials of degree seven; the denominator's constant term is one.
private struct RationalFunction {
  let numerator: (Double, Double, Double, Double, Double, Double, Double, Double)
  let denominator: (Double, Double, Double, Double, Double, Double, Double)

  func value(at x: Double) -> Double {
    let a = numerator
    let b = denominator
    let top = ((((((a.7 * x + a.6) * x + a.5) * x + a.4) * x + a.3) * x + a.2) * x + a.1) * x + a.0
    let bottom = ((((((b.6 * x + b.5) * x + b.4) * x + b.3) * x + b.2) * x + b.1) * x + b.0) * x + 1
    return top / bottom
  }
}
