/// A plot under construction: a frame with two axes, and marks that are cut off at its edges.
struct Plot {
  var x: Scale
  var y: Scale
  let width: Double
  let height: Double
  let left: Double
  let right: Double
  let top: Double
  let bottom: Double
  private var marks: [Markup] = []
  private var notes: [Markup] = []
  private var axes: [Markup] = []

  /// - Parameters:
  ///   - left: room for the labels of the vertical axis.
  ///   - bottom: room for those of the horizontal one.
  init(
    x: Scale, y: Scale, width: Double = 460, height: Double = 280, left: Double = 52, right: Double = 14,
    top: Double = 28, bottom: Double = 40
  ) {
    self.x = x
    self.y = y
    (self.width, self.height) = (width, height)
    (self.left, self.right, self.top, self.bottom) = (left, right, top, bottom)
    self.x.from = left
    self.x.to = width - right
    self.y.from = height - bottom
    self.y.to = top
  }

  /// Draws both axes: their ticks, thin lines across for the vertical one, and what they show.
  mutating func drawAxes(x xLabel: String, y yLabel: String, xTicks: Int = 5, yTicks: Int = 4) {
    drawHorizontalAxis(xLabel, ticks: xTicks)
    for tick in y.ticks(yTicks) {
      let place = NumberText.place(y(tick.value))
      axes.append(
        .element(
          "line",
          [
            "class": "grid", "x1": NumberText.place(left), "x2": NumberText.place(width - right), "y1": place,
            "y2": place,
          ]))
      axes.append(label(tick.label, left - 6, y(tick.value) + 4, "tick end"))
    }
    axes.append(label(yLabel, 2, 13, "axis"))
  }

  /// Draws the horizontal axis alone.
  mutating func drawHorizontalAxis(_ name: String, ticks: Int = 5) {
    let base = height - bottom
    axes.append(
      .element(
        "line",
        [
          "class": "base", "x1": NumberText.place(left), "x2": NumberText.place(width - right),
          "y1": NumberText.place(base), "y2": NumberText.place(base),
        ]))
    for tick in x.ticks(ticks) {
      let place = x(tick.value)
      axes.append(
        .element(
          "line",
          [
            "class": "base", "x1": NumberText.place(place), "x2": NumberText.place(place),
            "y1": NumberText.place(base), "y2": NumberText.place(base + 4),
          ]))
      // Labels at the very edges would be cut off.
      let isLast = place > width - right - 12
      let isFirst = place < 14
      let anchor = isLast ? "tick end" : isFirst ? "tick" : "tick middle"
      let shift = isLast ? 4.0 : isFirst ? -4 : 0
      axes.append(label(tick.label, place + shift, base + 16, anchor))
    }
    if !name.isEmpty { axes.append(label(name, width - right, base + 33, "axis end")) }
  }

  /// A line through points; it breaks where a point is not finite.
  mutating func line(_ points: [(Double, Double)], _ kind: String) {
    let path = self.path(points)
    if !path.isEmpty { marks.append(.element("path", ["class": kind, "d": path])) }
  }

  /// Several separate lines in one mark.
  mutating func lines(_ many: [[(Double, Double)]], _ kind: String) {
    let path = many.map { self.path($0) }.joined()
    if !path.isEmpty { marks.append(.element("path", ["class": kind, "d": path])) }
  }

  /// An area inside several closed curves, holes left out.
  mutating func area(_ many: [[(Double, Double)]], _ kind: String) {
    let path = many.map { self.path($0) + "Z" }.joined()
    if !many.isEmpty { marks.append(.element("path", ["class": kind, "fill-rule": "evenodd", "d": path])) }
  }

