/// Every bound on what crosses the network, in one place.
public enum WireLimits {
  /// Each physical message has exactly this many frames: header, body, bulk.
  public static let framesPerMessage = 3
  /// Bytes of one frame, at most. Larger bulk travels in several messages, so that a slow link shows progress: at
  /// 10 kB/s a part takes 13 s.
  public static let frameBytes = 1 << 17
  /// Bytes of a message's bulk over all its parts, at most.
  public static let bulkBytes = 1 << 32
  /// Assignments named in one beat, at most.
  public static let assignmentsPerBeat = 256
  /// Subtrees named in one message, at most: they fit its body.
  public static let subtrees = 10_000
  /// Bytes of a text inside a message (host names, error messages), at most.
  public static let textBytes = 8192
  /// Bytes of one file that is sent to workers in parts, at most.
  public static let shardFileBytes = 1 << 36
  /// Workers, and threads, behind one relay, at most.
  public static let crew = 1 << 20
  /// Peers that a coordinator keeps state for, at most.
  public static let peers = 16_384
}
