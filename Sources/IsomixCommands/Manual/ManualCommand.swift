import ArgumentParser
import Foundation
import Reporting

struct ManualCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "manual", abstract: "Write the man pages of all commands.",
    discussion: """
      EXAMPLE
        isomix manual --output ~/.local/share/man/man1
        man isomix-fit
      """)

  @Option(name: .shortAndLong, help: "Folder for the pages; made if it is not there.", completion: .directory)
  var output: String

  func run() throws {
    try reportingFailures("manual") {
      do {
        try FileManager.default.createDirectory(atPath: output, withIntermediateDirectories: true)
      } catch {
        throw ReportingError(.cannotWrite, "can't make the folder \(output)")
      }
      let pages = try CommandHelp.program().all.map(ManualPage.init)
      for page in pages { try RunFolder.write(Array(page.text.utf8), to: "\(output)/\(page.fileName)") }
      try printOut("Wrote \(pages.count) pages to \(output).")
    }
  }
}
