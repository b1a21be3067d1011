import Coordination
import Datasets
import Glibc
import Inference
import Mixtures
import Posteriors
import Reporting
import Specification
import StanModels
import ZeroMQTransport

/// A failed system call, in words.
public struct RuntimeError: Error, Sendable, CustomStringConvertible {
  public let message: String
  public let exitCode: Int32

  public init(_ message: String, exitCode: Int32) {
    self.message = message
    self.exitCode = exitCode
  }

  public var description: String { message }

  /// The last failed system call.
  static func system(_ operation: String) -> RuntimeError {
    RuntimeError("\(operation): \(String(cString: strerror(errno)))", exitCode: ExitCode.software)
  }
}

extension RunFailure {
  /// Any error of this program as a sentence and an exit code.
  public init(_ error: any Error) {
    switch error {
    case let error as RunFailure: self = error
    case let error as RuntimeError: self.init(exitCode: error.exitCode, message: error.message)
    case let error as SpecificationError:
      self.init(exitCode: ExitCode.badData, message: error.message)
    case let error as DatasetError:
      let code =
        switch error.code {
        case .noInput: ExitCode.noInput
        case .badData, .changed: ExitCode.badData
        case .cannotWrite: ExitCode.cannotCreate
        }
      self.init(exitCode: code, message: error.message)
    case let error as FitError:
      let code =
        switch error.code {
        case .software: ExitCode.software
        case .noInput: ExitCode.noInput
        case .badInput, .diverged: ExitCode.badData
        }
      self.init(exitCode: code, message: error.message)
    case let error as StanError:
      let code =
        switch error.code {
        case .noInput: ExitCode.noInput
        case .cannotWrite: ExitCode.cannotCreate
        default: ExitCode.badData
        }
      self.init(exitCode: code, message: error.message)
    case let error as PosteriorError: self.init(exitCode: ExitCode.badData, message: error.message)
    case let error as ReportingError:
      let code =
        switch error.code {
        case .cannotWrite: ExitCode.cannotCreate
        case .noInput: ExitCode.noInput
        case .badData: ExitCode.badData
        }
      self.init(exitCode: code, message: error.message)
    case let error as TransportError:
      self.init(exitCode: ExitCode.unavailable, message: error.message)
    default:
      self.init(exitCode: ExitCode.software, message: "an unexpected error: \(error.localizedDescription)")
    }
  }
}
