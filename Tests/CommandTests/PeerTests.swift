import Foundation
import Inference
import NumericsKit
import TestKit
import Testing
import Wire

/// Bytes that no worker and no coordinator of this program sends.
struct Garbage: Sendable, CustomTestStringConvertible {
  let name: String
  /// Makes the frames for a peer that is part of the given run.
  let frames: @Sendable (_ run: RunID, _ epoch: UInt64) -> [[UInt8]]

  var testDescription: String { name }

  static func random(_ count: Int, seed: UInt64) -> [UInt8] {
    var generator = SeededGenerator(seed: seed)
    return (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
  }

  private static func header(_ kind: MessageKind, _ run: RunID, _ epoch: UInt64) -> Header {
    Header(kind: kind, run: run, epoch: epoch)
  }

  static let all: [Garbage] = [
    Garbage(name: "random frames") { _, _ in [random(64, seed: 1), random(100, seed: 2), random(9, seed: 3)]
    },
    Garbage(name: "one frame") { _, _ in [Array("hello?".utf8)] },
    Garbage(name: "an empty frame") { _, _ in [[]] },
    Garbage(name: "seven frames") { run, epoch in
      [header(.beat, run, epoch).encoded()] + (0..<6).map { random(10, seed: $0) }
    },
    Garbage(name: "a thousand frames") { _, _ in [[UInt8]](repeating: [1, 2, 3], count: 1000) },
    Garbage(name: "unknown kind") { run, epoch in
      var bytes = header(.beat, run, epoch).encoded()
      bytes[6] = 99
      return [bytes, [], []]
    },
    Garbage(name: "truncated body") { run, epoch in [header(.beat, run, epoch).encoded(), [1, 2, 3], []] },
    Garbage(name: "body that is no JSON") { run, epoch in
      [header(.ready, run, epoch).encoded(), Array("{\"setup".utf8), []]
    },
    Garbage(name: "bulk announced in exabytes") { run, epoch in
      var header = header(.result, run, epoch)
      header.bulkBytes = .max
      return [header.encoded(), [UInt8](repeating: 0, count: 8), [1]]
    },
    Garbage(name: "part 7 of 3") { run, epoch in
      var header = header(.result, run, epoch)
      header.part = 7
      header.bulkBytes = 300_000
      return [header.encoded(), [], []]
    },
    Garbage(name: "bulk where none belongs") { run, epoch in
      var header = header(.beat, run, epoch)
      header.bulkBytes = 4
      return [header.encoded(), [UInt8](repeating: 0, count: 8), [1, 2, 3, 4]]
    },
  ]
}

extension Commands {
  /// Peers that speak the transport's language and then talk nonsense.
  @Suite(.serialized) struct Peers {
    static let promptly = 30.0

    @Test(arguments: Garbage.all)
    func garbageFromARegisteredWorkerLosesItByName(_ garbage: Garbage) async throws {
      let folder = try TemporaryFolder()
      let run = try Commands.startListening(in: folder)
      let peer = try await FakeWorker(joining: folder("out"))
      let welcome = try await peer.becomeReady()
      peer.socket.send(garbage.frames(welcome.run, welcome.epoch))
      try await Peers.expectLoss(of: peer, in: run, folder)
    }

    @Test(arguments: ["a result nobody asked for", "a short result", "an assignment"])
    func wellFormedNonsenseLosesItByName(_ what: String) async throws {
      let folder = try TemporaryFolder()
      let run = try Commands.startListening(in: folder)
      let peer = try await FakeWorker(joining: folder("out"))
      let welcome = try await peer.becomeReady()
      let work = try await peer.nextWork()
      switch what {
      case "a result nobody asked for":
        peer.say(
          .result(WorkResult(job: work.job, assignment: work.assignment + 999, computeSeconds: 0, sums: [])),
          welcome)
      case "a short result":
        peer.say(
          .result(
            WorkResult(
              job: work.job, assignment: work.assignment, computeSeconds: 0,
              sums: [UInt8](repeating: 0, count: 8))), welcome)
      default: peer.say(.work(work), welcome)
      }
      try await Peers.expectLoss(of: peer, in: run, folder)
    }

