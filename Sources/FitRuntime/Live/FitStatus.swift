import Coordination
import Foundation
import Reporting

/// What can be said of the fit in a folder: what it last said of itself, and whether that is still so.
public struct FitStatus: Sendable, Encodable {
  public enum Liveness: String, Sendable, Encodable {
    /// The coordinator shows signs of life.
    case alive
    /// Its process is there, or may be, and says nothing.
    case silent
    /// Its process is gone without having ended the fit.
    case gone
    /// The fit has ended.
    case ended
  }

  public let liveness: Liveness
  /// Seconds since the coordinator last said how it is; by this machine's clock.
  public let ageSeconds: Double?
  /// Whether the coordinator's process is stopped (SIGSTOP), where that can be seen.
  public let isStopped: Bool
  public let status: LiveStatus

  /// Looks at a folder.
  /// - Throws: ``RuntimeError`` (66) when there is no fit in it, ``ReportingError`` when its status can't be read.
  public init(folder: String, now: Date = Date()) throws {
    guard FileManager.default.fileExists(atPath: folder) else {
      throw RuntimeError("there is no folder \(folder)", exitCode: ExitCode.noInput)
    }
    guard let status = try LiveStatusFile.read(folder) else {
      let hasSummary = FileManager.default.fileExists(atPath: "\(folder)/summary.json")
      throw RuntimeError(
        hasSummary
          ? "the fit in \(folder) is of a version that kept no status.json: see its summary.json"
          : "there is no fit in \(folder): no status.json", exitCode: ExitCode.noInput)
    }
    self.status = status
    ageSeconds = status.age(at: now)
    let process = FitStatus.process(of: status)
    isStopped = process?.isStopped ?? false
    if status.state.isFinal {
      liveness = .ended
    } else if status.coordinator.host == Identity.hostName, FitStatus.processesAreShown, process == nil {
      liveness = .gone
    } else {
      let limit = isStopped ? FitStatus.stopped_s : LiveStatusLimits.stale_s
      liveness = (ageSeconds ?? 0) > limit ? .silent : .alive
    }
  }

  /// A process that can be seen to be stopped is waited for less.
  private static let stopped_s = 3.0

  /// The coordinator's process, if it is one of this machine.
  private static func process(of status: LiveStatus) -> ProcessLife? {
    guard status.coordinator.host == Identity.hostName,
      let life = ProcessLife.of(status.coordinator.pid), life.started == status.coordinator.started
    else { return nil }
    return life
  }

  /// Whether other users' processes are shown here: the first one is root's.
  private static var processesAreShown: Bool { ProcessLife.of(1) != nil }

  /// 0 when the fit goes on or is done; its own exit code when it ended otherwise (75: it can be resumed); 69 when nothing
  /// comes from its coordinator any more.
  public var exitCode: Int32 {
    switch liveness {
    case .alive: ExitCode.done
    case .ended: Int32(clamping: status.exitCode ?? 0)
    case .silent, .gone: ExitCode.unavailable
    }
  }
}
