import TestKit
import Testing

@Suite(.serialized) struct TCPProxyTests {
  @Test func everythingGetsThroughInOrder() throws {
    let echo = try Echo()
    let proxy = try TCPProxy(to: echo.port)
    let bytes = randomBytes(3_000_000, seed: 1)
    let clients = try (0..<3).map { _ in try Client(port: proxy.port) }
    for client in clients { client.send(bytes, thenEnd: true) }
    // One more than there is: the end arrives too.
    for client in clients { #expect(client.receive(bytes.count + 1, within: 30).bytes == bytes) }
    #expect(proxy.bytesForwarded(.up) == 3 * bytes.count)
    #expect(proxy.bytesForwarded(.down) == 3 * bytes.count)
    #expect(proxy.connectionsAccepted == 3)
  }

  @Test func throttleSetsTheRate() throws {
    let echo = try Echo()
    let proxy = try TCPProxy(to: echo.port)
    proxy.throttle(bytesPerSecond: 100_000)
    let client = try Client(port: proxy.port)
    let bytes = randomBytes(150_000, seed: 2)
    client.send(bytes)
    let start = ContinuousClock.now
    let received = client.receive(bytes.count, within: 30).bytes
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    #expect(received == bytes)
    // It cannot be faster; a busy machine may make it slower.
    #expect(seconds > 1.4 && seconds < 3, "\(seconds) s for 1.5 s of bytes")
    proxy.throttle(bytesPerSecond: nil)
    client.send(bytes)
    #expect(client.receive(bytes.count, within: 1).bytes == bytes)
  }

  @Test func delayHoldsForBothWays() throws {
    let echo = try Echo()
    let proxy = try TCPProxy(to: echo.port)
    let client = try Client(port: proxy.port)
    for delay in [150, 0] {
      proxy.delay(milliseconds: delay)
      let start = ContinuousClock.now
      client.send([1, 2, 3])
      #expect(client.receive(3, within: 10).bytes == [1, 2, 3])
      let milliseconds = (ContinuousClock.now - start) / .milliseconds(1)
      #expect(milliseconds >= Double(2 * delay), "\(milliseconds) ms with \(delay) ms each way")
      #expect(milliseconds < Double(2 * delay + 300), "\(milliseconds) ms with \(delay) ms each way")
    }
    // The line is long, not narrow: much can be under way at once.
    proxy.delay(milliseconds: 200)
    let bytes = randomBytes(1_000_000, seed: 3)
    client.send(bytes)
    #expect(client.receive(bytes.count, within: 5).bytes == bytes)
  }

  @Test func cutResetsAndRefuses() throws {
    let echo = try Echo()
    let proxy = try TCPProxy(to: echo.port)
    for _ in 0..<3 {
      let client = try Client(port: proxy.port)
      client.send([1])
      #expect(client.receive(1, within: 10).bytes == [1])
      proxy.cut()
      #expect(client.receive(1, within: 10).isReset)
      #expect(throws: TestKitError.self) { try Client(port: proxy.port) }
      #expect(proxy.connectionsOpen == 0)
      proxy.heal()
    }
  }

  @Test(arguments: [[.up, .down], [.up], [.down]] as [Set<TCPProxy.Direction>])
  func partitionIsSilentAndLosesNothing(_ directions: Set<TCPProxy.Direction>) throws {
    let echo = try Echo()
    let proxy = try TCPProxy(to: echo.port)
    let client = try Client(port: proxy.port)
    client.send([1])
    #expect(client.receive(1, within: 10).bytes == [1])
    proxy.partition(directions)
    let bytes = randomBytes(2_000_000, seed: 4)
    client.send(bytes)
    let late = try Client(port: proxy.port)
    late.send([7, 8])
    let silence = client.receive(1, within: 0.3)
    #expect(silence.bytes.isEmpty && !silence.isReset)
    #expect((proxy.bytesForwarded(.up) == 1) == directions.contains(.up))
    #expect(proxy.bytesForwarded(.down) == 1)
    proxy.heal()
    #expect(client.receive(bytes.count, within: 30).bytes == bytes)
    #expect(late.receive(2, within: 10).bytes == [7, 8])
  }

  @Test func targetThatIsNotThereIsAReset() throws {
    // Held, so that nobody else listens there meanwhile.
    let held = try HeldPort()
    let proxy = try TCPProxy(to: held.port)
    let client = try Client(port: proxy.port)
    let end = client.receive(1, within: 10)
    #expect(end.bytes.isEmpty && end.isReset)
    #expect(throws: TestKitError.self) { try TCPProxy(to: "ipc:///tmp/socket") }
    withExtendedLifetime(held) {}
  }

  @Test func proxyEndsWithItsLastReference() throws {
    let echo = try Echo()
    var proxy: TCPProxy? = try TCPProxy(to: echo.port)
    let port = try #require(proxy?.port)
    let client = try Client(port: port)
    client.send([1])
    #expect(client.receive(1, within: 10).bytes == [1])
    proxy = nil
    #expect(client.receive(1, within: 10).isReset)
    #expect(throws: TestKitError.self) { try Client(port: port) }
  }
}
