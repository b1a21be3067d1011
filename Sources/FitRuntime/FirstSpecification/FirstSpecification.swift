import Coordination
import Datasets
import Foundation

/// A spec for a data set that nobody has modelled yet: the family that its response suggests, priors on the scale of the
/// data, and a comment for every choice.
public struct FirstSpecification: Sendable {
  let data: String
  let profile: DatasetProfile
  let response: DatasetProfile.Column
  let guess: ModelGuess
  let uses: [(column: DatasetProfile.Column, use: ColumnUse)]

  /// Reads a data set and decides.
  ///
  /// - Parameters:
  ///   - path: a CSV or NPY file, a glob, or an imported folder.
  ///   - data: the path as the spec is to name it.
  ///   - family: a family's name instead of the guess.
  /// - Throws: ``DatasetError`` or ``RuntimeError``.
  public init(path: String, naming data: String, response name: String, family: String? = nil) throws {
    self.data = data
    let whole = try DatasetProfile.read(path: path)
    guard let found = whole.columns.first(where: { $0.name == name }) else {
      let names = whole.columns.prefix(40).map { "'\($0.name)'" }.joined(separator: ", ")
      throw RuntimeError(
        "\(path) has no column '\(name)'; its columns are \(names)\(whole.columns.count > 40 ? ", …" : "")",
        exitCode: ExitCode.badData)
    }
    // Columns full of holes go first, so that what is said of the others is said of most rows.
    let sparse = whole.columns.filter {
      $0.name != name && Double($0.missing) > ColumnUse.mostMissing * Double(whole.records)
    }
    var profile = whole
    if found.missing > 0 || whole.columns.contains(where: { $0.missing > 0 }) {
      let kept = whole.columns.map(\.name).filter { column in !sparse.contains { $0.name == column } }
      profile = try DatasetProfile.read(path: path, columns: kept)
    }
    guard profile.rows > 1, let response = profile.columns.first(where: { $0.name == name }) else {
      throw RuntimeError(
        "\(path): only \(profile.rows) of \(profile.records) rows have a value in every column that counts; choose the "
          + "features by hand (model.features)", exitCode: ExitCode.badData)
    }
    self.profile = profile
    self.response = response
    if let family {
      guard let chosen = ModelGuess.Family(rawValue: family) else {
        let names = ModelGuess.Family.allCases.map(\.rawValue).joined(separator: ", ")
        throw RuntimeError(
          "init writes specs of the families \(names), not '\(family)'; see `isomix models` for the others",
          exitCode: ExitCode.usage)
      }
      guess = ModelGuess(family: chosen, reason: "The family was asked for.")
    } else {
      guess = try ModelGuess.of(response, rows: profile.rows)
    }
    let (rows, records, takesGroups) = (profile.rows, profile.records, guess.family != .softmax)
    // A sparse table's unused indices would make a list of all others; they do no harm.
    let keepsConstants = profile.isSparse && profile.columns.contains { $0.name != name && !$0.isConstant }
    let decided = profile.columns.filter { $0.name != name }.map {
      (
        $0,
        keepsConstants && $0.isConstant
          ? .feature : ColumnUse.of($0, rows: rows, records: records, takesGroups: takesGroups)
      )
    }
    uses =
      sparse.map { ($0, ColumnUse.of($0, rows: rows, records: records, takesGroups: takesGroups)) } + decided
    guard uses.contains(where: { $0.use == .feature || $0.use == .group }) else {
      throw RuntimeError(
        "\(path) has no column that could explain '\(name)': "
          + uses.map { "'\($0.column.name)': \(FirstSpecification.reason($0.use))" }.joined(separator: "; "),
        exitCode: ExitCode.badData)
    }
  }

  private static func reason(_ use: ColumnUse) -> String {
    if case .leftOut(let reason) = use { return reason }
    return ""
  }

  /// One line for a person.
  public var summary: String {
    let features = uses.filter { $0.use == .feature }.count
    let groups = uses.filter { $0.use == .group }.count
    return "family \(guess.family.rawValue), \(features) feature column(s)"
      + (groups > 0 ? ", \(groups) grouping column(s)" : "")
      + (features + groups < uses.count ? ", \(uses.count - features - groups) left out" : "")
      + ". \(guess.reason)"
  }
}
