import CPlatform
import Dispatch
import Foundation
import Reporting
import Synchronization

/// Writes statuses to where people look for them, from a thread of its own: the fit hands a status over and goes on at
/// once; of several that wait, only the newest is written.
final class StatusPublisher: Sendable {
  private struct State {
    var pending: LiveStatus?
    var folder: String?
    var isEnding = false
    var news: [String] = []
  }

  private let state = Mutex(State())
  private let wake = DispatchSemaphore(value: 0)
  private let ended = DispatchSemaphore(value: 0)

  private static let mostNews = 20

  /// - Parameter dashboard: the process to send statuses to; nobody else uses it from here on.
  init(dashboard: DashboardProcess?) {
    let handed = Handed(dashboard: dashboard)
    let thread = Thread { [self] in
      isomix_name_thread("status")
      work(handed.dashboard)
      ended.signal()
    }
    thread.start()
  }

  /// Sendable: the dashboard is handed over to the publisher's thread, and only that uses it.
  private struct Handed: @unchecked Sendable { let dashboard: DashboardProcess? }

  /// From here on statuses are written to a folder, too.
  func use(folder: String) { state.withLock { $0.folder = folder } }

  /// Hands a status over.
  func offer(_ status: LiveStatus) {
    state.withLock { $0.pending = status }
    wake.signal()
  }

  /// Hands the last status over and waits until it is written and the dashboard has told its pages.
  func end(with status: LiveStatus) {
    state.withLock {
      $0.pending = status
      $0.isEnding = true
    }
    wake.signal()
    ended.wait()
  }

  /// What happened to the dashboard since the last call, in sentences.
  func takeNews() -> [String] {
    state.withLock { state in
      defer { state.news = [] }
      return state.news
    }
  }

  private func work(_ dashboard: DashboardProcess?) {
    while true {
      // Now and then also without news, to look after the dashboard's process.
      _ = wake.wait(timeout: .now() + .seconds(2))
      let (status, folder, isEnding) = state.withLock { state in
        defer { state.pending = nil }
        return (state.pending, state.folder, state.isEnding)
      }
      if let status, let line = try? LiveStatusFile.encode(status) {
        if let folder { LiveStatusFile.write(line, in: folder) }
        tell(dashboard?.send(line))
      }
      guard isEnding else { continue }
      dashboard?.end()
      return
    }
  }

  private func tell(_ sentence: String?) {
    guard let sentence else { return }
    state.withLock { if $0.news.count < StatusPublisher.mostNews { $0.news.append(sentence) } }
  }
}
