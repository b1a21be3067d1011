import Coordination
import Foundation
import Glibc

/// Where a dashboard listens, as a user gives it: `HOST:PORT`, `PORT` or `HOST`.
public struct DashboardAddress: Sendable, Equatable {
  /// As given; for people.
  public let host: String
  /// The numeric address.
  public let address: String
  /// 0: any free one.
  public let port: UInt16

  /// What `--dashboard` without a value stands for.
  public static let standard = "127.0.0.1:0"

  /// Whether only programs of this machine reach it.
  public var isLoopback: Bool { address == "::1" || address.hasPrefix("127.") }

  /// - Throws: ``RuntimeError`` (64) when the text is no address, or the host has none.
  public init(_ text: String) throws {
    var host = text
    var port: UInt16? = 0
    if let number = UInt16(text) {
      (host, port) = ("127.0.0.1", number)
    } else if text.hasPrefix("["), let end = text.firstIndex(of: "]") {
      host = String(text[text.index(after: text.startIndex)..<end])
      let rest = text[text.index(after: end)...]
      if !rest.isEmpty { port = rest.hasPrefix(":") ? UInt16(rest.dropFirst()) : nil }
    } else if let colon = text.lastIndex(of: ":") {
      host = String(text[..<colon])
      port = UInt16(text[text.index(after: colon)...])
      // An IPv6 address needs brackets when a port may follow.
      if host.contains(":") { port = nil }
    }
    guard let port, !host.isEmpty else {
      throw RuntimeError(
        "--dashboard \(text): give HOST:PORT, for example 127.0.0.1:8090 or [::1]:8090",
        exitCode: ExitCode.usage)
    }
    guard let address = DashboardAddress.resolve(host) else {
      throw RuntimeError(
        "--dashboard \(text): there is no address for \(host); give one of this machine's, for example 127.0.0.1",
        exitCode: ExitCode.usage)
    }
    self.host = host
    self.address = address
    self.port = port
  }

  /// The first numeric address of a host.
  private static func resolve(_ host: String) -> String? {
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var first: UnsafeMutablePointer<addrinfo>?
    guard getaddrinfo(host, nil, &hints, &first) == 0, let first else { return nil }
    defer { freeaddrinfo(first) }
    var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
    guard
      getnameinfo(
        first.pointee.ai_addr, first.pointee.ai_addrlen, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST)
        == 0
    else { return nil }
    return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// The address of the page at a port.
  func url(port: UInt16) -> String {
    let isAny = address == "0.0.0.0" || address == "::"
    let name = isAny ? Identity.hostName : host
    return "http://\(name.contains(":") ? "[\(name)]" : name):\(port)/"
  }
}
