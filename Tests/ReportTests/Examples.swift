import Foundation
import FoundationXML
import Inference
import Mixtures
import NumericsKit
import Posteriors
import Reporting

import Report

/// Fits to be reported, made by hand.
enum Examples {
  /// A fit of some dimensions and components, in a metric; means on a lattice, variances from 0.5 to 1.
  static func mixture(
    dimension d: Int, components n: Int, metric kind: Metric.Kind = .unit, names: [String]? = nil
  ) -> FittedMixture {
    let metric = Metric(kind, scales: (0..<d).map { 1 + 0.1 * Double($0 % 7) })
    let means = (0..<n * d).map { Double(($0 * 7919) % 13) - 6 }
    return FittedMixture(
      IsotropicMixture(
        componentCount: n, dimension: d, means: means,
        variances: (0..<n).map { 1 - 0.5 * Double($0) / Double(n) }), metric: metric,
      family: "gaussian_mixture",
      names: names ?? (0..<d).map { "x[\($0 + 1)]" }, iteration: 100, specification: "", design: nil)
  }

  /// A fit with full covariances.
  static func full(dimension d: Int, components n: Int) -> FittedMixture {
    var factors: [Double] = []
    for i in 0..<n {
      for row in 0..<d {
        for column in 0..<d {
          factors.append(column > row ? 0 : column == row ? 1 + 0.2 * Double(i) : 0.3)
        }
      }
    }
    return FittedMixture(
      IsotropicMixture(
        componentCount: n, dimension: d, means: (0..<n * d).map { Double($0 % 5) },
        variances: [Double](repeating: 1, count: n)), factors: factors,
      metric: Metric(.unit, dimension: d), family: "gaussian", names: (0..<d).map { "x[\($0 + 1)]" },
      iteration: 1, specification: "", design: nil)
  }

  static let trace = """
    iteration,seconds,elbo,elbo_se,kl,gradient_norm,step_size,variance_min,variance_max,workers
    0,0.1,-100,1,99,,,1,1,1
    50,0.2,-3,0.1,2,4,0.1,0.5,1,2
    100,0.3,-1.5,0.05,0.5,1,0.1,0.5,1,2

    """

  /// A judgement of equal weights but for a tail.
  static func diagnostics(components: Int) -> Diagnostics {
    let draws = 400 * components
    let integrands = (0..<draws).map { -Double(($0 * 7919) % 1009) / 1009 }
    return Diagnostics(Judgement(integrands: integrands, components: components))
  }

  static func summary() throws -> ReportedSummary {
    try JSONStyle.decoder().decode(
      ReportedSummary.self,
      from: Data(
        """
        {"converged": true, "stopped_by": "converged: nothing is gained", "iterations": 100, "elbo": -1.5,
         "elbo_se": 0.05, "kl": 0.5, "khat": 0.31, "importance_weighted_elbo": -1.2, "verdict": "fine",
         "seconds": 0.3, "workers": 2, "lost_workers": 1, "redispatched_tiles": 3, "bytes_sent": 1,
         "bytes_received": 2, "state_sha256": "abc", "warnings": ["a <b> & 'c'"], "version": "0.0"}
        """.utf8))
  }

  static func content(_ mixture: FittedMixture, target: (any LogDensity)? = nil) throws -> ReportContent {
    ReportContent(
      mixture: mixture, summary: try summary(), diagnostics: diagnostics(components: mixture.components),
      workers: workers, trace: trace, specification: "model:\n  family: gaussian\n", target: target)
  }

  static let workers = WorkerActivity(
    secondsBefore: 0, seconds: 2, binSeconds: 0.5,
    workers: [
      .init(
        name: "here/1", threads: 1, busy: [0.2, 0.9, 1], stays: [.init(from: 0, until: nil, isLost: false)]),
      .init(name: "there/<2>", threads: 4, busy: [1], stays: [.init(from: 0, until: 0.7, isLost: true)]),
    ], leftOut: 0)
}

/// A report parsed as XML: what a strict reader sees.
final class ParsedReport: NSObject, XMLParserDelegate {
  private(set) var counts: [String: Int] = [:]
  private(set) var ids: [String] = []
  private(set) var text = ""
  private(set) var attributes: [String] = []
  private(set) var problem: String?

  init(_ html: String) {
    super.init()
    // The document type is HTML's own, and says nothing to XML.
    let body = html.replacingOccurrences(of: "<!DOCTYPE html>\n", with: "")
    let parser = XMLParser(data: Data(body.utf8))
    parser.delegate = self
    if !parser.parse() {
      problem =
        "line \(parser.lineNumber), column \(parser.columnNumber): \(String(describing: parser.parserError))"
    }
  }

  func parser(
    _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
    attributes values: [String: String]
  ) {
    counts[name, default: 0] += 1
    if let id = values["id"] { ids.append(id) }
    attributes += values.keys
    attributes += values.values
  }

  func parser(_ parser: XMLParser, foundCharacters string: String) { text += string }
}
