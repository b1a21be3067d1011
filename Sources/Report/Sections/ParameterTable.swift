/// Means, standard deviations and quantiles of every variable, up to a limit.
struct ParameterTable {
  let variables: ShownVariables

  func markup() -> Markup {
    let rows = variables.columns.map { column in
      Markup.element(
        "tr", [:],
        [.element("th", ["scope": "row"], text: column.name)]
          + ([column.mean, column.standardDeviation] + column.quantiles).enumerated().map { index, value in
            .element("td", text: NumberText.short(value, digits: index == 1 ? 3 : 4))
          })
    }
    let head = ["Mean", "S.d.", "5 %", "50 %", "95 %"]
    var caption = "Means, standard deviations and quantiles"
    if variables.draws > 0 {
      caption += "; of variables computed from θ, from \(NumberText.count(variables.draws)) draws"
    }
    if variables.columns.count < variables.total {
      caption +=
        ". The first \(NumberText.count(variables.columns.count)) of \(NumberText.count(variables.total)); "
        + "isomix sample has them all"
    }
    return .element(
      "div", ["class": "scroll", "tabindex": "0", "role": "region", "aria-label": "Table of variables"],
      [
        .element(
          "table", [:],
          [
            .element("caption", text: caption + "."),
            .element(
              "thead", [:],
              [
                .element(
                  "tr", [:],
                  [.element("th", ["scope": "col"], text: "Variable")]
                    + head.map { .element("th", ["scope": "col"], text: $0) })
              ]), .element("tbody", [:], rows),
          ])
      ])
  }
}
