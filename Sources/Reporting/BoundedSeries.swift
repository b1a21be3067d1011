/// Points of a course in bounded memory: when there are too many, every second one is left away, and of those to come
/// fewer are taken. The newest is always there.
public struct BoundedSeries<Point: Sendable>: Sendable {
  private let limit: Int
  private var kept: [Point] = []
  private var stride = 1
  private var count = 0
  private var newest: Point?

  /// - Parameter limit: points at most, at least 4.
  public init(limit: Int) { self.limit = max(4, limit) }

  /// Adds the point that comes next.
  public mutating func append(_ point: Point) {
    defer { count += 1 }
    guard count % stride == 0 else {
      newest = point
      return
    }
    newest = nil
    kept.append(point)
    guard kept.count >= limit else { return }
    let last = kept.count - 1
    if last % 2 != 0 { newest = kept[last] }
    kept = kept.indices.filter { $0 % 2 == 0 }.map { kept[$0] }
    stride *= 2
  }

  /// The points, oldest first.
  public var points: [Point] { kept + (newest.map { [$0] } ?? []) }
}
