import Inference
import Posteriors
import Reporting

/// The file `fit.nc` of a finished fit: the draws by which it was judged, and what belongs to them.
struct FitDraws {
  private let data: InferenceData
  /// What is left out and why, for the log.
  let notes: [String]

  init(fit: Fit, prepared: PreparedFit) {
    let problem = prepared.problem
    let chains = InferenceData.usualChains
    let most = InferenceData.mostDraws(problem.target)
    let all = fit.draws(atMost: .max).count
    let draws = fit.draws(atMost: min(all, most) / chains * chains)
    data = InferenceData(
      draws, chains: InferenceData.chains(for: draws.count), target: problem.target,
      hasNoRows: problem.train == nil, response: problem.train?.manifest.response,
      train: problem.train, test: problem.test, version: Identity.version)
    var notes = data.notes
    if all > most {
      notes.append("\(draws.count) of \(all) draws are kept, because they are large (more: isomix sample)")
    }
    self.notes = notes.map { "\(InferenceData.fileName): \($0)" }
  }

  /// Writes the file.
  /// - Parameter check: called now and then; what it throws ends the work.
  /// - Returns: why there is none, where that is the model's doing: an output that can't be computed at a draw.
  /// - Throws: ``ReportingError`` when it can't be written; `DatasetError` when the data have changed.
  func write(to folder: RunFolder, check: () throws -> Void) throws -> String? {
    guard data.draws.count > 0 else {
      return "\(InferenceData.fileName) is not written: the fit has too few draws"
    }
    do {
      try data.encode(check: check) { try RunFolder.write($0, to: folder.file(InferenceData.fileName)) }
      return nil
    } catch let error as PosteriorError {
      return "\(InferenceData.fileName) is not written: \(error.message)"
    }
  }
}