  /// The area between two curves over the same horizontal places; points that are not finite are left out.
  mutating func band(_ points: [(x: Double, low: Double, high: Double)], _ kind: String) {
    let shown = points.filter { x($0.x).isFinite && y($0.low).isFinite && y($0.high).isFinite }
    guard shown.count > 1 else { return }
    let upper = path(shown.map { ($0.x, $0.high) })
    let lower = path(shown.reversed().map { ($0.x, $0.low) })
    marks.append(.element("path", ["class": kind, "d": upper + "L" + lower.dropFirst() + "Z"]))
  }

  /// A dot, with words that show when one points at it.
  mutating func dot(_ a: Double, _ b: Double, radius: Double = 2.5, _ kind: String, title: String? = nil) {
    guard x(a).isFinite, y(b).isFinite else { return }
    marks.append(
      .element(
        "circle",
        [
          "class": kind, "cx": NumberText.place(x(a)), "cy": NumberText.place(y(b)),
          "r": NumberText.place(radius),
        ], title.map { [.element("title", text: $0)] } ?? []))
  }

  /// A rectangle between values.
  mutating func box(
    _ a: Double, _ b: Double, _ c: Double, _ d: Double, _ kind: String, title: String? = nil
  ) {
    let (left, right) = (min(x(a), x(b)), max(x(a), x(b)))
    let (top, bottom) = (min(y(c), y(d)), max(y(c), y(d)))
    guard left.isFinite, right.isFinite, top.isFinite, bottom.isFinite else { return }
    marks.append(
      .element(
        "rect",
        [
          "class": kind, "x": NumberText.place(left), "y": NumberText.place(top),
          "width": NumberText.place(right - left), "height": NumberText.place(bottom - top),
        ], title.map { [.element("title", text: $0)] } ?? []))
  }

  /// Words at values, moved by some units of the drawing.
  mutating func note(
    _ text: String, at a: Double, _ b: Double, dx: Double = 0, dy: Double = 0, _ kind: String
  ) {
    guard x(a).isFinite, y(b).isFinite else { return }
    notes.append(label(text, x(a) + dx, y(b) + dy, kind))
  }

  /// Words at a place of the drawing.
  mutating func write(_ text: String, x: Double, y: Double, _ kind: String) {
    notes.append(label(text, x, y, kind))
  }

  private func label(_ text: String, _ x: Double, _ y: Double, _ kind: String) -> Markup {
    .element("text", ["class": kind, "x": NumberText.place(x), "y": NumberText.place(y)], text: text)
  }

  /// A path of points in the nested drawing's coordinates, which are those of the whole.
  private func path(_ points: [(Double, Double)]) -> String {
    var text = ""
    var isDown = false
    // Far outside of the frame nothing is seen, and renderers lose precision.
    let (lowX, highX) = (-4 * width, 5 * width)
    let (lowY, highY) = (-4 * height, 5 * height)
    for (a, b) in points {
      let (px, py) = (x(a), y(b))
      guard !px.isNaN, !py.isNaN else {
        isDown = false
        continue
      }
      text += isDown ? "L" : "M"
      text += NumberText.place(min(max(px, lowX), highX)) + " " + NumberText.place(min(max(py, lowY), highY))
      isDown = true
    }
    return text
  }

  /// The drawing. The inner one cuts marks off at the frame; it needs no ids for that.
  func drawing(title: String, description: String, kind: String = "plot") -> Markup {
    let frame = (x: left, y: top, w: width - left - right, h: height - top - bottom)
    // A little more than the frame, so that dots at its edges are whole.
    let m = 3.0
    let box = [frame.x - m, frame.y - m, frame.w + 2 * m, frame.h + 2 * m].map(NumberText.place)
    return .element(
      "svg",
      [
        "class": kind, "viewBox": "0 0 \(NumberText.place(width)) \(NumberText.place(height))", "role": "img",
        "aria-label": "\(title). \(description)",
      ],
      [
        .element("title", text: title), .joined(axes),
        .element(
          "svg",
          [
            "x": box[0], "y": box[1], "width": box[2], "height": box[3],
            "viewBox": box.joined(separator: " "),
          ], marks), .joined(notes),
      ])
  }
}
