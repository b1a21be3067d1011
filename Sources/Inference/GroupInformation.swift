import Datasets
import Posteriors
import Specification

/// What the data say of the effects of a group column's levels.
enum GroupInformation {
  /// Centred effects from so many times the prior's information on: there both forms fit about equally well (checked on
  /// hierarchical Poisson regressions against NUTS).
  private static let enough = 10.0

  /// A model whose effects have a form: what was asked for, or what suits the data.
  static func resolved(
    _ model: ModelSpecification, _ train: (folder: String, manifest: DesignManifest)
  ) throws -> ModelSpecification {
    guard case .regression(var regression) = model, !regression.groups.isEmpty,
      regression.groupEffects.isEmpty
    else { return model }
    let information = try perRow(regression.family, train)
    regression.groupEffects = train.manifest.groups.map { group in
      let rows = Double(train.manifest.rows) / Double(max(1, group.levels.count))
      let ratio = rows * information * regression.groupScale * regression.groupScale
      return ratio >= enough ? .centred : .nonCentred
    }
    return .regression(regression)
  }

  /// A rough Fisher information of a row about its linear predictor: of a logistic one at most ¼, of counts their mean, of
  /// numbers one over their variance, which the noise's is below.
  private static func perRow(
    _ family: RegressionSpecification.Family, _ train: (folder: String, manifest: DesignManifest)
  ) throws -> Double {
    if family == .logistic || family == .softmax { return 0.25 }
    let design = try Design.open(folder: train.folder, expecting: train.manifest.digest)
    var (count, mean, squares) = (0.0, 0.0, 0.0)
    // Powers of two: no piece crosses the border of two shards.
    let step = min(rowsAtOnce, train.manifest.rowsPerShard)
    for start in stride(from: 0, to: train.manifest.rows, by: step) {
      try design.withRows(start..<min(start + step, train.manifest.rows)) { block in
        for row in 0..<block.count {
          count += 1
          let offset = block.responses[row] - mean
          mean += offset / count
          squares += offset * (block.responses[row] - mean)
        }
      }
    }
    let variance = count > 1 ? squares / (count - 1) : 1
    switch family {
    case .poisson: return mean
    case .negativeBinomial: return variance > 0 ? mean * mean / variance : mean
    default: return variance > 0 ? 1 / variance : 1
    }
  }

  private static let rowsAtOnce = 4096
}
