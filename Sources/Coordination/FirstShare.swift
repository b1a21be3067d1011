/// How much of its home a worker takes first, as learned from the jobs before. The more it is, the fewer messages a job takes;
/// the less, the better what is left evens out what workers' speeds don't foretell.
struct FirstShare: Sendable, Equatable {
  private(set) var value = 0.7

  private static let (least, most) = (0.4, 0.9)
  /// Parts of a job's time between which the last of the pieces should be done that it began with.
  private static let (early, late) = (0.94, 0.985)
  /// It rises slowly while all goes well, and falls fast when others have waited for a worker that had taken too much.
  private static let (rise, fall) = (0.01, 0.95)

  /// - Parameter done: when all workers had done what they were given when the job began, as a part of the time that it took.
  mutating func learn(done: Double) {
    if done > FirstShare.late { value = max(FirstShare.least, value * FirstShare.fall) }
    if done < FirstShare.early { value = min(FirstShare.most, value + FirstShare.rise) }
  }
}
