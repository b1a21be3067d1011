/// Metrics in Prometheus's text format 0.0.4.
package struct PrometheusText {
  package enum Kind: String { case counter, gauge }

  package private(set) var text = ""

  package init() {}

  /// Adds a metric with a sample for each set of labels; nothing when there is no sample.
  package mutating func add(
    _ name: String, _ kind: Kind, _ help: String, _ samples: [(labels: [(String, String)], value: Double?)]
  ) {
    let known = samples.compactMap { sample in sample.value.map { (sample.labels, $0) } }
    guard !known.isEmpty else { return }
    text += "# HELP \(name) \(PrometheusText.escapeHelp(help))\n# TYPE \(name) \(kind.rawValue)\n"
    for (labels, value) in known {
      let inner = labels.map { "\($0.0)=\"\(PrometheusText.escape($0.1))\"" }.joined(separator: ",")
      text += name + (inner.isEmpty ? "" : "{\(inner)}") + " \(PrometheusText.number(value))\n"
    }
  }

  /// Adds a metric without labels.
  package mutating func add(_ name: String, _ kind: Kind, _ help: String, _ value: Double?) {
    add(name, kind, help, [([], value)])
  }

  package static func number(_ value: Double) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
    return value == value.rounded() && abs(value) < 1e15 ? "\(Int(value))" : "\(value)"
  }

  static func escape(_ text: String) -> String {
    escapeHelp(text).replacing("\"", with: "\\\"")
  }

  private static func escapeHelp(_ text: String) -> String {
    text.replacing("\\", with: "\\\\").replacing("\n", with: "\\n")
  }
}
