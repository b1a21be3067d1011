import Coordination
import TestKit
import Testing
import Wire

@Suite("How much of its home a worker takes first is learned")
struct FirstShareTests {
  private static let tiles = 200

  /// What one job was like.
  private struct Course {
    /// Tiles that each worker was given first.
    var first: [Int] = []
    var duration_ms = 0
    var messages = 0
  }

  /// Jobs of equal tiles, one after the other, computed by workers that take their own time for a tile; `tile_ms` says
  /// how long, of each job and worker.
  private static func courses(of jobs: Int, tile_ms: (Int, Int) -> Int) -> [Course] {
    let shape = Examples.shape([Int](repeating: 1, count: tiles), width: 1, cost: 1e8)
    let values = TileValues(shape: shape, seed: 7)
    var coordinator = Coordinator(configuration: Examples.configuration(workersToStart: 2))
    let peers = [peer1, peer2]
    for (index, peer) in peers.enumerated() {
      coordinator.join(peer, Examples.hello(host: "node\(index)", processID: 100 + index))
    }
    var (now, courses): (Int, [Course]) = (0, [])
    for number in 0..<jobs {
      var course = Course()
      var queues = [[Work]](repeating: [], count: peers.count)
      // When a worker is done with what it has begun.
      var busyUntil = [Int?](repeating: nil, count: peers.count)
      let began = now
      func take(_ actions: [CoordinatorAction]) -> Bool {
        for (index, peer) in peers.enumerated() {
          let work = actions.work(for: peer)
          course.messages += work.count
          queues[index] += work
          if busyUntil[index] == nil, let next = queues[index].first {
            busyUntil[index] = now + next.subtrees.count * tile_ms(number, index)
          }
        }
        return actions.completed != nil
      }
      var isDone = take(coordinator.handle(.begin(Examples.job(shape)), now: .ms(now)))
      course.first = queues.map { $0.first?.subtrees.count ?? 0 }
      while !isDone, let index = peers.indices.min(by: { busyUntil[$0] ?? .max < busyUntil[$1] ?? .max }),
        let time = busyUntil[index]
      {
        let work = queues[index].removeFirst()
        let seconds = Double(work.subtrees.count * tile_ms(number, index)) / 1000
        now = time
        busyUntil[index] = nil
        isDone = take(
          coordinator.says(
            peers[index],
            .result(
              WorkResult(
                job: work.job, assignment: work.assignment, computeSeconds: seconds,
                sums: values.bytes(work.subtrees) ?? [])), at: .ms(now)))
      }
      #expect(isDone)
      course.duration_ms = now - began
      courses.append(course)
    }
    return courses
  }

  @Test("Workers of one speed take ever more, and a job ever fewer messages")
  func equalSpeeds() {
    let courses = Self.courses(of: 40) { _, _ in 10 }
    #expect(courses[0].first == [70, 70])
    #expect(courses[39].first == [87, 87])
    #expect(courses[39].messages < courses[0].messages)
    #expect(courses.allSatisfy { $0.duration_ms <= 1020 })
  }

  @Test("Where one is slower, what it takes first does not keep the other waiting")
  func unequalSpeeds() {
    // Together they need 1200 ms, in which the slower one does 80 tiles; 90 would take it 1350.
    let courses = Self.courses(of: 80) { _, worker in worker == 0 ? 10 : 15 }
    let late = courses.dropFirst(10)
    #expect(late.allSatisfy { $0.first[1] <= 72 }, "\(late.map(\.first))")
    #expect(late.reduce(0) { $0 + $1.duration_ms } <= late.count * 1230, "\(late.map(\.duration_ms))")
  }

  @Test("After a job in which one was held up, less is taken first, and slowly more again")
  func heldUp() {
    let courses = Self.courses(of: 60) { job, worker in job == 30 && worker == 1 ? 15 : 10 }
    let first = courses.map(\.first)
    #expect(first[30] == [87, 87] && first[31][0] == 83 && first[32][0] == 84, "\(first)")
    // It counts as slower, too, for some time.
    #expect(first[31][1] < 83 && first[59] == [87, 87], "\(first)")
  }
}
