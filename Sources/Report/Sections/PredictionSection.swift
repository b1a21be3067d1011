/// What the fit predicts of rows with known responses.
struct PredictionSection {
  let content: ReportContent
  let shape: MixtureShape

  func markup() -> Markup {
    Blocks.section("predictions", "What it predicts", parts)
  }

  private var parts: [Markup] {
    guard let target = content.target else {
      return [Blocks.absent("The target could not be made from the folder, so nothing is predicted.")]
    }
    guard target.designColumns > 0 || target.predictedResponse != nil else {
      return [Blocks.absent("This target has no data: there is nothing to predict.")]
    }
    guard content.train != nil || content.test != nil else {
      return [Blocks.absent("The data could not be opened, so nothing is predicted.")]
    }
    do {
      let found = try Predictions(shape, target: target, train: content.train, test: content.test)
      guard let predictions = found else {
        return [Blocks.absent("This family does not say what it predicts of a row.")]
      }
      let figures =
        switch predictions.kind {
        case .classes(let names): ClassifierPlots(predictions: predictions, classes: names).markup()
        case .numbers: RegressionPlots(predictions: predictions).markup()
        }
      return [Blocks.paragraph(source(predictions)), Blocks.grid(figures)]
    } catch {
      return [Blocks.absent("Nothing is predicted, because the data can't be read: \(error)")]
    }
  }

  private func source(_ predictions: Predictions) -> String {
    let rows =
      predictions.rows == predictions.totalRows
      ? "all \(NumberText.count(predictions.rows, "row", "rows"))"
      : "\(NumberText.count(predictions.rows)) of \(NumberText.count(predictions.totalRows)) rows, in evenly spread blocks,"
    let draws = "averaged over \(NumberText.count(predictions.draws)) draws of the fit."
    guard predictions.isTest else {
      return
        "There is no test data, so these figures are of the training data, \(rows) of it, which the fit has seen: they "
        + "look better than predictions of new rows would. Predictions are \(draws)"
    }
    return "Of the test data, \(rows), which the fit has not seen. Predictions are \(draws)"
  }
}
