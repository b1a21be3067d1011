import Foundation
import TestKit
import Testing

/// A key folder made by the program itself.
struct KeyPlace {
  let path: String

  /// Makes the folder, with the keys of more workers if wanted.
  init(_ name: String, workers: [String] = [], in folder: TemporaryFolder) async throws {
    path = folder(name)
    for options in [[]] + workers.map({ ["--worker", $0] }) {
      let made = try await CommandRun.run(["keys", "new", path] + options, in: folder)
      guard made.exitCode == 0 else { throw TestKitError("keys new: \(made)") }
    }
  }

  var options: [String] { ["--keys", path] }

  /// A file of the folder.
  func file(_ name: String) -> String { "\(path)/\(name)" }

  /// The 40 characters of a key.
  func key(_ name: String) throws -> String {
    String(try String(contentsOfFile: file(name), encoding: .utf8).prefix(40))
  }

  /// Replaces a key by the one in another folder.
  func replace(_ name: String, from other: KeyPlace) throws {
    try FileManager.default.removeItem(atPath: file(name))
    try FileManager.default.copyItem(atPath: other.file(name), toPath: file(name))
  }

  /// The folder of a worker elsewhere: this one's public key, and the given folder's secret key.
  func dealerKeys(as worker: String = "worker") throws -> HostileDealer.Keys {
    HostileDealer.Keys(
      public: try key("\(worker).public"), secret: try key("\(worker).secret"),
      server: try key("coordinator.public"))
  }
}
