import Foundation
import Reporting
import Specification

/// The ELBOs of two fits beside each other: which of them is nearer to the same posterior.
struct EvidenceComparison: Encodable, Sendable {
  let a: Double
  let aSe: Double
  let b: Double
  let bSe: Double
  /// `b − a` in nats.
  let difference: Double
  /// `√(a_se² + b_se²)`: the two were estimated from different draws, or as if they were.
  let differenceSe: Double

  /// Why the ELBOs of two fits can't be compared; nil when they can.
  static func obstacle(_ a: FitRecord, _ b: FitRecord) -> String? {
    guard let first = a.specification, let second = b.specification else {
      return "not every one of the two is a fit's folder with its spec.yaml"
    }
    if first.model != second.model { return "the models differ" }
    if !EvidenceComparison.sameData(first.data, second.data) { return "the data differ" }
    if first.data?.precision == second.data?.precision, first.data?.storage == second.data?.storage,
      a.train?.digest != b.train?.digest
    {
      return "the data have changed between the two fits"
    }
    guard a.summary?.elbo?.isFinite == true, b.summary?.elbo?.isFinite == true else {
      return "not every one of the two has an ELBO in its summary.json"
    }
    return nil
  }

  /// Whether the posterior is the same: test data, precision and storage don't change it.
  private static func sameData(_ a: DataSpecification?, _ b: DataSpecification?) -> Bool {
    a?.train == b?.train && a?.standardize == b?.standardize && a?.centring == b?.centring
      && a?.missing == b?.missing
  }

  /// Nil when a fit has no ELBO.
  init?(_ a: RecordedSummary?, _ b: RecordedSummary?) {
    guard let first = a?.elbo, let firstError = a?.elboSe, let second = b?.elbo, let secondError = b?.elboSe
    else { return nil }
    (self.a, aSe, self.b, bSe) = (first, firstError, second, secondError)
    difference = second - first
    differenceSe = (firstError * firstError + secondError * secondError).squareRoot()
  }

  var text: String {
    String(
      format: "ELBO  A %.4f ± %.4f, B %.4f ± %.4f; B − A = %.4f ± %.4f nats", a, aSe, b, bSe, difference,
      differenceSe)
  }
}
