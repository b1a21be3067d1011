import Specification
import Testing

@Suite("inference.minibatch")
struct MinibatchTests {
  private func read(
    _ minibatch: String, model: String = "logistic, response: y", data: String = "data: {train: a.csv}"
  )
    throws -> FitSpecification
  {
    try FitSpecification(
      yaml: """
        model: {family: \(model)}
        \(data)
        mixture: {components: 3}
        inference:
          minibatch: \(minibatch)
        """, source: "fit.yaml", folder: "/x")
  }

  @Test(
    "is a number of rows or a mapping, and survives being written out",
    arguments: [
      ("1000", MinibatchSpecification(rows: 1000)), ("{rows: 7}", MinibatchSpecification(rows: 7)),
      ("{rows: 7, control_variate: true}", MinibatchSpecification(rows: 7, hasControlVariate: true)),
      (
        "{rows: 7, control_variate: true, refresh: 30}",
        MinibatchSpecification(rows: 7, hasControlVariate: true, refreshInterval: 30)
      ),
    ])
  func forms(text: String, expected: MinibatchSpecification) throws {
    let specification = try read(text)
    #expect(specification.inference.minibatch == expected)
    let again = try FitSpecification(yaml: specification.resolvedYAML, source: "spec.yaml", folder: "/")
    #expect(again == specification)
    #expect(try read("~").inference.minibatch == nil && !read("~").resolvedYAML.contains("minibatch"))
  }

  @Test(
    "is refused at its line where it makes no sense",
    arguments: [
      ("0", "fit.yaml:5:14: inference.minibatch must be at least 1"),
      ("few", "fit.yaml:5:14: inference.minibatch must be a whole number"),
      ("{control_variate: true}", "'inference.minibatch.rows' is missing"),
      (
        "{rows: 10, control_variat: true}",
        "unknown key 'control_variat' in inference.minibatch; did you mean"
      ),
      ("{rows: 10, refresh: 5}", "fit.yaml:5:34: inference.minibatch.refresh is how often"),
      ("{rows: 10, control_variate: true, refresh: 0}", "must be at least 1"),
      ("10\n  algorithm: bw", "fit.yaml:5:14: inference.minibatch is not for algorithm bw"),
    ])
  func refusals(text: String, message: String) {
    do {
      _ = try read(text)
      Issue.record("\(text) was taken")
    } catch {
      #expect("\(error)".contains(message), "\(error)")
    }
  }

  @Test("is refused for a family without rows")
  func noRows() {
    do {
      _ = try read("100", model: "funnel", data: "")
      Issue.record("a minibatch of a funnel was taken")
    } catch {
      #expect("\(error)".contains("fit.yaml:5:14: inference.minibatch draws rows of a data set"), "\(error)")
    }
  }
}
