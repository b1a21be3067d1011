/// What a dashboard's process is told before it opens its port.
public struct DashboardConfiguration: Sendable, Codable {
  /// The address to listen at: a numeric IPv4 or IPv6 address.
  public var address: String
  /// 0: any free one.
  public var port: UInt16
  /// What every request must carry; nil: nothing, for loopback addresses.
  public var token: String?

  public init(address: String, port: UInt16, token: String?) {
    self.address = address
    self.port = port
    self.token = token
  }
}

/// What a dashboard's process says when it has opened its port, or could not.
public struct DashboardAnnouncement: Sendable, Codable {
  public var port: UInt16?
  public var problem: String?
}

/// Every bound of a dashboard, in one place.
package enum DashboardLimits {
  /// Pages that are kept up to date at a time.
  package static let streams = 256
  /// Other connections at a time.
  static let connections = 64
  /// Bytes that a connection may send: a request and its headers. The HTTP library takes time with the square of a
  /// line's length, so that this, and what waits unread besides, bounds what a request costs: some tenths of a second.
  static let requestBytes: Int64 = 12 << 10
  /// Bytes that the system keeps for the server to read, of each connection.
  static let receiveBuffer: Int32 = 4 << 10
  /// How long a connection may take for its request and the answer.
  static let connection_s = 15.0
  /// How long what was sent to a connection may wait to be read.
  static let slowReader_s = 10.0
  /// How often connections are looked at.
  static let look_ms = 100
  /// Bytes that the system keeps for a connection that does not read.
  static let sendBuffer: Int32 = 256 << 10
  /// After how much silence of the coordinator open pages are sent a sign of life.
  static let beat_s = 5.0
  /// How long a dashboard waits at its end for its pages to read the last state.
  static let farewell_s = 1.5
  /// The scheduling priority that it gives up: the fit goes first, whatever is done to the server.
  static let niceness: Int32 = 19
}
