import FlyingFox
import Foundation
import Reporting

/// Answers requests: the page, its events, the status, metrics, health.
struct RequestHandler: HTTPHandler {
  let hub: StatusHub
  let token: AccessToken?
  /// The address that is listened at.
  let address: String

  func handleRequest(_ request: HTTPRequest) async throws -> HTTPResponse {
    guard request.method == .GET else {
      return text(.methodNotAllowed, "only GET is answered here", [HTTPHeader("Allow"): "GET"])
    }
    if request.path == "/healthz" { return health() }
    if let refusal = refusal(of: request) { return refusal }
    switch request.path {
    case "/": return page()
    case "/events": return events(request)
    case "/status.json": return status()
    case "/metrics": return metrics()
    default: return text(.notFound, "there is /, /events, /status.json, /metrics and /healthz")
    }
  }

  // MARK: Who may ask

  /// Why a request is not answered; nil when it is.
  private func refusal(of request: HTTPRequest) -> HTTPResponse? {
    if let token {
      let bearer = request.headers[.authorization].flatMap { value -> String? in
        value.lowercased().hasPrefix("bearer ") ? String(value.dropFirst(7)) : nil
      }
      guard let given = bearer ?? request.query["token"], token.matches(given) else {
        return text(
          .unauthorized,
          "this dashboard needs the token that `isomix fit` printed: open the address that it printed, or send the "
            + "header Authorization: Bearer TOKEN", [HTTPHeader("WWW-Authenticate"): "Bearer"])
      }
      return nil
    }
    // Without a token, a page of another site must not reach this one under a name of its own.
    guard let host = request.headers[.host], !isOwn(host) else { return nil }
    return text(.forbidden, "this dashboard answers at its loopback address only")
  }

  private func isOwn(_ host: String) -> Bool {
    var name = host
    if let colon = host.lastIndex(of: ":"), !host.hasSuffix("]") { name = String(host[..<colon]) }
    return ["localhost", "[::1]", address, "[\(address)]"].contains(name) || isLoopback(name)
  }

  private func isLoopback(_ name: String) -> Bool {
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4 && parts.first == "127" && parts.allSatisfy { UInt8($0) != nil }
  }

  // MARK: Answers

  private func page() -> HTTPResponse {
    var headers = RequestHandler.headers("text/html; charset=utf-8")
    headers[HTTPHeader("Content-Security-Policy")] = DashboardPage.policy
    return HTTPResponse(statusCode: .ok, headers: headers, body: DashboardPage.data)
  }

  private func events(_ request: HTTPRequest) -> HTTPResponse {
    guard let stream = hub.open(peer: RequestHandler.text(of: request.remoteAddress)) else {
      return text(
        .serviceUnavailable, "\(DashboardLimits.streams) pages are open already; close some of them",
        [HTTPHeader("Retry-After"): "10"])
    }
    var headers = RequestHandler.headers("text/event-stream")
    headers[.connection] = "keep-alive"
    return HTTPResponse(
      statusCode: .ok, headers: headers, body: HTTPBodySequence(from: EventSequence(stream: stream)))
  }

  private func status() -> HTTPResponse {
    guard let newest = hub.newest else { return text(.serviceUnavailable, "there is no status yet") }
    return HTTPResponse(
      statusCode: .ok, headers: RequestHandler.headers("application/json"), body: Data(newest.line))
  }

  private func metrics() -> HTTPResponse {
    guard let newest = hub.newest, let status = try? LiveStatusFile.decode(newest.line) else {
      return text(.serviceUnavailable, "there is no status yet")
    }
    let body = FitMetrics(status: status, age_s: newest.age_s, streams: hub.streamCount).text
    return HTTPResponse(
      statusCode: .ok, headers: RequestHandler.headers("text/plain; version=0.0.4; charset=utf-8"),
      body: Data(body.utf8))
  }

  /// Whether the coordinator shows signs of life. Asked by probes that have no token, and says nothing else.
  private func health() -> HTTPResponse {
    guard let newest = hub.newest else { return text(.serviceUnavailable, "starting") }
    guard newest.age_s <= LiveStatusLimits.stale_s else {
      return text(.serviceUnavailable, "no sign of life for \(Int(newest.age_s)) s")
    }
    return text(.ok, "ok")
  }

  private func text(_ code: HTTPStatusCode, _ sentence: String, _ extra: [HTTPHeader: String] = [:])
    -> HTTPResponse
  {
    var headers = RequestHandler.headers("text/plain; charset=utf-8")
    for (header, value) in extra { headers[header] = value }
    return HTTPResponse(statusCode: code, headers: headers, body: Data((sentence + "\n").utf8))
  }

  /// One request a connection, so that what a connection may send has a bound.
  private static func headers(_ type: String) -> HTTPHeaders {
    [
      .contentType: type, .connection: "close", HTTPHeader("Cache-Control"): "no-store",
      HTTPHeader("X-Content-Type-Options"): "nosniff", HTTPHeader("Referrer-Policy"): "no-referrer",
      HTTPHeader("X-Frame-Options"): "DENY",
    ]
  }

  /// An address as the connection watch writes it.
  static func text(of address: HTTPRequest.Address?) -> String {
    switch address {
    case .ip4(let host, let port): return "\(host):\(port)"
    case .ip6(let host, let port):
      let mapped = "::ffff:"
      return host.hasPrefix(mapped) && host.contains(".")
        ? "\(host.dropFirst(mapped.count)):\(port)" : "[\(host)]:\(port)"
    case .unix(let path): return path
    case nil: return ""
    }
  }
}
