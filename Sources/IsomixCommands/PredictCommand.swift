import ArgumentParser
import FitRuntime
import Foundation
import Inference
import Reporting

struct PredictCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "predict", abstract: "Predict the responses of new rows with a finished fit.",
    discussion: """
      New data are CSV or NPY files or an imported folder with the columns that the fit used, in any order; they are \
      prepared as the training data were (scaling, categories, classes). Rows keep their order. The response's \
      column may be missing; where it is there, the predictions are scored on standard error.

      For a number the columns are `mean`, `sd` and quantiles `q0.05`, … of the response (with --of mean: of its \
      expectation). For classes they are `p[CLASS]`, a probability for each class, and `class`, the most probable \
      one (with --of mean also quantiles of the probabilities, of two classes the second's). As CSV numbers have \
      twelve digits; as NPY they have all, and a class is its index.

      Linear, logistic, softmax, Poisson, negative binomial and Student-t regressions are integrated without draws; \
      networks, horseshoe priors, quantiles of the probabilities of softmax, and rows that are too wide \
      for the rules take averages over draws from the mixture, as does everything with model.factorization: \
      coordinates and with --draws. The result does not depend on the number of \
      workers and threads.

      EXAMPLE
        isomix predict out --data new.csv > predictions.csv
        isomix predict out --data 'new-*.csv' --output predictions.npy --format npy --workers 4
        isomix predict out --data new.csv --quantiles 0.1,0.9 --of mean --output predictions.csv
        isomix predict out --data test.csv --output /dev/null --scores scores.json
      """)

  @Argument(help: "A fit's folder.", completion: .directory)
  var fit: String

  @Option(
    help: "New rows: a CSV or NPY file, a glob, or an imported folder; repeatable.", completion: .file())
  var data: [String]

  @Option(help: "NPY file with the responses, beside NPY features.", completion: .file(extensions: ["npy"]))
  var response: String?

  @Option(name: .shortAndLong, help: "File to write (default: standard output).", completion: .file())
  var output: String?

  @Option(help: "csv or npy.")
  var format: PredictionFormat = .csv

  @Option(help: "Probabilities of quantiles, separated by commas.")
  var quantiles: ProbabilityList = ProbabilityList(values: [0.05, 0.5, 0.95])

  @Option(help: "What quantiles are of: response, or mean (its expectation, or the classes' probabilities).")
  var of: RowPrediction.Quantity = .response

  @Option(help: "Draws from the mixture (default: none where the model allows it, else 400).")
  var draws: Int?

  @Option(help: "Seed of the draws.")
  var seed: UInt64 = 1

  @Option(help: "File for the scores, as JSON.", completion: .file(extensions: ["json"]))
  var scores: String?

  @Flag(help: "Don't read responses, even if the data have them.")
  var noScores = false

  @Option(help: "Local worker processes; 1 works in this process (default: 1, with a thread a core).")
  var workers: Int?

  @Option(help: "Compute threads of each process (default: 1, or one a core without --workers).")
  var threads: Int?

  @Option(
    help: "Folder where prepared data stay for another time (default: they are removed at the end).",
    completion: .directory)
  var cache: String?

  func validate() throws {
    if let workers, !(1...1024).contains(workers) {
      throw ValidationError("--workers must be from 1 to 1024.")
    }
    if let threads, !(1...1024).contains(threads) {
      throw ValidationError("--threads must be from 1 to 1024.")
    }
    if let draws, !(2...ProblemBuilder.mostDraws).contains(draws) {
      throw ValidationError("--draws must be from 2 to \(ProblemBuilder.mostDraws).")
    }
    if noScores, scores != nil { throw ValidationError("--scores and --no-scores exclude each other.") }
    if format == .npy, output == nil { throw ValidationError("--format npy needs --output FILE.") }
  }

  func run() throws {
    try reportingFailures("predict") {
      var options = PredictionService.Options(fit: fit, data: data)
      options.responseFile = response
      options.output = output
      options.format = format
      options.quantity = of
      options.quantiles = quantiles.values
      options.draws = draws
      options.seed = seed
      options.scores = !noScores
      options.requiresScores = scores != nil
      options.workers = workers
      options.threads = threads
      options.cache = cache
      options.progress = { try? StandardStream.error.write("\($0)\n") }
      let outcome = try PredictionService(options).run()
      if let scores, let found = outcome.scores {
        let json = try JSONStyle.encoder(pretty: true).encode(found)
        do {
          try (json + Data("\n".utf8)).write(to: URL(fileURLWithPath: scores), options: .atomic)
        } catch {
          throw ReportingError(.cannotWrite, "can't write \(scores): \(error.localizedDescription)")
        }
      }
      if let found = outcome.scores { try? StandardStream.error.write(found.text + "\n") }
    }
  }
}

/// Probabilities as they stand on a command line.
struct ProbabilityList: ExpressibleByArgument {
  let values: [Double]

  init(values: [Double]) { self.values = values }

  /// Tails beyond these say nothing about a mixture of few components.
  private static let possible = 1e-6...(1 - 1e-6)
  private static let most = 100

  init?(argument: String) {
    let values = argument.split(separator: ",", omittingEmptySubsequences: false).map {
      Double($0.trimmingCharacters(in: .whitespaces))
    }
    let found = values.compactMap { $0 }
    guard found.count == values.count, !found.isEmpty, found.count <= ProbabilityList.most,
      found.allSatisfy(ProbabilityList.possible.contains), Set(found).count == found.count
    else { return nil }
    self.values = found.sorted()
  }

  var defaultValueDescription: String { values.map { "\($0)" }.joined(separator: ",") }
}

extension PredictionFormat: ExpressibleByArgument {}
extension RowPrediction.Quantity: ExpressibleByArgument {}
