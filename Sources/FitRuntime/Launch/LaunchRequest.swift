import Coordination
import Foundation

/// What a launcher is asked for; the same options whatever launches it.
public struct LaunchRequest: Sendable {
  /// The folder of the results; with several specs, the folder of their folders.
  public var output: String
  /// The specs; none for workers that join.
  public var specifications: [String]
  /// More options of `isomix fit`.
  public var fitOptions: [String] = []
  public var nodes: NodeCount?
  /// Worker processes of a node; nil: as many as its cores have room for.
  public var workersPerNode: Int?
  public var threads = 1
  public var time: TimeLimit?
  public var partition: String?
  /// Network interface or address at which the coordinator listens; nil: all of them.
  public var interface: String?
  /// More directives, each a line of the script.
  public var extra: [String] = []
  /// Lines of shell that are run first, on every node.
  public var environmentSetup: [String] = []
  /// The program on the nodes; nil: this one.
  public var program: String?
  /// Seconds that workers wait for a coordinator that is not there.
  public var wait_s = 600
  public var jobName: String?
  /// Seconds before the time limit at which the fit is stopped.
  public var signalMargin_s = 180
  public var mostRequeues = 1000

  /// - Parameters: paths, which may be relative to the current folder.
  public init(output: String, specifications: [String]) {
    self.output = LaunchRequest.absolute(output)
    self.specifications = specifications.map(LaunchRequest.absolute)
  }

  /// Scripts run elsewhere.
  private static func absolute(_ path: String) -> String {
    URL(fileURLWithPath: path).standardizedFileURL.path
  }

  /// Beside the results, which a fit moves aside and makes anew: the script, the keys, the logs.
  public var folder: String { output + ".launch" }

  /// A folder of results for each spec.
  public func outputs() throws -> [String] {
    guard specifications.count > 1 else { return [output] }
    let names = specifications.map {
      URL(fileURLWithPath: $0).deletingPathExtension().lastPathComponent
    }
    for (index, name) in names.enumerated() where names[..<index].contains(name) {
      throw RuntimeError(
        "two specs are called '\(name)', and their results would go to the same folder: rename one",
        exitCode: ExitCode.usage)
    }
    return names.map { "\(output)/\($0)" }
  }

  func programPath() throws -> String { try program ?? Identity.executablePath() }

  /// `#SBATCH` lines may be given without their first word.
  var extraLines: [String] { extra.map { $0.hasPrefix("#") ? $0 : "#SBATCH \($0)" } }

  /// A line break in a directive would end it and begin another line of the script.
  public func checkLines() throws {
    for text in extra + [partition, jobName, interface].compactMap({ $0 })
    where text.contains(where: \.isNewline) {
      throw RuntimeError("'\(text)' has a line break in it", exitCode: ExitCode.usage)
    }
    for path in specifications + [output] where path.contains(where: \.isNewline) {
      throw RuntimeError("a path with a line break can't go into a script", exitCode: ExitCode.usage)
    }
  }

  /// Writes the script into ``folder``.
  /// - Returns: its path.
  /// - Throws: ``RuntimeError``, 73.
  public func write(_ script: String, to name: String) throws -> String {
    let path = "\(folder)/\(name)"
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      try script.write(toFile: path, atomically: true, encoding: .utf8)
    } catch {
      throw RuntimeError(
        "can't write \(path): \(error.localizedDescription)", exitCode: ExitCode.cannotCreate)
    }
    return path
  }
}

/// How many nodes, or how many at least and at most.
public struct NodeCount: Sendable, Equatable {
  public let least: Int
  public let most: Int

  private static let limit = 100_000

  /// Reads `N` or `MIN-MAX`; nil when it is neither.
  public init?(_ text: String) {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard (1...2).contains(parts.count), let least = Int(parts[0]), let most = Int(parts[parts.count - 1]),
      (1...NodeCount.limit).contains(least), (least...NodeCount.limit).contains(max(least, most)),
      least <= most
    else { return nil }
    (self.least, self.most) = (least, most)
  }

  public var description: String { least == most ? "\(least)" : "\(least)-\(most)" }
}