    @Test func staleMessagesAreNotHeard() async throws {
      let folder = try TemporaryFolder()
      let run = try Commands.startListening(in: folder)
      let peer = try await FakeWorker(joining: folder("out"))
      let welcome = try await peer.becomeReady()
      _ = try await peer.nextWork()
      var other = welcome
      other.run = RunID(bytes: [1, 2, 3])
      peer.say(.beat(Beat(progress: 1)), other)
      other = welcome
      other.session += 1
      peer.say(.goodbye(Goodbye(exitCode: 0, message: "not mine")), other)
      peer.say(.hello(peer.hello), welcome)
      peer.say(.ready(Ready(setupDigest: "", dataDigest: "")), welcome)
      // It is still taken for what it was: beats come.
      try await peer.socket.skip(to: .beat)
      try await peer.socket.skip(to: .beat)
      #expect(!run.hasEnded)
      #expect(try !FitFolder(path: folder("out")).text("log.jsonl").contains("lost worker"))
    }

    @Test func workerThatKeepsAnOldSessionIsAskedToRegister() async throws {
      let folder = try TemporaryFolder()
      let run = try Commands.startListening(in: folder)
      let peer = try await FakeWorker(joining: folder("out"))
      let stranger = Message(
        run: RunID(bytes: [9]), epoch: 1, session: 4,
        content: .result(
          WorkResult(
            job: 1, assignment: 1, computeSeconds: 0, sums: [UInt8](repeating: 0, count: 40_000))))
      peer.socket.send(stranger)
      let (_, answer) = try await peer.socket.message()
      #expect(answer.kind == .registerAgain)
      let welcome = try await peer.becomeReady()
      #expect(welcome.session > 0 && !run.hasEnded)
    }

    @Test func workerWithOtherDataIsNamed() async throws {
      let folder = try TemporaryFolder()
      let run = try Commands.startListening(in: folder)
      let peer = try await FakeWorker(joining: folder("out"))
      let welcome = try await peer.register()
      peer.say(.ready(Ready(setupDigest: "0", dataDigest: "abcdef0123456789")), welcome)
      try await peer.socket.skip(to: .refused)
      try await Peers.expectLoss(of: peer, in: run, folder, because: "it prepared other data")
    }

    @Test func tilesThatKillOneWorkerAfterTheOtherEndTheRunWithTheirStory() async throws {
      let folder = try TemporaryFolder()
      let run = try Commands.startListening(in: folder)
      var deaths = 0
      while deaths < 12, !run.hasEnded {
        // It dies over what it is given: its connection closes, and nobody comes back under its name.
        try await Peers.joinAndDie(in: folder("out"), as: "fake-\(deaths)")
        deaths += 1
        let isNoticed = try await eventually(within: Peers.promptly) {
          run.hasEnded || run.errors.components(separatedBy: "lost worker").count > deaths
        }
        #expect(isNoticed, "\(run.errors)")
        // The last one ends the run a moment after its loss is told.
        _ = try await eventually(within: 0.5) { run.hasEnded }
      }
      let result = try await run.finish(within: Peers.promptly)
      #expect(result.exitCode == 70, "\(result)")
      #expect(result.errors.contains("3 workers were lost over tile"), "\(result)")
      #expect((3...11).contains(deaths), "\(deaths) deaths")
      let story = "worker \(FakeWorker.host)/\(FakeWorker.processID) (the connection to it is gone)"
      #expect(result.errors.components(separatedBy: story).count == 4, "\(result)")
      Commands.expectPlainWords(String(result.errors.split(separator: "\n").last ?? ""))
    }

    @Test func fitGoesOnWithTheSameBitsWhateverAWorkerSays() async throws {
      let folder = try TemporaryFolder()
      let options = setting("inference.iterations=8000", "inference.objective.every=4000")
      let alone = try await fit(Examples.mixture2D, options + ["--workers", "1"], in: folder).digest()
      let output = folder("visited")
      let run = try CommandRun(
        ["fit", Examples.mixture2D, "--output", output, "--workers", "1", "--listen", "tcp://127.0.0.1:0"]
          + ["--progress", "none"] + options, in: folder)
      for garbage in Garbage.all.prefix(5) where !run.hasEnded {
        let peer = try await FakeWorker(joining: output)
        let welcome = try await peer.becomeReady()
        peer.socket.send(garbage.frames(welcome.run, welcome.epoch))
        try await Task.sleep(for: .milliseconds(100))
      }
      let result = try await run.finish()
      #expect(result.exitCode == 0, "\(result)")
      #expect(try FitFolder(path: output).digest() == alone)
      #expect(try FitFolder(path: output).json("summary.json")["lost_workers"] as? Int ?? 0 > 0)
    }

