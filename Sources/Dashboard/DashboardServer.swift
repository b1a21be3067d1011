import FlyingFox
import FlyingSocks
import Foundation
import Synchronization

/// Serves a fit's dashboard from a process of its own: whatever comes over the network, and whatever it does to an HTTP
/// server, the fit's process has no part in it.
///
/// The coordinator writes lines to this process's standard input: a ``DashboardConfiguration``, then statuses. When they
/// end, the process tells its pages and ends.
public enum DashboardServer {
  /// Serves until the input ends.
  ///
  /// - Parameters:
  ///   - input: where lines come from.
  ///   - announce: told the port once it is open, or why it is not.
  /// - Returns: the exit code.
  public static func run(input: Int32, announce: (DashboardAnnouncement) -> Void) -> Int32 {
    prepareProcess()
    let lines = LineReader(input)
    guard let first = lines.next(limit_s: DashboardServer.configuration_s)?.line,
      let configuration = try? JSONDecoder().decode(DashboardConfiguration.self, from: Data(first))
    else {
      announce(DashboardAnnouncement(problem: "it was told nothing"))
      return failure
    }
    let hub = StatusHub()
    let handler = RequestHandler(
      hub: hub, token: configuration.token.map(AccessToken.init), address: configuration.address)
    guard let server = server(configuration, handler) else {
      announce(DashboardAnnouncement(problem: "\(configuration.address) is no address"))
      return failure
    }
    switch open(server, else: configuration.port) {
    case .success(let port):
      ConnectionWatch.limitListeners()
      announce(DashboardAnnouncement(port: port))
    case .failure(let opening):
      announce(DashboardAnnouncement(problem: opening.problem))
      return failure
    }
    ConnectionWatch(hub: hub).start()
    follow(lines, hub)
    return 0
  }

  private struct Opening: Error { let problem: String }

  /// How the opening of the port went, told from the server's tasks to the thread that waits for it.
  private final class Door: Sendable {
    private let result = Mutex<Result<UInt16, Opening>?>(nil)
    private let known = DispatchSemaphore(value: 0)

    /// - Returns: false when it is known already.
    func tell(_ news: Result<UInt16, Opening>) -> Bool {
      let isNew = result.withLock { result in
        defer { result = result ?? news }
        return result == nil
      }
      if isNew { known.signal() }
      return isNew
    }

    func wait() -> Result<UInt16, Opening> {
      _ = known.wait(timeout: .now() + configuration_s)
      return result.withLock { $0 } ?? .failure(Opening(problem: "the port did not open in time"))
    }
  }

  /// Starts a server; returns its port once it is open.
  private static func open(_ server: HTTPServer, else port: UInt16) -> Result<UInt16, Opening> {
    let door = Door()
    Task.detached {
      var reason = "the server ended"
      do { try await server.run() } catch { reason = describe(error) }
      // Whoever started this process starts another one when the server ends.
      if !door.tell(.failure(Opening(problem: reason))) { exit(failure) }
    }
    Task.detached {
      guard (try? await server.waitUntilListening(timeout: configuration_s)) != nil else { return }
      switch await server.listeningAddress {
      case .ip4(_, let port), .ip6(_, let port): _ = door.tell(.success(port))
      default: _ = door.tell(.success(port))
      }
    }
    return door.wait()
  }

  private static func describe(_ error: any Error) -> String {
    if case SocketError.failed(_, let number, _) = error { return String(cString: strerror(number)) }
    return error.localizedDescription
  }

  private static let configuration_s = 10.0
  private static let failure: Int32 = 70

  /// Passes statuses on until none comes any more.
  private static func follow(_ lines: LineReader, _ hub: StatusHub) {
    var last: [UInt8] = []
    while let (line, _) = lines.next(limit_s: 1) {
      if line.isEmpty { hub.beat() } else { hub.publish(line) }
      if !line.isEmpty { last = line }
    }
    let state = (try? JSONDecoder().decode(Ending.self, from: Data(last)))?.exit_code
    if state == nil { hub.coordinatorIsGone() }
    // Pages have a moment to read what was sent last.
    usleep(100_000)
    hub.end()
    let deadline = StatusHub.now + DashboardLimits.farewell_s
    while hub.streamCount > 0, StatusHub.now < deadline { usleep(20_000) }
  }

  private struct Ending: Decodable { let exit_code: Int? }

  private static func server(_ configuration: DashboardConfiguration, _ handler: RequestHandler)
    -> HTTPServer?
  {
    if configuration.address.contains(":") {
      guard let address = try? sockaddr_in6.inet6(ip6: configuration.address, port: configuration.port) else {
        return nil
      }
      return HTTPServer(address: address, logger: .disabled, handler: handler)
    }
    guard let address = try? sockaddr_in.inet(ip4: configuration.address, port: configuration.port) else {
      return nil
    }
    return HTTPServer(address: address, logger: .disabled, handler: handler)
  }

  /// The process ends with its input and by nothing else that a terminal or a batch system sends to the whole group: the
  /// last state is shown by whoever outlives the coordinator for a moment.
  private static func prepareProcess() {
    for number in [SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGUSR1] { signal(number, SIG_IGN) }
    setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, DashboardLimits.niceness)
    var limit = rlimit()
    if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 {
      limit.rlim_cur = limit.rlim_max
      setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
  }
}
