import Testing

import Report

@Suite struct MarkupTests {
  @Test("Text and attributes that mean something in markup are escaped, and what XML forbids is replaced")
  func escaping() {
    let markup = Markup.element("p", ["title": "a\"b'<c>&\u{1}"], text: "</p><script>&\u{0}")
    #expect(
      markup.html
        == "<p title=\"a&quot;b&#39;&lt;c&gt;&amp;\u{FFFD}\">&lt;/p&gt;&lt;script&gt;&amp;\u{FFFD}</p>")
  }

  @Test(
    "Numbers are written as people read them",
    arguments: [
      (0.0, "0"), (1.0, "1.000"), (-28.2149, "−28.21"), (123456.7, "123457"), (1e9, "1.000·10⁹"),
      (3.2e-7, "3.200·10⁻⁷"), (-Double.infinity, "−∞"), (Double.nan, "—"), (0.00012344, "0.0001234"),
    ])
  func numbers(value: Double, text: String) { #expect(NumberText.short(value) == text) }

  @Test("Counts are grouped, and places of a drawing are rounded to tenths")
  func countsAndPlaces() {
    #expect(NumberText.count(1234) == "1234")
    #expect(NumberText.count(1_234_567) == "1\u{202F}234\u{202F}567")
    #expect(NumberText.place(-0.04) == "0")
    #expect(NumberText.place(-1.26) == "-1.3")
    #expect(NumberText.place(.nan) == "0")
  }

  @Test("Ticks are round, inside the scale, and told apart by their labels")
  func ticks() {
    for scale in [
      Scale(-3.2, 7.9), Scale(0, 1), Scale(-52.31, -52.28), Scale(0, 12345), Scale(1e-9, 3e-9), Scale(5, 5),
      Scale(-1e7, 1e7), Scale(0.02, 40, logarithmic: true), Scale(1e-8, 1e5, logarithmic: true),
      Scale(2, 3, logarithmic: true), Scale(.nan, 1), Scale(-.infinity, 0),
    ] {
      let ticks = scale.ticks(5)
      #expect((1...12).contains(ticks.count), "\(scale)")
      #expect(Set(ticks.map(\.label)).count == ticks.count, "\(scale): \(ticks.map(\.label))")
      let margin = scale.isLogarithmic ? 1e-3 * scale.high : 1e-6 * (scale.high - scale.low)
      #expect(ticks.allSatisfy { $0.value >= scale.low - margin && $0.value <= scale.high + margin })
    }
    #expect(
      Scale(0, 1).ticks(5).map(\.label)
        == ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"])
    #expect(Scale(0.5, 2000, logarithmic: true).ticks(5).map(\.label) == ["1", "10", "100", "1000"])
  }
}
