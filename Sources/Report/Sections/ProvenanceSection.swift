/// The spec, versions and digests, and how to get the same fit again.
struct ProvenanceSection {
  let content: ReportContent

  func markup() -> Markup {
    let provenance = content.provenance
    let entries: [(String, String?)] = [
      ("isomix", provenance.version ?? content.summary?.version), ("Build", provenance.build),
      ("Numerics fingerprint", provenance.numerics), ("Training data (SHA-256)", provenance.trainDigest),
      ("Test data (SHA-256)", provenance.testDigest),
      ("Fitted state (SHA-256)", content.summary?.stateSha256),
    ]
    let list = entries.compactMap { name, value in
      value.map {
        Markup.element(
          "div", [:], [.element("dt", text: name), .element("dd", [:], [.element("code", text: $0)])])
      }
    }
    return Blocks.section(
      "provenance", "Where it comes from",
      [
        Blocks.paragraph(
          "The same spec, data, version and kind of CPU give the same fit to the last bit, on any number of workers: the "
            + "fitted state's digest is the proof. From this folder:"),
        .element(
          "pre", ["class": "command", "tabindex": "0"],
          text: "isomix fit spec.yaml --output again\nisomix compare . again        # distance 0\n"
            + "grep state_sha256 summary.json again/summary.json"),
        .element("dl", ["class": "digests"], list), .element("h3", text: "Spec, every default written out"),
        content.specification.isEmpty
          ? Blocks.absent("The folder has no spec.yaml.")
          : .element(
            "pre", ["class": "spec", "tabindex": "0", "aria-label": "Spec"], text: content.specification),
      ])
  }
}
