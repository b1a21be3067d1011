import Foundation

/// As much of an HTTP client as tests of the dashboard need, over a connection that shows what comes byte by byte.
public struct PlainHTTP: Sendable {
  /// An answer.
  public struct Answer: Sendable, CustomStringConvertible {
    public let code: Int
    /// Names in lower case.
    public let headers: [String: String]
    public let body: String

    public var description: String { "\(code)\n\(body.prefix(500))" }
  }

  public let port: Int

  /// - Parameter url: an address like `http://127.0.0.1:8090/?token=…`.
  public init(_ url: String) throws {
    guard let port = URLComponents(string: url)?.port else { throw TestKitError("\(url) has no port") }
    self.port = port
  }

  /// A connection to the server.
  public func connect() throws -> HostileTCP { try HostileTCP("tcp://127.0.0.1:\(port)") }

  /// Asks for something and reads the whole answer.
  public func get(_ path: String, headers: [String: String] = [:], method: String = "GET") throws -> Answer {
    let connection = try connect()
    var request = "\(method) \(path) HTTP/1.1\r\n"
    if headers["Host"] == nil { request += "Host: 127.0.0.1:\(port)\r\n" }
    for (name, value) in headers.sorted(by: { $0.key < $1.key }) { request += "\(name): \(value)\r\n" }
    connection.send(Array((request + "\r\n").utf8))
    let (code, fields) = try PlainHTTP.head(connection)
    let length = fields["content-length"].flatMap { Int($0) } ?? 0
    guard let body = connection.receive(length) else { throw TestKitError("the answer's body is cut off") }
    return Answer(code: code, headers: fields, body: String(decoding: body, as: UTF8.self))
  }

  /// Asks for events and reads the answer's head; what follows are chunks.
  public func events(_ query: String = "") throws -> (connection: HostileTCP, code: Int) {
    let connection = try connect()
    connection.send(Array("GET /events\(query) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\n\r\n".utf8))
    return (connection, try PlainHTTP.head(connection).code)
  }

  /// The next chunk of an answer that comes in chunks; nil when the connection has ended or nothing comes for 5 s.
  public static func chunk(_ connection: HostileTCP) -> String? {
    guard let size = line(connection).flatMap({ Int($0, radix: 16) }), size > 0,
      let bytes = connection.receive(size + 2)
    else { return nil }
    return String(decoding: bytes.dropLast(2), as: UTF8.self)
  }

  private static func head(_ connection: HostileTCP) throws -> (code: Int, fields: [String: String]) {
    guard let status = line(connection),
      let code = status.split(separator: " ").dropFirst().first.flatMap({ Int($0) })
    else { throw TestKitError("no answer came") }
    var fields: [String: String] = [:]
    while let text = line(connection), !text.isEmpty {
      let parts = text.split(separator: ":", maxSplits: 1)
      fields[parts[0].lowercased()] = parts.count > 1 ? parts[1].trimmingCharacters(in: .whitespaces) : ""
    }
    return (code, fields)
  }

  private static func line(_ connection: HostileTCP) -> String? {
    var bytes: [UInt8] = []
    while let byte = connection.receive(1)?.first {
      if byte == UInt8(ascii: "\n") {
        return String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .newlines)
      }
      bytes.append(byte)
      if bytes.count > 1 << 16 { return nil }
    }
    return nil
  }
}
