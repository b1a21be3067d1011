import Foundation
import Mixtures
import NumericsKit
import Posteriors
import Reporting
import Testing

import Report

@Suite struct DocumentTests {
  private static let sections = ["course", "quality", "posterior", "predictions", "workers", "provenance"]

  private func parsed(_ content: ReportContent, sourceLocation: SourceLocation = #_sourceLocation) throws
    -> ParsedReport
  {
    let html = try ReportDocument(content).html()
    let report = ParsedReport(html)
    #expect(report.problem == nil, "\(report.problem ?? "")", sourceLocation: sourceLocation)
    for section in DocumentTests.sections {
      #expect(report.ids.contains(section), "\(section)", sourceLocation: sourceLocation)
    }
    #expect(Set(report.ids).count == report.ids.count, sourceLocation: sourceLocation)
    for word in ["nan", "inf", "NaN", "Optional("] {
      #expect(
        !html.contains("\"\(word)") && !html.contains(" \(word) "), "\(word)", sourceLocation: sourceLocation)
    }
    return report
  }

  @Test(
    "A report is well-formed for any dimension, number of components and metric",
    arguments: [
      (1, 1, Metric.Kind.unit), (2, 20, .unit), (30, 5, .dense), (3, 300, .diagonal), (700, 3, .diagonal),
      (350, 2, .dense), (2, 2000, .unit),
    ])
  func shapes(dimension: Int, components: Int, metric: Metric.Kind) throws {
    let mixture = Examples.mixture(dimension: dimension, components: components, metric: metric)
    let report = try parsed(Examples.content(mixture))
    #expect(report.counts["svg", default: 0] > 4)
    #expect(report.counts["tr"] == 1 + min(dimension, 500))
    #expect(report.counts["script"] == nil)
  }

  @Test("Full covariances have a map and spectra of their own")
  func full() throws {
    let report = try parsed(Examples.content(Examples.full(dimension: 4, components: 3)))
    #expect(report.text.contains("components' covariances"))
  }

  @Test("Names and warnings with markup in them come out as text")
  func escaping() throws {
    let name = "</svg><script>alert('x')</script> & \"beta\""
    let mixture = Examples.mixture(dimension: 2, components: 2, names: [name, "<b>"])
    let html = try ReportDocument(Examples.content(mixture)).html()
    #expect(!html.contains("<script") && !html.contains("<b>"))
    let report = ParsedReport(html)
    #expect(report.problem == nil)
    #expect(report.text.contains(name) && report.text.contains("a <b> & 'c'"))
    #expect(report.text.contains("there/<2>"))
  }

  @Test("Nothing in a report asks for the network, and its policy forbids what is not in the file")
  func selfContained() throws {
    let html = try ReportDocument(Examples.content(Examples.mixture(dimension: 2, components: 2))).html()
    let addresses = html.components(separatedBy: "http").count - 1
    // The namespace, and `http-equiv`.
    #expect(addresses == 2)
    #expect(html.contains("default-src 'none'") || html.contains("default-src &#39;none&#39;"))
    #expect(!html.contains(" style=") && !html.contains("url(") && !html.contains("@import"))
    #expect(!html.contains("javascript:") && !html.contains(" onload"))
  }

  @Test("What a fit did not write is said instead of shown")
  func missing() throws {
    let report = try parsed(ReportContent(mixture: Examples.mixture(dimension: 3, components: 2)))
    for words in [
      "did not judge itself", "no evaluations", "no workers.json", "no spec.yaml", "no summary.json",
    ] {
      #expect(report.text.contains(words), "\(words)")
    }
  }

  @Test("Numbers that are not finite leave gaps, and the rest is shown")
  func notFinite() throws {
    var content = try Examples.content(Examples.mixture(dimension: 2, components: 2))
    content.trace +=
      "150,0.4,nan,nan,,nan,,0.5,1,2\n200,0.5,-inf,inf,inf,1,0.1,0.5,1,2\n250,0.6,-1.4,nan,0.4,1,0.1,1,1,2\n"
    content.summary?.elbo = .nan
    content.summary?.khat = nil
    content.diagnostics?.khat = nil
    content.diagnostics?.usage = [.nan, 1]
    content.diagnostics?.weights?.quantiles[0] = -.infinity
    content.diagnostics?.weights?.tail = nil
    _ = try parsed(content)
  }

  @Test("The same content gives the same bytes")
  func deterministic() throws {
    let content = try Examples.content(Examples.mixture(dimension: 30, components: 5, metric: .dense))
    #expect(try ReportDocument(content).html() == ReportDocument(content).html())
  }

  @Test("Variables that are computed from θ are shown by draws, and copies of coordinates exactly")
  func outputs() throws {
    let shape = try MixtureShape(Examples.mixture(dimension: 2, components: 1))
    let variables = ShownVariables(shape, target: TransformedTarget())
    #expect(variables.columns.map(\.name) == ["theta[b]", "scale<1>", "broken"])
    guard case .exact(let marginal) = variables.columns[0].distribution,
      case .draws(let values) = variables.columns[1].distribution
    else {
      Issue.record("a copy is exact, and an exponential is not")
      return
    }
    #expect(marginal.means == [shape.fitted.means[0][1]])
    #expect(values.count == 2000 && values.allSatisfy { $0 > 0 })
    // e^x of a normal variable has its median at e^mean.
    let expected = VectorMath.exponential(shape.fitted.means[0][0])
    #expect(abs(variables.columns[1].quantiles[1] / expected - 1) < 0.1)
    let report = try parsed(
      Examples.content(Examples.mixture(dimension: 2, components: 1), target: TransformedTarget()))
    #expect(report.text.contains("scale<1>") && report.text.contains("computed from θ"))
  }

  @Test("Worker strips stand on their share of the time")
  func workers() throws {
    #expect(abs(WorkerTimelinePlot.busyShare(Examples.workers) - (0.5 * 3.1) / 2.7) < 1e-12)
  }

  @Test("Long traces are thinned and keep their ends")
  func thinning() {
    let rows = (0..<12_345).map { "\($0),1,-1,0.1,,,,1,1,1" }.joined(separator: "\n")
    let trace = Trace(csv: "header\n" + rows)
    #expect(trace.count == 12_345 && trace.rows.count <= Trace.mostRows + 1)
    #expect(trace.rows.first?.iteration == 0 && trace.rows.last?.iteration == 12_344)
  }
}

/// A target whose users see one coordinate as it is, the exponential of the other, and something that never exists.
private struct TransformedTarget: AnalyticDensity {
  var dimension: Int { 2 }

  func accumulateBase(
    points: UnsafePointer<Double>, count: Int, value: UnsafeMutablePointer<Double>,
    gradient: UnsafeMutablePointer<Double>?, workspace: DensityWorkspace
  ) {}

  var outputVariables: [OutputVariable] {
    [
      OutputVariable(name: "theta", axes: [.init(name: "place", labels: ["b"])]),
      OutputVariable(name: "scale<1>"),
      OutputVariable(name: "broken"),
    ]
  }

  func computeOutputs(
    points: UnsafePointer<Double>, count: Int, into output: UnsafeMutablePointer<Double>,
    workspace: DensityWorkspace
  ) throws {
    for s in 0..<count {
      output[3 * s] = points[2 * s + 1]
      output[3 * s + 1] = VectorMath.exponential(points[2 * s])
      output[3 * s + 2] = .nan
    }
  }
}
