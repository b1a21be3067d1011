/// The parts that sections are made of.
enum Blocks {
  /// A drawing with its title and the words that say what one sees and how to read it.
  static func figure(_ title: String, _ drawing: Markup, caption: String, kind: String = "") -> Markup {
    .element(
      "figure", ["class": kind],
      [.element("h3", text: title), drawing, .element("figcaption", text: caption)])
  }

  /// A section with a heading that a contents line can point at.
  static func section(_ id: String, _ title: String, _ children: [Markup]) -> Markup {
    .element(
      "section", ["id": id, "aria-labelledby": "\(id)-title"],
      [.element("h2", ["id": "\(id)-title"], text: title)] + children)
  }

  /// Figures side by side where there is room.
  static func grid(_ figures: [Markup], kind: String = "pair") -> Markup {
    figures.isEmpty ? .nothing : .element("div", ["class": kind], figures)
  }

  static func paragraph(_ text: String, _ kind: String = "prose") -> Markup {
    .element("p", ["class": kind], text: text)
  }

  /// What is not there, and why.
  static func absent(_ text: String) -> Markup { paragraph(text, "absent") }

  /// A key: a swatch and words for each entry.
  static func legend(_ entries: [(kind: String, text: String)]) -> Markup {
    .element(
      "ul", ["class": "legend"],
      entries.map { entry in
        .element(
          "li", [:],
          [
            .element(
              "svg", ["viewBox": "0 0 18 10", "width": "18", "height": "10", "aria-hidden": "true"],
              [.element("rect", ["class": entry.kind, "x": "0", "y": "1", "width": "18", "height": "8"])]),
            .text(entry.text),
          ])
      })
  }
}
