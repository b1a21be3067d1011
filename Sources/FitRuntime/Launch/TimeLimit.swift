import Coordination

/// A time limit in Slurm's notation: minutes, `minutes:seconds`, `hours:minutes:seconds`, `days-hours`,
/// `days-hours:minutes` or `days-hours:minutes:seconds`.
public struct TimeLimit: Sendable, Equatable {
  public let seconds: Int
  /// As it was written.
  public let text: String

  /// - Returns: nil when the text is none, or the limit is not above 0.
  public init?(_ text: String) {
    self.text = text
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard (1...2).contains(parts.count) else { return nil }
    var numbers: [Int] = []
    for piece in parts[parts.count - 1].split(separator: ":", omittingEmptySubsequences: false) {
      guard !piece.isEmpty, piece.utf8.count <= TimeLimit.mostDigits,
        piece.utf8.allSatisfy({ 48...57 ~= $0 }),
        let number = Int(piece)
      else { return nil }
      numbers.append(number)
    }
    guard (1...3).contains(numbers.count) else { return nil }
    var days = 0
    if parts.count == 2 {
      guard parts[0].utf8.count <= TimeLimit.mostDigits, let number = Int(parts[0]), number >= 0 else {
        return nil
      }
      days = number
      // After days come hours first.
      numbers += [Int](repeating: 0, count: 3 - numbers.count)
    } else if numbers.count == 1 {
      numbers = [0, numbers[0], 0]
    } else if numbers.count == 2 {
      numbers = [0] + numbers
    }
    seconds = ((days * 24 + numbers[0]) * 60 + numbers[1]) * 60 + numbers[2]
    guard seconds > 0 else { return nil }
  }

  private static let mostDigits = 8
}
