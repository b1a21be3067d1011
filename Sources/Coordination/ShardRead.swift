import NumericsKit
import Wire

/// A part of a file that a coordinator wants read for a worker.
public struct ShardRead: Hashable, Sendable {
  public let peer: PeerID
  /// SHA-256 of the file.
  public let digest: Digest
  /// Where the part begins.
  public let offset: UInt64
  /// The worker's registration: what is read for an earlier one is for nobody.
  package let session: UInt32
  /// What the worker sends back when it has read the part.
  package let ticket: UInt64

  package init(peer: PeerID, digest: Digest, offset: UInt64, session: UInt32, ticket: UInt64) {
    self.peer = peer
    self.digest = digest
    self.offset = offset
    self.session = session
    self.ticket = ticket
  }
}

/// What a part of a file turned out to be.
public enum ShardContent: Hashable, Sendable {
  /// Its bytes, and those of the whole file.
  case part([UInt8], fileBytes: UInt64)
  /// The fit has no such file, or it can't be read; in words.
  case unavailable(String)
}

/// What becomes of a file that a worker wants.
public enum ShardAction: Hashable, Sendable {
  /// Make room for a file of so many bytes; what is there of an earlier attempt is worth nothing.
  case begin(Digest, byteCount: UInt64)
  /// Write a part of the file that was begun.
  case write(Digest, offset: UInt64, bytes: [UInt8])
  /// All parts are written: compare the digest, and answer with ``WorkerEvent/shardChecked(_:isWhole:)``.
  case check(Digest)
  /// The file does not come.
  case failed(Digest, RunFailure)
}