    @Test func strangersAreIgnored() async throws {
      let folder = try TemporaryFolder()
      let options = setting("inference.iterations=6000", "inference.objective.every=3000")
      let alone = try await fit(Examples.mixture2D, options + ["--workers", "1"], in: folder).digest()
      let output = folder("visited")
      let run = try CommandRun(
        ["fit", Examples.mixture2D, "--output", output, "--workers", "1", "--listen", "tcp://127.0.0.1:0"]
          + ["--progress", "none"] + options, in: folder)
      let endpoint = try await Commands.endpoint(of: output)
      var strangers: [RawPeer] = []
      for garbage in Garbage.all {
        let stranger = try RawPeer(.dealer, connect: endpoint)
        stranger.send(garbage.frames(.none, 0))
        strangers.append(stranger)
      }
      try Commands.sendBytes("GET / HTTP/1.1\r\nHost: isomix\r\n\r\n", to: endpoint)
      let result = try await run.finish()
      #expect(result.exitCode == 0, "\(result)")
      #expect(try FitFolder(path: output).digest() == alone)
      #expect(try FitFolder(path: output).text("log.jsonl").contains("which has not registered"))
    }

    @Test func strangersThatWouldGiveOtherBitsAreRefused() async throws {
      let folder = try TemporaryFolder()
      let run = try Commands.startListening(in: folder)
      let endpoint = try await Commands.endpoint(of: folder("out"))
      let hello = try FakeWorker.hello(for: folder("out"))
      var numerics = hello
      numerics.fingerprint = "0123"
      numerics.numerics = "BLAS core Prescott"
      var build = hello
      build.build = "feedfacefeedface"
      for (hello, reason, words) in [
        (numerics, Refusal.Reason.numerics, "BLAS core Prescott"), (build, .build, "build feedfacefeedface"),
      ] {
        let peer = try RawPeer(.dealer, connect: endpoint)
        peer.send(Message(run: .none, epoch: 0, content: .hello(hello)))
        let (_, answer) = try await peer.message()
        guard case .refused(let refusal) = answer.content else {
          Issue.record("answered by \(answer.kind)")
          continue
        }
        #expect(refusal.reason == reason)
        #expect(refusal.message.contains(words), "\(refusal.message)")
      }
      let future = try RawPeer(.dealer, connect: endpoint)
      var frames = RawPeer.frames(Message(run: .none, epoch: 0, content: .hello(hello)))[0]
      frames[0][4] = 9
      future.send(frames)
      let (_, answer) = try await future.message()
      guard case .refused(let refusal) = answer.content else {
        Issue.record("answered by \(answer.kind)")
        return
      }
      #expect(refusal.reason == .version)
      // The run still waits for somebody better.
      #expect(!run.hasEnded)
    }

    @Test func workersEndWhenTheirCoordinatorTalksNonsense() async throws {
      let folder = try TemporaryFolder()
      for garbage in Garbage.all {
        let coordinator = try RawPeer(.router)
        let worker = try CommandRun(["worker", "--connect", coordinator.endpoint], in: folder)
        let (identity, hello) = try await coordinator.message()
        #expect(hello.kind == .hello)
        coordinator.send([identity ?? []] + garbage.frames(.none, 0))
        let result = try await worker.finish(within: Peers.promptly)
        #expect(result.exitCode == 69, "\(garbage.name): \(result)")
        #expect(result.errors.contains("coordinator"), "\(garbage.name): \(result)")
        Commands.expectPlainWords(result.errors)
      }
    }

    @Test func refusedWorkerSaysWhy() async throws {
      let folder = try TemporaryFolder()
      let coordinator = try RawPeer(.router)
      let worker = try CommandRun(["worker", "--connect", coordinator.endpoint], in: folder)
      let (identity, _) = try await coordinator.message()
      coordinator.send(
        Message(
          run: .none, epoch: 0,
          content: .refused(Refusal(reason: .numerics, message: "your CPU gives other bits"))), to: identity)
      let result = try await worker.finish(within: Peers.promptly)
      #expect(result.exitCode == 65, "\(result)")
      #expect(result.errors.contains("refused this worker: your CPU gives other bits"), "\(result)")
    }

