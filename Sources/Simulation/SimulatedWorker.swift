import Coordination
import NumericsKit
import Wire

/// One worker's or relay's process of a simulated run, and after its death the next one in its place.
struct SimulatedWorker {
  enum Machine {
    case worker(Worker)
    case relay(Relay)
  }

  var machine: Machine
  /// The relay that it talks to; nil for the coordinator.
  let parent: Int?
  var processID: Int
  /// Whether the coordinator started it: its death is known at once.
  let isLocal: Bool
  let host: String
  var identity: String
  /// How many times slower than expected it computes.
  var slowness = 1.0
  var isAlive = false
  /// Whether it is to be there at all: churn takes workers away and brings them.
  var isWanted = true
  /// The number of its connection; messages over an earlier one are gone.
  var connection: UInt64 = 0
  /// The number of its process's first connection.
  var firstConnection: UInt64 = 0
  /// What the coordinator calls its connection; nil while there is none.
  var peer: UInt64?
  /// Assignments to compute, oldest first; the first one is being computed.
  var queue: [Computation] = []
  var isRelay: Bool { if case .relay = machine { true } else { false } }
  /// Whether the first of them is being computed: it may have to wait for files.
  var isComputing = false
  /// Files of the data that are on its host, and the one that comes.
  var files: Set<Digest> = []
  var arriving: (digest: Digest, bytes: [UInt8])?
  /// Whether its set-up waits for a file.
  var isUnprepared = false
  /// Counts computations begun, so that one that was forgotten does not end.
  var computation = 0
  /// The state of the job that it knows, with the job's context.
  var job: (key: JobKey, state: [UInt8])?
  /// The context that it knows, and of which coordinator.
  var context: (number: UInt64, epoch: UInt64, bytes: [UInt8])?
  var progress: UInt64 = 0
  /// Until when it is stopped, in nanoseconds.
  var stoppedUntil: UInt64 = 0
  /// Until when nothing gets from it to the coordinator, and nothing to it.
  var upBlockedUntil: UInt64 = 0
  var downBlockedUntil: UInt64 = 0
  /// When the last message of each direction arrives: none overtakes it.
  var lastUp: UInt64 = 0
  var lastDown: UInt64 = 0
}
