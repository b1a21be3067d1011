/// A peer as the transport numbers it; says nothing about who it is.
public struct PeerID: Hashable, Sendable, Comparable, CustomStringConvertible {
  public let number: UInt64

  public init(number: UInt64) { self.number = number }

  public static func < (left: PeerID, right: PeerID) -> Bool { left.number < right.number }

  public var description: String { "peer \(number)" }
}
