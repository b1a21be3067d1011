import ArgumentParser
import FitRuntime

struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report", abstract: "Write a fit's report: one HTML file to read, print or send.",
    discussion: """
      A fit writes report.html into its folder when it ends; this writes it again, or for the first time after an \
      interrupted fit. The file needs no network and runs no script. It shows the verdict and key numbers, the fit's \
      course, importance weights, marginals, the components, calibration and ROC or residuals on the test data, what \
      the workers did, and the spec. The same folder gives the same bytes.

      EXAMPLE
        isomix report out
        isomix report out --output breast-cancer.html
      """)

  @Argument(help: "A fit's folder.", completion: .directory)
  var fit: String

  @Option(
    name: .shortAndLong, help: "File to write (default: report.html in the fit's folder).",
    completion: .file())
  var output: String?

  func run() throws {
    try reportingFailures("report") {
      try printOut(try FitReport.write(folder: fit, to: output))
    }
  }
}
