import NumericsKit

/// A fit's report: one HTML file that needs nothing else, no network and no script.
///
/// The same content gives the same bytes. The policy in its head forbids whatever is not in the file, so that a browser
/// itself vouches for that.
public struct ReportDocument {
  public static let fileName = "report.html"
  private let content: ReportContent

  public init(_ content: ReportContent) { self.content = content }

  /// The file's text.
  /// - Throws: ``ReportingError`` when the mixture's metric can't be used.
  public func html() throws -> String {
    BLAS.prepare()
    let shape = try MixtureShape(content.mixture)
    let headline = Headline(content: content)
    let sections = [
      TracePlots(trace: Trace(csv: content.trace)).markup(), quality, posterior(shape),
      PredictionSection(content: content, shape: shape).markup(), workers,
      ProvenanceSection(content: content).markup(),
    ]
    let links = [
      ("course", "Course"), ("quality", "Quality"), ("posterior", "Posterior"),
      ("predictions", "Predictions"),
      ("workers", "Workers"), ("provenance", "Provenance"),
    ]
    let navigation = Markup.element(
      "nav", ["aria-label": "Contents"],
      links.map { .element("a", ["href": "#\($0.0)"], text: $0.1) })
    let body = Markup.element(
      "body", [:],
      [
        .element(
          "main", [:], [headline.markup(), navigation] + sections),
        .element(
          "footer", [:],
          [
            .element(
              "p",
              text:
                "Written by isomix \(content.provenance.version ?? content.summary?.version ?? "") from the fit's folder; "
                + "isomix report writes it again.")
          ]),
      ])
    let document = Markup.element(
      "html", ["lang": "en", "xmlns": "http://www.w3.org/1999/xhtml"], [head(headline.title), body])
    return "<!DOCTYPE html>\n" + document.html + "\n"
  }

  private func head(_ title: String) -> Markup {
    let digest = Base64.encode(Digest.of(StyleSheet.css.description).bytes)
    return .element(
      "head", [:],
      [
        .element("meta", ["charset": "utf-8"]),
        .element("meta", ["name": "viewport", "content": "width=device-width, initial-scale=1"]),
        .element(
          "meta",
          [
            "http-equiv": "Content-Security-Policy",
            "content":
              "default-src 'none'; style-src 'sha256-\(digest)'; img-src data:; base-uri 'none'; form-action 'none'",
          ]), .element("meta", ["name": "color-scheme", "content": "light dark"]),
        .element("meta", ["name": "generator", "content": "isomix"]),
        .element("link", ["rel": "icon", "href": "data:,"]), .element("title", text: title),
        .style(StyleSheet.css),
      ])
  }

  private var quality: Markup {
    guard let diagnostics = content.diagnostics else {
      return Blocks.section(
        "quality", "How good it is",
        [
          Blocks.absent(
            "The fit did not judge itself, so there are no importance weights to show: it was interrupted, its "
              + "inference.diagnosis.draws is 0, or an earlier version wrote it.")
        ])
    }
    return Blocks.section(
      "quality", "How good it is",
      [
        Blocks.grid([
          TailPlot(diagnostics: diagnostics).markup(), UsagePlot(usage: diagnostics.usage).markup(),
        ])
      ])
  }

  private func posterior(_ shape: MixtureShape) -> Markup {
    let variables = ShownVariables(shape, target: content.target)
    return Blocks.section(
      "posterior", "What it found",
      MarginalPlots(variables: variables, components: shape.count).markup() + [
        ParameterTable(variables: variables).markup(),
        Blocks.grid([ComponentMap(shape: shape).markup(), SpectrumPlot(shape: shape).markup()]),
      ])
  }

  private var workers: Markup {
    Blocks.section(
      "workers", "Who did the work",
      [
        content.workers.map { WorkerTimelinePlot(activity: $0).markup() }
          ?? Blocks.absent(
            "The folder has no workers.json: an earlier version wrote it, or the fit was not finished.")
      ])
  }
}
