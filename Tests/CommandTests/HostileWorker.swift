import Foundation
import NumericsKit
import TestKit
import Wire

/// Somebody who registers as a worker of a plain fit over a connection whose bytes it makes itself, so that it can do
/// what libzmq never would: begin messages and not end them, or leave what it is sent unread.
///
/// For the thread of an attack: nothing here waits longer than a few seconds.
final class HostileWorker {
  let connection: HostileZMTP
  private(set) var hello: Hello
  private var run = RunID.none
  private var epoch: UInt64 = 0
  private var session: UInt32 = 0
  private var progress: UInt64 = 0

  init(_ endpoint: String, hello: Hello, name: String = "hostile") throws {
    connection = try HostileZMTP(endpoint)
    self.hello = hello
    self.hello.worker = name
  }

  /// Says hello, and nothing else.
  func sayHello() -> Bool { say(.hello(hello)) }

  /// Says hello once more, as a worker that starts anew.
  func sayHelloAgain() -> Bool {
    hello.incarnation += 1
    return sayHello()
  }

  /// Registers; with `isReady`, says that the set-up is done too, and so is given work.
  func register(isReady: Bool) throws {
    guard sayHello() else { throw TestKitError("the hello was not taken") }
    guard let (message, setup) = try receive(), message.kind == .welcome else {
      throw TestKitError("no welcome came")
    }
    (run, epoch, session) = (message.run, message.epoch, message.session)
    guard isReady else { return }
    // The targets that are used with it have no data.
    guard say(.ready(Ready(setupDigest: Digest.of(setup).description, dataDigest: ""))) else {
      throw TestKitError("the ready was not taken")
    }
  }

  /// Receives a message, with its bulk from as many parts as it takes.
  func receive() throws -> (Header, bulk: [UInt8])? {
    var bulk: [UInt8] = []
    while let frames = connection.receive() {
      guard frames.count == WireLimits.framesPerMessage else {
        throw TestKitError("\(frames.count) frames came")
      }
      let header = try frames[0].withUnsafeBytes { try Header(decoding: $0) }
      bulk += frames[2]
      if Int(header.part) + 1 == header.partCount { return (header, bulk) }
    }
    return nil
  }

  /// Receives until there is work.
  func receiveWork() throws -> Header {
    while let (header, _) = try receive() { if header.kind == .work { return header } }
    throw TestKitError("no work came")
  }

  /// Says something in its session; false when the connection has ended.
  @discardableResult func say(_ content: Message.Content) -> Bool {
    let message = Message(run: run, epoch: epoch, session: session, content: content)
    return RawPeer.frames(message).allSatisfy { connection.send($0) }
  }

  /// A beat of somebody who gets on.
  @discardableResult func beat(holding assignments: [UInt64] = []) -> Bool {
    progress += 1
    return say(.beat(Beat(progress: progress, isReady: true, heardUpTo: .max, assignments: assignments)))
  }

  /// Sends a part of a result's bulk whose header announces what it likes.
  @discardableResult func sendPart(
    of work: Header, part: UInt32, bulkBytes: UInt64, frameBytes: Int, body: [UInt8]
  ) -> Bool {
    var header = Header(kind: .result, run: run, epoch: epoch, session: session)
    (header.job, header.assignment) = (work.job, work.assignment)
    (header.part, header.bulkBytes) = (part, bulkBytes)
    return connection.send([header.encoded(), body, [UInt8](repeating: 0, count: frameBytes)])
  }
}
