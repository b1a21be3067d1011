import Posteriors

/// Draws as CmdStan writes them, so that `cmdstanpy.from_csv`, posterior's `read_cmdstan_csv` and others read them.
///
/// The header says that the method is `sample` with the algorithm `fixed_param`, which is what CmdStan says of independent
/// draws: nothing was adapted. The warm-up that it names, and that is not in the file, is CmdStan's own default there, because
/// CmdStanPy refuses none. `lp__` is NaN for a model with data, which are not there; `accept_stat__` is 1.
/// Names become Stan's: `beta.1.2` counts places from 1, and a matrix is written column by column.
struct StanCSV {
  private let table: DrawTable
  private let model: String
  private let version: String

  init(_ table: DrawTable, model: String, version: String) {
    self.table = table
    self.model = model
    self.version = version
  }

  /// - Throws: ``ReportingError``, `PosteriorError`.
  func write(to output: OutputFile) throws {
    let columns = StanCSV.columns(table.variables)
    try output.write(header)
    try output.write((["lp__", "accept_stat__"] + columns.map(\.name)).joined(separator: ",") + "\n")
    let width = table.width
    try table.forEachBlock(withTargets: true) { block in
      var text = ""
      for row in 0..<block.count {
        text += "\(block.logTargets?[row] ?? .nan),1"
        for column in columns { text += ",\(block.values[row * width + column.place])" }
        text += "\n"
      }
      try output.write(text)
    }
    try output.write(StanCSV.footer)
  }

  private var header: String {
    """
    # stan_version_major = 2
    # stan_version_minor = 36
    # stan_version_patch = 0
    # model = \(StanCSV.identifier(model))
    # written by isomix \(version): independent draws from a fitted mixture; lp__ is nan where it needs data
    # method = sample (Default)
    #   sample
    #     num_samples = \(table.draws.count)
    #     num_warmup = 1000 (Default)
    #     save_warmup = false (Default)
    #     thin = 1 (Default)
    #     algorithm = fixed_param
    #     num_chains = 1 (Default)
    # id = 1 (Default)

    """
  }

  private static let footer = """
    # 
    #  Elapsed Time: 0 seconds (Warm-up)
    #                0 seconds (Sampling)
    #                0 seconds (Total)
    # 

    """

  /// The columns in Stan's order: their names, and where they are in a row of the table.
  static func columns(_ variables: [OutputVariable]) -> [(name: String, place: Int)] {
    var columns: [(name: String, place: Int)] = []
    var taken: Set<String> = []
    var offset = 0
    for variable in variables {
      let base = identifier(variable.name)
      var name = base
      var number = 2
      while !taken.insert(name).inserted {
        name = "\(base)_\(number)"
        number += 1
      }
      let sizes = variable.axes.map(\.labels.count)
      // Stan's order: the first place varies fastest.
      for index in 0..<variable.count {
        var rest = index
        let places = sizes.map { size in
          defer { rest /= size }
          return rest % size
        }
        let place = zip(places, sizes).reduce(0) { $0 * $1.1 + $1.0 }
        let suffix = places.map { ".\($0 + 1)" }.joined()
        columns.append((name + suffix, offset + place))
      }
      offset += variable.count
    }
    return columns
  }

  /// A name that Stan takes: letters, digits and underscores, the first one a letter, no underscores at the end, where
  /// they mark what belongs to the sampler.
  static func identifier(_ name: String) -> String {
    var result = ""
    for scalar in name.unicodeScalars {
      let isAllowed =
        ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar) || ("0"..."9").contains(scalar)
      result.unicodeScalars.append(isAllowed ? scalar : "_")
    }
    while result.hasSuffix("_") { result.removeLast() }
    guard let first = result.first, first.isLetter else { return "v_" + (result.isEmpty ? "x" : result) }
    return result
  }
}
