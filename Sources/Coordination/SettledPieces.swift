import NumericsKit

/// The first results of pieces that were computed more than once, kept until the other results have come: they must
/// be the same to the last bit.
struct SettledPieces: Sendable {
  /// The first result and who sent it.
  struct Fact: Sendable {
    let digest: Digest
    let worker: String
    /// The numerics of whoever computed it: only equal ones promise equal bits.
    let numerics: String
  }

  private var facts: [UInt64: Fact] = [:]
  private var order: [UInt64] = []

  var count: Int { facts.count }

  /// Keeps the first result of a piece; the oldest one is let go when there are too many.
  mutating func remember(_ piece: UInt64, _ fact: Fact) {
    guard facts.updateValue(fact, forKey: piece) == nil else { return }
    order.append(piece)
    if order.count > CoordinationLimits.settledPieces { facts.removeValue(forKey: order.removeFirst()) }
  }

  /// What the first result of a piece was, if it is known.
  func fact(of piece: UInt64) -> Fact? { facts[piece] }

  /// Forgets a piece that nobody has any more.
  mutating func forget(_ piece: UInt64) {
    guard facts.removeValue(forKey: piece) != nil else { return }
    order.removeAll { $0 == piece }
  }
}
