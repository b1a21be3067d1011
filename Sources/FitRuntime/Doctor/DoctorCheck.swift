/// One thing that a fit needs of its machine, and how it is here.
public struct DoctorCheck: Sendable, Codable, Hashable {
  public enum Status: String, Sendable, Codable {
    case ok
    /// Fits run, but not as well as they could.
    case warning
    /// Fits don't run, or not distributed.
    case failed
  }

  public var name: String
  public var status: Status
  /// What was found.
  public var finding: String
  /// What to do; nil where all is well.
  public var advice: String?

  /// All is well.
  init(_ name: String, _ finding: String) { self.init(name, .ok, finding) }

  init(_ name: String, _ status: Status, _ finding: String, advice: String? = nil) {
    self.name = name
    self.status = status
    self.finding = finding
    self.advice = advice
  }
}
