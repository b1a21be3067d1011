/// What a fit is doing, for people to read.
public struct FitPhase: Sendable, Equatable {
  public enum Kind: Sendable { case warmingUp, running, judging, finished }

  public var kind: Kind
  /// In some words.
  public var description: String
}

extension Fit {
  /// What the fit is doing now.
  public var phase: FitPhase {
    switch activity {
    case .searchingStart: FitPhase(kind: .warmingUp, description: "looking for a start")
    case .locatingModes: FitPhase(kind: .warmingUp, description: "looking for modes to start at")
    case .closingWindow:
      FitPhase(
        kind: .warmingUp, description: "learning coordinates, window \(windowsClosed + 1) of \(windows.count)"
      )
    case .stepping, .refreshing, .evaluating:
      if ending == nil, windowsClosed < windows.count {
        FitPhase(kind: .warmingUp, description: "warm-up, window \(windowsClosed + 1) of \(windows.count)")
      } else {
        FitPhase(
          kind: .running,
          description: settings.hasAutomaticSteps
            ? "stage \(stagesDone + 1) of ever smaller steps" : "iterating")
      }
    case .comparing: FitPhase(kind: .running, description: "comparing averages after stage \(stagesDone + 1)")
    case .judging(let rounds):
      FitPhase(kind: .judging, description: "judging the fit, round \(rounds.count + 1)")
    case .predicting: FitPhase(kind: .judging, description: "scoring the test data")
    case .finished: FitPhase(kind: .finished, description: "writing the results")
    }
  }
}
