import Foundation
import Reporting
import TestKit
import Testing

@Suite struct RunFolderTests {
  @Test func earlierFitIsMovedAsideWithAllItsFiles() throws {
    let place = try TemporaryFolder()
    try RunFolder(path: place("out")).write("1", to: "summary.json")
    try place.write("kept", to: "out/draws.csv")
    let second = try RunFolder(path: place("out"))
    #expect(second.previous == place("out.1"))
    #expect(try String(contentsOfFile: place("out.1/draws.csv"), encoding: .utf8) == "kept")
    #expect(!FileManager.default.fileExists(atPath: place("out/summary.json")))
  }

  @Test(arguments: ["spec.yaml", "plan.json", "notes.txt"])
  func folderThatNoFitMadeIsLeftAlone(name: String) throws {
    let place = try TemporaryFolder()
    try FileManager.default.createDirectory(atPath: place("project"), withIntermediateDirectories: true)
    try place.write("mine", to: "project/\(name)")
    let error = #expect(throws: ReportingError.self) { try RunFolder(path: place("project")) }
    #expect(error?.code == .cannotWrite && error?.message.contains("holds no fit") == true)
    #expect(try FileManager.default.contentsOfDirectory(atPath: place("project")) == [name])
  }

  @Test func folderThatHoldsTheSpecIsNotMovedAway() throws {
    let place = try TemporaryFolder()
    do { _ = try RunFolder(path: place("out")) }
    let spec = try place.write("model: …", to: "out/my-spec.yaml")
    let error = #expect(throws: ReportingError.self) { try RunFolder(path: place("out"), protecting: [spec]) }
    #expect(error?.message.contains("my-spec.yaml") == true)
    #expect(FileManager.default.fileExists(atPath: spec))
  }

  @Test func linkStaysAndWhatItPointsToIsMoved() throws {
    let place = try TemporaryFolder()
    try FileManager.default.createDirectory(atPath: place("disk/real"), withIntermediateDirectories: true)
    try FileManager.default.createSymbolicLink(atPath: place("link"), withDestinationPath: place("disk/real"))
    do { _ = try RunFolder(path: place("link")) }
    let second = try RunFolder(path: place("link"))
    #expect(second.previous == place("disk/real.1"))
    #expect(second.path == place("disk/real"))
    #expect(try FileManager.default.destinationOfSymbolicLink(atPath: place("link")) == place("disk/real"))
  }

  @Test func folderInUseIsRefused() throws {
    let place = try TemporaryFolder()
    let first = try RunFolder(path: place("out"))
    let error = #expect(throws: ReportingError.self) { try RunFolder(path: place("out")) }
    #expect(error?.message.contains("another fit") == true)
    withExtendedLifetime(first) {}
  }

  @Test func checkingChangesNothing() throws {
    let place = try TemporaryFolder()
    #expect(try !RunFolder.check(path: place("new"), resuming: false, protecting: []))
    #expect(!FileManager.default.fileExists(atPath: place("new")))
    #expect(throws: ReportingError.self) {
      try RunFolder.check(path: place("new"), resuming: true, protecting: [])
    }
    #expect(throws: ReportingError.self) { try RunFolder.check(path: "", resuming: false, protecting: []) }
  }
}
