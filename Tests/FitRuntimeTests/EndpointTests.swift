import FitRuntime
import Testing

@Suite struct EndpointTests {
  @Test(arguments: ["tcp://127.0.0.1:0", "tcp://[::1]:5555", "tcp://*:*", "tcp://node7:80", "ipc:///tmp/x"])
  func endpointsAreAccepted(endpoint: String) throws { try Endpoint.check(endpoint) }

  @Test(arguments: [
    "", "5555", "tcp://", "tcp://host", "tcp://host:http", "udp://host:1", "ipc://", "tcp://:80",
  ])
  func otherWordsAreUsageErrors(endpoint: String) {
    let error = #expect(throws: RuntimeError.self) { try Endpoint.check(endpoint) }
    #expect(error?.exitCode == 64)
    #expect(error?.message.contains("tcp://HOST:PORT") == true)
  }

  @Test func onlyLoopbackAndIpcAreLocal() {
    for local in [
      "ipc:///tmp/x", "tcp://127.0.0.1:1", "tcp://127.8.8.8:1", "tcp://localhost:1", "tcp://[::1]:1",
    ] {
      #expect(Endpoint.isLocal(local))
    }
    for open in [
      "tcp://0.0.0.0:1", "tcp://*:1", "tcp://10.0.0.1:1", "tcp://[::]:1", "tcp://node127.x:1",
      "tcp://127.0.0.1.example:1",
    ] {
      #expect(!Endpoint.isLocal(open))
    }
  }

  @Test func mappedAddressesAreAdvertisedAsIPv4() {
    #expect(Endpoint.advertised("tcp://[::ffff:127.0.0.1]:4711") == "tcp://127.0.0.1:4711")
    #expect(Endpoint.advertised("tcp://[::1]:4711") == "tcp://[::1]:4711")
    #expect(Endpoint.advertised("ipc:///tmp/x") == "ipc:///tmp/x")
    #expect(!Endpoint.advertised("tcp://0.0.0.0:4711").contains("0.0.0.0"))
  }
}