    @Test(arguments: HostileSetup.all)
    func workersSurviveHostileOrders(_ order: HostileSetup) async throws {
      let folder = try TemporaryFolder()
      let coordinator = try RawPeer(.router)
      let worker = try CommandRun(["worker", "--connect", coordinator.endpoint], in: folder)
      let (identity, _) = try await coordinator.message()
      let run = RunID(bytes: [7])
      func say(_ content: Message.Content) {
        coordinator.send(Message(run: run, epoch: 1, content: content), to: identity)
      }
      say(
        .welcome(
          Welcome(beatInterval_ms: 500, silenceLimit_ms: 8000, incarnation: 1, setup: try order.setup())))
      if let work = order.work {
        let (_, ready) = try await coordinator.message()
        #expect(ready.kind == .ready)
        say(.work(work))
      }
      let result = try await worker.finish(within: Peers.promptly)
      #expect(result.exitCode > 0, "\(result)")
      #expect(result.errors.contains("isomix worker: "), "\(result)")
      Commands.expectPlainWords(result.errors)
    }

    private static func joinAndDie(in output: String, as name: String) async throws {
      let peer = try await FakeWorker(joining: output, as: name)
      _ = try await peer.becomeReady()
      _ = try await peer.nextWork()
    }

    /// The worker is named in the log and not heard any more, and the run waits for others.
    static func expectLoss(
      of peer: FakeWorker, in run: CommandRun, _ folder: TemporaryFolder, because reason: String = "",
      sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
      let name = "lost worker \(FakeWorker.host)/\(FakeWorker.processID): \(reason)"
      let isNamed = try await eventually(within: promptly) { run.errors.contains(name) }
      #expect(isNamed, "\(run.errors)", sourceLocation: sourceLocation)
      #expect(!run.hasEnded, "\(run.errors)", sourceLocation: sourceLocation)
      expectPlainWords(run.errors, sourceLocation: sourceLocation)
      run.signal(SIGTERM)
      let result = try await run.finish(within: promptly)
      #expect(result.exitCode == 75, "\(result)", sourceLocation: sourceLocation)
      try await expectNothingLeft(of: run, in: folder, sourceLocation: sourceLocation)
    }
  }

  /// A fit of the 2-D mixture that waits for remote workers.
  static func startListening(in folder: TemporaryFolder) throws -> CommandRun {
    try startEndless(
      Examples.mixture2D, ["--workers", "0", "--listen", "tcp://127.0.0.1:0"], in: folder)
  }

  /// The endpoint in a fit's rendezvous file, once it is there.
  static func endpoint(of output: String) async throws -> String {
    let path = "\(output)/rendezvous.json"
    guard try await eventually(within: 30, { FileManager.default.fileExists(atPath: path) }) else {
      throw TestKitError("no rendezvous file came")
    }
    let endpoints = try FitFolder(path: output).json("rendezvous.json")["endpoints"] as? [String]
    return try #require(endpoints?.first)
  }

  /// Sends bytes over plain TCP.
  static func sendBytes(_ text: String, to endpoint: String) throws {
    let port = try #require(UInt16(endpoint.split(separator: ":").last ?? ""))
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
    let status = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    #expect(status == 0)
    _ = send(descriptor, text, text.utf8.count, Int32(MSG_NOSIGNAL))
  }

  /// A message for people: no names of Swift types, no traces.
  static func expectPlainWords(_ errors: String, sourceLocation: SourceLocation = #_sourceLocation) {
    for word in ["Error(", "Optional(", "Swift.", "Fatal error", "NSError", "Code=", "swift:", "Domain="] {
      #expect(!errors.contains(word), "\(errors)", sourceLocation: sourceLocation)
    }
    #expect(errors.split(separator: "\n").count <= 6, "\(errors)", sourceLocation: sourceLocation)
  }
}

/// A worker made of the wire protocol alone.
struct FakeWorker {
  static let host = "elsewhere"
  static let processID = 4242

  let socket: RawPeer
  let hello: Hello

  /// Connects to a fit by its output folder.
  init(joining output: String, as name: String = "fake") async throws {
    socket = try RawPeer(.dealer, connect: try await Commands.endpoint(of: output))
    var hello = try FakeWorker.hello(for: output)
    hello.worker = name
    self.hello = hello
  }

