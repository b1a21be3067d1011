import Foundation

/// A Python with packages from PyPI that `cluster/python.sh` made under `.build/python`.
public struct PythonEnvironment: Sendable, CustomStringConvertible {
  public let name: String

  /// ArviZ's current version and its 0.x, each with CmdStanPy.
  public static let withArviZ = [PythonEnvironment("arviz-current"), PythonEnvironment("arviz-0")]

  /// h5py, and the command `duckdb`.
  public static let withTables = PythonEnvironment("tables")

  public init(_ name: String) { self.name = name }

  public var description: String { name }

  private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent(".build/python").path

  private var folder: String { "\(PythonEnvironment.folder)/\(name)" }

  /// The interpreter.
  public var python: String { "\(folder)/bin/python" }

  /// A command that a package brought along.
  public func command(_ name: String) -> String { "\(folder)/bin/\(name)" }

  /// Whether all was installed.
  public var isThere: Bool { FileManager.default.fileExists(atPath: "\(folder)/installed") }

  /// Why tests that need one of some can't run; nil when there is one.
  public static func unavailable(_ environments: [PythonEnvironment]) -> String? {
    environments.contains(where: \.isThere) ? nil : "no \(environments[0]): run cluster/python.sh"
  }
}
