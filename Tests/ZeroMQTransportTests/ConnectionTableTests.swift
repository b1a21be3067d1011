import TestKit
import Testing
import ZeroMQTransport

@Suite("Which connections have to go")
struct ConnectionTableTests {
  private static let limits = ConnectionTable.Limits(
    strangers: 4, connections: 6, stranger_bytes: 1000, strangers_bytes: 2500, slack_bytes: 5000,
    settled_bytes: 100, dismissal_checks: 5)

  private func id(_ number: Int32) -> ConnectionTable.ID { ConnectionTable.ID(door: 0, descriptor: number) }

  private func table(accepting numbers: ClosedRange<Int32>) -> ConnectionTable {
    var table = ConnectionTable(limits: Self.limits)
    for number in numbers { #expect(table.accept(id(number)).isEmpty) }
    return table
  }

  /// Connections to close when each has received so many bytes.
  private func check(_ table: inout ConnectionTable, _ received: [Int32: UInt64]) -> [Int32] {
    table.check(registered: 100) { received[$0.descriptor] }.map(\.connection.descriptor)
  }

  @Test("the oldest that says nothing goes first when there are too many")
  func tooMany() {
    var table = table(accepting: 1...4)
    table.deliver(50, from: 11, over: id(1))
    #expect(table.accept(id(5)).map(\.connection) == [id(2)])
    #expect(table.accept(id(6)).map(\.connection) == [id(3)])
    #expect(table.strangerCount == 4)
    // Those that are going are not closed again, and make room once they are gone.
    table.remove(id(2))
    table.remove(id(3))
    table.remove(id(4))
    #expect(table.strangerCount == 3 && table.accept(id(7)).isEmpty)
    for number in [5, 6, 7] as [Int32] { table.deliver(50, from: UInt64(number), over: id(number)) }
    #expect(table.accept(id(8)).map(\.connection) == [id(8)])
  }

  @Test("registered peers don't count as strangers, but count")
  func registered() {
    var table = ConnectionTable(limits: Self.limits)
    for number in 1...6 as ClosedRange<Int32> {
      #expect(table.accept(id(number)).isEmpty)
      table.deliver(50, from: UInt64(number), over: id(number))
      table.set(0, for: UInt64(number))
    }
    #expect(table.strangerCount == 0 && table.openCount == 6)
    #expect(table.accept(id(7)).map(\.reason) == [.tooManyConnections])
    table.setAllowances { $0 == 3 ? nil : 0 }
    #expect(table.strangerCount == 1)
  }

  @Test("a stranger that sends too much goes, and one that is delivered stays")
  func stranger() {
    var table = table(accepting: 1...2)
    table.deliver(9000, from: 5, over: id(2))
    #expect(check(&table, [1: 1000, 2: 9900]) == [])
    #expect(check(&table, [1: 1001, 2: 10_001]) == [1, 2])
    #expect(check(&table, [1: 9999, 2: 99_999]) == [])
  }

  @Test("strangers that send too much together go, those with the most first")
  func strangers() {
    var table = table(accepting: 1...4)
    #expect(check(&table, [1: 900, 2: 700, 3: 800, 4: 100]) == [])
    #expect(check(&table, [1: 900, 2: 950, 3: 800, 4: 100]) == [2])
    #expect(check(&table, [1: 900, 3: 800, 4: 100]) == [])
  }

  @Test("a registered peer may have under way what its work allows")
  func allowance() {
    var table = table(accepting: 1...1)
    table.deliver(100, from: 5, over: id(1))
    table.set(20_000, for: 5)
    #expect(check(&table, [1: 25_100]) == [])
    table.deliver(20_000, from: 5, over: id(1))
    #expect(check(&table, [1: 45_100]) == [])
    #expect(check(&table, [1: 45_101]) == [1])
  }

  @Test("a peer that was turned away is a stranger, and its connection goes after some checks")
  func dismissed() {
    var table = table(accepting: 1...3)
    for number in [1, 2, 3] as [Int32] {
      table.deliver(50, from: UInt64(number), over: id(number))
      table.set(0, for: UInt64(number))
    }
    table.dismiss(1)
    table.dismiss(2)
    table.dismiss(77)
    #expect(table.strangerCount == 2)
    // The second one is gone before, and somebody else has its descriptor.
    table.remove(id(2))
    #expect(table.accept(id(2)).isEmpty)
    for _ in 1..<Self.limits.dismissal_checks { #expect(check(&table, [:]) == []) }
    let closings = table.check(registered: 100) { _ in nil }
    #expect(closings.map(\.connection) == [id(1)] && closings.map(\.reason) == [.dismissed])
    for _ in 0..<10 { #expect(check(&table, [:]) == []) }
    #expect(table.openCount == 2)
  }

  @Test("a smaller allowance counts at once, and none makes a stranger")
  func smaller() {
    var table = table(accepting: 1...2)
    for number in [1, 2] as [Int32] {
      table.deliver(10, from: UInt64(number), over: id(number))
      table.set(20_000, for: UInt64(number))
    }
    #expect(check(&table, [1: 10_000, 2: 1500]) == [])
    table.setAllowances { $0 == 1 ? 0 : nil }
    #expect(check(&table, [1: 10_000, 2: 1500]) == [1, 2])
  }

  @Test("a message may come before the news of its connection")
  func early() {
    var table = ConnectionTable(limits: Self.limits)
    table.deliver(50, from: 5, over: id(1))
    table.set(20_000, for: 5)
    #expect(table.isEmpty)
    #expect(table.accept(id(1)).isEmpty)
    #expect(check(&table, [1: 25_050]) == [])
    #expect(check(&table, [1: 25_051]) == [1])
    // What came long before does not count for more than a stranger may send.
    table.deliver(1 << 40, from: 6, over: id(2))
    #expect(table.accept(id(2)).isEmpty)
    #expect(check(&table, [2: 2001]) == [2])
  }

  @Test("a descriptor that is used again starts anew")
  func usedAgain() {
    var table = table(accepting: 1...1)
    table.deliver(5000, from: 5, over: id(1))
    table.set(20_000, for: 5)
    table.remove(id(1))
    #expect(table.isEmpty)
    _ = table.accept(id(1))
    table.set(20_000, for: 5)
    #expect(check(&table, [1: 1001]) == [1])
  }

  @Test("heartbeats of many days are forgotten, a message that does not end is not")
  func drift() {
    var table = table(accepting: 1...1)
    table.set(0, for: 5)
    var received: UInt64 = 0
    for _ in 0..<100_000 {
      received += 80 + 10
      table.deliver(80, from: 5, over: id(1))
      #expect(check(&table, [1: received]) == [])
    }
    // Nothing is delivered any more: from here on every byte counts.
    #expect(check(&table, [1: received + 800]) == [])
    #expect(check(&table, [1: received + 1001]) == [1])
  }

  @Test(
    "whatever peers do, what is held stays under the allowance and what was forgotten",
    arguments: 0..<20 as Range<UInt64>)
  func bound(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    var table = table(accepting: 1...1)
    let allowed: UInt64 = 3000
    // What the peer has sent, what of it makes up delivered messages, and overhead that is no message.
    var (sent, delivered, overhead) = (UInt64(0), UInt64(0), UInt64(0))
    table.deliver(10, from: 5, over: id(1))
    (sent, delivered) = (10, 10)
    table.set(Int(allowed), for: 5)
    for step in 0..<3000 {
      let bytes = UInt64.random(in: 0...200, using: &generator)
      switch Int.random(in: 0..<5, using: &generator) {
      case 0: (sent, overhead) = (sent + 10, overhead + 10)
      case 1:
        // Some of the oldest bytes turn out to be whole messages.
        let held = sent - delivered - overhead
        let whole = UInt64.random(in: 0...held, using: &generator)
        delivered += whole
        table.deliver(whole, from: 5, over: id(1))
      default: sent += bytes
      }
      let closed = !check(&table, [1: sent]).isEmpty
      let held = sent - delivered - overhead
      if closed { break }
      #expect(
        held <= allowed + Self.limits.slack_bytes + 2 * Self.limits.settled_bytes,
        "seed \(seed), step \(step)")
    }
  }

  @Test("a flood of connections leaves no trace", arguments: [UInt64(1), 2])
  func flood(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    var table = ConnectionTable(limits: Self.limits)
    var open: Set<Int32> = []
    for _ in 0..<20_000 {
      let number = Int32.random(in: 1...50, using: &generator)
      if open.remove(number) != nil {
        table.remove(id(number))
      } else {
        open.insert(number)
        for closing in table.accept(id(number)) { #expect(open.contains(closing.connection.descriptor)) }
        if Bool.random(using: &generator) { table.deliver(10, from: UInt64(number), over: id(number)) }
      }
      #expect(table.strangerCount <= 4 && table.openCount <= 6)
    }
    for number in open { table.remove(id(number)) }
    #expect(table.isEmpty && table.openCount == 0)
  }

  @Test("notes are few, and what was left out is counted")
  func notes() {
    var limiter = NoteLimiter(mostPerWindow: 2)
    #expect(limiter.admit(["a"], now_ms: 0) == ["a"])
    #expect(limiter.admit(["b", "c", "d"], now_ms: 10) == ["b"])
    #expect(limiter.admit([], now_ms: 59_999) == [])
    #expect(limiter.admit(["e"], now_ms: 60_000) == ["2 more notes about connections were left out", "e"])
    #expect(limiter.admit([], now_ms: 200_000) == [])
  }
}
