/// Why a run can't go on, in words and as an exit code (sysexits).
public struct RunFailure: Error, Hashable, Sendable, CustomStringConvertible {
  public var exitCode: Int32
  public var message: String

  public init(exitCode: Int32, message: String) {
    self.exitCode = exitCode
    self.message = message
  }

  public var description: String { message }
}

/// Exit codes of the command line (sysexits.h), as documented.
public enum ExitCode {
  public static let done: Int32 = 0
  public static let usage: Int32 = 64
  public static let badData: Int32 = 65
  public static let noInput: Int32 = 66
  public static let unavailable: Int32 = 69
  public static let software: Int32 = 70
  public static let cannotCreate: Int32 = 73
  public static let interrupted: Int32 = 75
  public static let notAuthorised: Int32 = 77
}
