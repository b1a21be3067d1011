/// Calibration and ROC of a classifier, one class against the rest where there are several.
package struct ClassifierPlots {
  let predictions: Predictions
  let classes: [String]

  package init(predictions: Predictions, classes: [String]) {
    (self.predictions, self.classes) = (predictions, classes)
  }

  private static let most = Colours.count

  /// One of the yes-or-no questions that are shown: a class, or for two classes the second of them.
  private struct Question {
    var name: String
    var kind: String
    var probabilities: [Double]
    var isIt: [Bool]
  }

  package func markup() -> [Markup] {
    let shown = classes.count == 2 ? [1] : Array(classes.indices.prefix(ClassifierPlots.most))
    let questions = shown.enumerated().map { place, index in
      let (probabilities, isIt) = predictions.oneAgainstRest(index, classes: classes.count)
      return Question(name: classes[index], kind: "c\(place)", probabilities: probabilities, isIt: isIt)
    }
    let rest =
      classes.count > shown.count && classes.count > 2
      ? " The first \(shown.count) of \(NumberText.count(classes.count)) classes are shown." : ""
    return [calibration(questions, rest), roc(questions, rest)]
  }

  private func legend(_ questions: [Question], _ words: (Question) -> String) -> Markup {
    Blocks.legend(questions.map { (kind: "swatch \($0.kind)", text: words($0)) })
  }

  private func calibration(_ questions: [Question], _ rest: String) -> Markup {
    var plot = Plot(x: Scale(0, 1), y: Scale(0, 1), height: 400, left: 44)
    plot.drawAxes(x: "predicted probability", y: "share that was so", xTicks: 5, yTicks: 5)
    plot.line([(0, 0), (1, 1)], "reference")
    var counts = [Int](repeating: 0, count: Reliability.binCount)
    var briers: [Double] = []
    for (place, question) in questions.enumerated() {
      let reliability = Reliability(probabilities: question.probabilities, outcomes: question.isIt)
      for bin in counts.indices { counts[bin] += reliability.counts[bin] }
      briers.append(reliability.brier)
      // Neighbouring classes' bars stand side by side.
      let shift = 0.006 * (Double(place) - Double(questions.count - 1) / 2)
      let most = Double(reliability.bins.map(\.count).max() ?? 1)
      for bin in reliability.bins {
        plot.line([(bin.said + shift, bin.low), (bin.said + shift, bin.high)], "whisker \(question.kind)")
        plot.dot(
          bin.said + shift, bin.happened, radius: 2.2 + 3.8 * (Double(bin.count) / most).squareRoot(),
          "fill \(question.kind)",
          title:
            "\(question.name): said \(NumberText.percent(bin.said)), was so in \(NumberText.percent(bin.happened)) of "
            + "\(NumberText.count(bin.count, "row", "rows"))")
      }
    }
    let most = Double(max(1, counts.max() ?? 1))
    // Below the frame: how many rows lie in each bin.
    let drawing = plot.drawing(
      title: "Calibration", description: "Predicted probabilities against observed shares in ten bins.")
    let strip = counts.map { Double($0) / most }
    return .element(
      "figure", [:],
      [
        .element("h3", text: "Calibration"), drawing, histogram(strip, counts),
        questions.count > 1
          ? legend(questions) { $0.name } : .nothing,
        .element(
          "figcaption",
          text:
            "Rows in ten bins by what the fit said (\(about(questions))), against how often it was so, with Wilson's 95 % "
            + "intervals; larger dots stand for more rows, and the bars below count them. Good: intervals cross the dotted diagonal. Dots below it at the right and above it at "
            + "the left are overconfidence. Brier score (0 is perfect, lower is better): "
            + zip(questions, briers).map {
              questions.count > 1
                ? "\($0.name) \(NumberText.short($1, digits: 3))" : NumberText.short($1, digits: 3)
            }.joined(separator: ", ") + "." + rest),
      ])
  }

  private func about(_ questions: [Question]) -> String {
    questions.count == 1 ? "the probability of \(questions[0].name)" : "each class's probability"
  }

  private func histogram(_ heights: [Double], _ counts: [Int]) -> Markup {
    var plot = Plot(
      x: Scale(0, 1), y: Scale(0, 1), height: 44, left: 44, top: 4, bottom: 4)
    for (bin, height) in heights.enumerated() where height > 0 {
      let left = Double(bin) / Double(heights.count)
      plot.box(
        left + 0.01, left + 0.09, 0, max(height, 0.04), "bar",
        title: "\(NumberText.count(counts[bin], "row", "rows")) between \(bin * 10) % and \(bin * 10 + 10) %")
    }
    return plot.drawing(
      title: "Rows in each bin", description: counts.map { NumberText.count($0) }.joined(separator: ", "),
      kind: "plot strip")
  }

  private func roc(_ questions: [Question], _ rest: String) -> Markup {
    let curves = questions.compactMap { question in
      ROCCurve(scores: question.probabilities, outcomes: question.isIt).map { (question, $0) }
    }
    guard !curves.isEmpty else {
      return Blocks.absent(
        "There is no ROC curve: the rows hold one class only.")
    }
    var plot = Plot(x: Scale(0, 1), y: Scale(0, 1), height: 400, left: 44)
    plot.drawAxes(x: "false alarms ÷ negatives", y: "found ÷ positives", yTicks: 5)
    plot.line([(0, 0), (1, 1)], "reference")
    for (question, curve) in curves { plot.line(curve.points, "line \(question.kind)") }
    let areas = curves.map { "\(NumberText.fixed($0.1.area, decimals: 3))" }
    if curves.count == 1 {
      plot.write("AUC \(areas[0])", x: plot.width - 14, y: plot.height - plot.bottom - 12, "callout end")
    }
    return .element(
      "figure", [:],
      [
        .element("h3", text: "ROC"),
        plot.drawing(
          title: "Receiver operating characteristic",
          description: "Area under the curve: \(areas.joined(separator: ", "))."),
        curves.count > 1
          ? Blocks.legend(
            zip(curves, areas).map { curve, area in
              (kind: "swatch \(curve.0.kind)", text: "\(curve.0.name): AUC \(area)")
            }) : .nothing,
        .element(
          "figcaption",
          text: (questions.count > 1
            ? "Each class against the rest: what" : "What")
            + " a threshold on the predicted probability finds against the false alarms it "
            + "raises. Good: the curve hugs the upper left corner (AUC near 1). The dotted diagonal is guessing (AUC ½). "
            + "It shows how well rows are ranked, not whether the probabilities are right." + rest),
      ])
  }
}
