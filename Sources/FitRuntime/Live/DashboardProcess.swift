import CPlatform
import Coordination
import Dashboard
import Foundation
import Glibc
import Reporting

/// The process that serves a fit's dashboard. The fit writes statuses into a pipe and knows no more of it: who crashes or
/// stalls it over the network has not touched the fit. It is started again when it ends.
///
/// Used by one thread at a time: the one that starts the fit, then the publisher's.
final class DashboardProcess {
  /// The page's address, without the token.
  let url: String
  /// The page's address with its token, if it needs one.
  var fullURL: String { configuration.token.map { "\(url)?token=\($0)" } ?? url }

  private var configuration: DashboardConfiguration
  private let path: String
  private var process: pid_t?
  private var pipe: Int32 = -1
  private var delay_ms = DashboardProcess.firstDelay_ms
  private var restartAt: Instant?
  private var startedAt = Clock.now

  private static let opening_s = 15.0
  private static let firstDelay_ms = 500
  private static let lastDelay_ms = 60_000
  /// A server that has lasted so long gets a short delay again.
  private static let lasting_s = 60.0
  /// How long a write into the pipe may wait for the server to read.
  private static let writing_ms = 1_000
  private static let farewell_ms = 3_000
  private static let pipeBytes: Int32 = 1 << 20

  /// Starts the process and waits for its port to be open.
  /// - Throws: ``RuntimeError`` (64) when it can't be opened.
  init(_ address: DashboardAddress, token: String?) throws {
    path = try Identity.executablePath()
    configuration = DashboardConfiguration(address: address.address, port: address.port, token: token)
    var announced: (pid_t, Int32, UInt16)?
    do {
      announced = try DashboardProcess.start(path, configuration)
    } catch let error as RuntimeError {
      throw RuntimeError(
        "the dashboard can't be opened at \(address.host):\(address.port): \(error.message)",
        exitCode: ExitCode.usage)
    }
    if let (process, pipe, port) = announced {
      self.process = process
      self.pipe = pipe
      configuration.port = port
    }
    url = address.url(port: configuration.port)
  }

  deinit { if pipe >= 0 { close(pipe) } }

  /// Passes a status on; starts the process again when it has ended and its time has come.
  /// - Returns: a sentence when something happened to it.
  func send(_ line: [UInt8]) -> String? {
    let news = look()
    guard pipe >= 0 else { return news }
    guard write(line) else {
      if let process { kill(process, SIGKILL) }
      return news ?? look()
    }
    return news
  }

  /// Lets the process tell its pages the end and waits for it to go.
  func end() {
    restartAt = nil
    if pipe >= 0 { close(pipe) }
    pipe = -1
    guard let process else { return }
    let deadline = Clock.now.adding(milliseconds: DashboardProcess.farewell_ms)
    var status: Int32 = 0
    while waitpid(process, &status, WNOHANG) == 0 {
      if deadline < Clock.now { kill(process, SIGKILL) }
      usleep(5_000)
    }
    self.process = nil
  }

  /// Notices the process's end; starts another one when it is time.
  private func look() -> String? {
    var news: String?
    var status: Int32 = 0
    if let process, waitpid(process, &status, WNOHANG) == process {
      self.process = nil
      close(pipe)
      pipe = -1
      let signal = status & 0x7f
      let end =
        signal == 0
        ? "it exited with code \((status >> 8) & 0xff)" : "it was ended by \(Signals.name(signal))"
      news = "the dashboard's process ended (\(end)); it is started again, and the fit goes on meanwhile"
      if Clock.now.seconds(since: startedAt) > DashboardProcess.lasting_s {
        delay_ms = DashboardProcess.firstDelay_ms
      }
      restartAt = Clock.now.adding(milliseconds: delay_ms)
      delay_ms = min(2 * delay_ms, DashboardProcess.lastDelay_ms)
    }
    guard process == nil, let restartAt, restartAt <= Clock.now else { return news }
    startedAt = Clock.now
    do {
      let (process, pipe, _) = try DashboardProcess.start(path, configuration)
      (self.process, self.pipe, self.restartAt) = (process, pipe, nil)
    } catch {
      self.restartAt = Clock.now.adding(milliseconds: delay_ms)
      delay_ms = min(2 * delay_ms, DashboardProcess.lastDelay_ms)
    }
    return news
  }

  /// Writes a whole line; false when the process is gone or has not read for long.
  private func write(_ line: [UInt8]) -> Bool {
    var offset = 0
    let deadline = Clock.now.adding(milliseconds: DashboardProcess.writing_ms)
    while offset < line.count {
      let count = line.withUnsafeBytes {
        Glibc.write(pipe, $0.baseAddress.map { $0 + offset }, line.count - offset)
      }
      if count > 0 {
        offset += count
      } else if errno == EAGAIN, Clock.now < deadline {
        var poller = pollfd(fd: pipe, events: Int16(POLLOUT), revents: 0)
        poll(&poller, 1, 100)
      } else if errno != EINTR {
        return false
      }
    }
    return true
  }

  // MARK: Starting

  /// Starts a process; returns it, the pipe to it and its port.
  private static func start(_ path: String, _ configuration: DashboardConfiguration) throws -> (
    pid_t, Int32, UInt16
  ) {
    var ends: [Int32] = [-1, -1]
    guard isomix_open_wake_pipe(&ends) == 0 else { throw RuntimeError.system("a pipe for the dashboard") }
    let output: ChildOutput
    do {
      output = try ChildOutput()
    } catch {
      close(ends[0])
      close(ends[1])
      throw error
    }
    let process: pid_t
    do {
      process = try ChildProcess.start(path, [DashboardProcess.command]) {
        posix_spawn_file_actions_adddup2(&$0, ends[0], STDIN_FILENO)
        output.attach(to: &$0)
      }
      close(ends[0])
    } catch {
      close(ends[0])
      close(ends[1])
      throw error
    }
    output.started()
    _ = isomix_set_pipe_size(ends[1], pipeBytes)
    do {
      guard let first = try? JSONEncoder().encode(configuration) + [UInt8(ascii: "\n")],
        first.withUnsafeBytes({ Glibc.write(ends[1], $0.baseAddress, $0.count) }) == first.count
      else { throw RuntimeError("it can't be told anything", exitCode: ExitCode.software) }
      return (process, ends[1], try port(from: output))
    } catch {
      close(ends[1])
      kill(process, SIGKILL)
      waitpid(process, nil, 0)
      throw error
    }
  }

  /// The port that a new process announces.
  private static func port(from output: ChildOutput) throws -> UInt16 {
    let deadline = Clock.now.adding(milliseconds: Int(1000 * opening_s))
    while Clock.now < deadline {
      for line in output.lines() {
        guard let said = try? JSONDecoder().decode(DashboardAnnouncement.self, from: Data(line.utf8)) else {
          continue
        }
        if let port = said.port { return port }
        throw RuntimeError(said.problem ?? "for a reason that it did not say", exitCode: ExitCode.usage)
      }
      usleep(2_000)
    }
    throw RuntimeError("its process did not answer within \(Int(opening_s)) s", exitCode: ExitCode.software)
  }

  /// The command that serves.
  static let command = "serve-dashboard"
}
