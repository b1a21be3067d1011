/// Events in the order of their time, and of their arrival where times are equal: a binary heap.
struct EventQueue<Event> {
  private var heap: [(time: UInt64, sequence: UInt64, event: Event)] = []
  private var nextSequence: UInt64 = 0

  var count: Int { heap.count }

  /// Adds an event at a time in nanoseconds.
  mutating func add(_ event: Event, at time: UInt64) {
    heap.append((time, nextSequence, event))
    nextSequence += 1
    var place = heap.count - 1
    while place > 0 {
      let parent = (place - 1) / 2
      guard isEarlier(place, parent) else { break }
      heap.swapAt(place, parent)
      place = parent
    }
  }

  /// Takes the earliest event out.
  mutating func next() -> (time: UInt64, event: Event)? {
    guard let first = heap.first else { return nil }
    heap[0] = heap[heap.count - 1]
    heap.removeLast()
    var place = 0
    while true {
      var least = place
      for child in [2 * place + 1, 2 * place + 2] where child < heap.count && isEarlier(child, least) {
        least = child
      }
      if least == place { break }
      heap.swapAt(place, least)
      place = least
    }
    return (first.time, first.event)
  }

  private func isEarlier(_ left: Int, _ right: Int) -> Bool {
    (heap[left].time, heap[left].sequence) < (heap[right].time, heap[right].sequence)
  }
}