  /// What a worker of the same build on the same machine says.
  static func hello(for output: String) throws -> Hello {
    let plan = try FitFolder(path: output).json("plan.json")
    let numerics = try #require(plan["numerics"] as? [String: Any])
    return Hello(
      worker: "fake", incarnation: 1, host: host, processID: processID, threads: 1,
      version: try #require(plan["version"] as? String), build: try #require(plan["build"] as? String),
      fingerprint: try #require(numerics["digest"] as? String), numerics: "as yours", isLocalChild: false)
  }

  /// Says hello and returns the welcome.
  func register() async throws -> Message {
    socket.send(Message(run: .none, epoch: 0, content: .hello(hello)))
    let (_, message) = try await socket.message()
    #expect(message.kind == .welcome)
    return message
  }

  /// Registers and says that the set-up is done. The target has no data.
  func becomeReady() async throws -> Message {
    let message = try await register()
    if case .welcome(let welcome) = message.content {
      let digest = Digest.of(welcome.setup).description
      say(.ready(Ready(setupDigest: digest, dataDigest: "")), message)
    }
    return message
  }

  /// Says something in the session of a welcome.
  func say(_ content: Message.Content, _ welcome: Message) {
    socket.send(
      Message(run: welcome.run, epoch: welcome.epoch, session: welcome.session, content: content))
  }

  /// The next assignment.
  func nextWork() async throws -> Work {
    while true {
      if case .work(let work) = try await socket.message().1.content { return work }
    }
  }
}

/// A set-up or an assignment that a worker must refuse rather than crash on.
struct HostileSetup: Sendable, CustomTestStringConvertible {
  let name: String
  var change: @Sendable (inout FitSetup) -> Void = { _ in }
  /// The set-up's bytes, when they are no set-up at all.
  var bytes: [UInt8]?
  var work: Work?

  var testDescription: String { name }

  func setup() throws -> [UInt8] {
    if let bytes { return bytes }
    var setup = HostileSetup.good
    change(&setup)
    return try setup.encoded()
  }

  static let good = FitSetup(
    specification: """
      model: {family: gaussian, mean: [0, 0], covariance: 1}
      mixture: {components: 4}
      inference: {step_size: 0.1, samples: 4}
      """,
    plan: Planner.plan(
      ProblemSize(
        components: 4, dimension: 2, samples: 4, objectiveDraws: 8, predictionDraws: 1, rows: 0,
        rowsPerShard: 0, testRows: 0, testRowsPerShard: 0, columns: 0)), train: nil, test: nil)

  private static func reference(_ folder: String, digest: String) -> FitSetup.DesignReference? {
    let text = "{\"folder\": \"\(folder)\", \"digest\": \"\(digest)\"}"
    return try? JSONDecoder().decode(FitSetup.DesignReference.self, from: Data(text.utf8))
  }

  private static func work(
    kind: JobKind = .gradient, rawKind: UInt8? = nil,
    subtree: Subtree = Subtree(block: 0, level: 0, index: 0),
    state: [UInt8]? = [UInt8](repeating: 1, count: 96)
  ) -> Work {
    Work(
      job: 1, assignment: 1, jobKind: rawKind ?? kind.rawValue, iteration: .max, subtrees: [subtree],
      state: state)
  }

  static let all: [HostileSetup] = [
    HostileSetup(name: "a set-up that is no JSON", bytes: Garbage.random(500, seed: 1)),
    HostileSetup(name: "an empty set-up", bytes: []),
    HostileSetup(name: "a spec that is no YAML", change: { $0.specification = "{{{" }),
    HostileSetup(name: "a plan of other dimension", change: { $0.plan.problem.dimension = 3 }),
    HostileSetup(
      name: "data that are not there",
      change: { $0.train = reference("/nowhere", digest: String(repeating: "0", count: 64)) }),
    HostileSetup(name: "a digest that is none", change: { $0.train = reference("/nowhere", digest: "x") }),
    HostileSetup(name: "a state of the wrong size", work: work(state: [1, 2, 3])),
    HostileSetup(name: "an unknown kind of job", work: work(rawKind: 200)),
    HostileSetup(name: "prediction without test data", work: work(kind: .prediction)),
    HostileSetup(
      name: "a block that is not there", work: work(subtree: Subtree(block: 77, level: 0, index: 0))),
    HostileSetup(
      name: "a leaf that is not there", work: work(subtree: Subtree(block: 0, level: 0, index: 9999))),
    HostileSetup(
      name: "a level that is not there", work: work(subtree: Subtree(block: 0, level: 63, index: 0))),
    HostileSetup(
      name: "the largest subtree", work: work(subtree: Subtree(block: .max, level: .max, index: .max))),
    HostileSetup(
      name: "a plan of blocks without components", change: { $0.plan.gradient.componentsPerBlock = 0 }),
    HostileSetup(
      name: "a plan of negative size", change: { $0.plan.problem.components = -4 }),
    HostileSetup(
      name: "a plan for more components", change: { $0.plan.gradient.components = 400 }),
  ]
}
