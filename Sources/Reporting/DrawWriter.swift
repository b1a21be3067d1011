import Foundation
import Mixtures
import NumericsKit

/// Draws from a fitted mixture and writes them as CSV with a header of parameter names.
public struct DrawWriter {
  private let fitted: FittedMixture
  private let mixture: IsotropicMixture
  private let full: FullMixture?
  private let metric: Metric
  private let noise: Noise

  /// - Throws: ``ReportingError`` when the fit's metric can't be used.
  public init(_ fitted: FittedMixture, seed: UInt64) throws {
    self.fitted = fitted
    mixture = fitted.mixture
    full = fitted.fullMixture
    metric = try fitted.coordinates()
    noise = Noise(seed: seed)
  }

  /// One draw `[d]`: a component chosen with equal probabilities, then a normal deviate around its mean.
  public func draw(_ index: Int) -> [Double] {
    var chosen = 0.0
    noise.fillUniforms(
      .draws, iteration: 0, component: 0, samples: index..<index + 1, dimension: 1, into: &chosen)
    // Uniforms are in (0, 1]: 1 − u is in [0, 1).
    let component = min(Int((1 - chosen) * Double(mixture.componentCount)), mixture.componentCount - 1)
    var values = [Double](repeating: 0, count: mixture.dimension)
    noise.fillNormals(
      .draws, iteration: 1, component: component, samples: index..<index + 1,
      dimension: mixture.dimension, into: &values)
    if let full {
      let factor = full.dimension * full.dimension * component
      values.withUnsafeMutableBufferPointer { values in
        full.factors.withUnsafeBufferPointer { factors in
          guard let values = values.baseAddress, let base = factors.baseAddress else { return }
          FullMixture.spread(values, count: 1, by: base + factor, dimension: full.dimension)
        }
      }
      for k in values.indices { values[k] += mixture.means[component * mixture.dimension + k] }
      return values
    }
    let deviation = mixture.variances[component].squareRoot()
    values = metric.directions(of: values, count: 1)
    for coordinate in values.indices {
      values[coordinate] =
        mixture.means[component * mixture.dimension + coordinate] + deviation * values[coordinate]
    }
    return values
  }

  /// Writes draws to a file, or to standard output.
  /// - Throws: ``ReportingError`` when the file can't be written.
  public func write(draws: Int, to path: String?) throws {
    let descriptor: Int32
    if let path {
      descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    } else {
      descriptor = dup(STDOUT_FILENO)
    }
    guard descriptor >= 0 else { throw failure(path) }
    defer { close(descriptor) }
    var text = fitted.names.map(DrawWriter.quoted).joined(separator: ",") + "\n"
    for index in 0..<draws {
      text += draw(index).map { "\($0)" }.joined(separator: ",") + "\n"
      if text.utf8.count > 1 << 16 || index == draws - 1 {
        try emit(text, descriptor, path)
        text = ""
      }
    }
  }

  private func emit(_ text: String, _ descriptor: Int32, _ path: String?) throws {
    let bytes = Array(text.utf8)
    var offset = 0
    while offset < bytes.count {
      let count = bytes.withUnsafeBytes {
        Foundation.write(descriptor, $0.baseAddress! + offset, bytes.count - offset)
      }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw failure(path) }
      offset += count
    }
  }

  private func failure(_ path: String?) -> ReportingError {
    ReportingError(
      .cannotWrite, "can't write \(path ?? "standard output"): \(String(cString: strerror(errno)))")
  }

  /// RFC 4180 quoting where it is needed.
  private static func quoted(_ name: String) -> String {
    guard name.contains(where: { $0 == "," || $0 == "\"" || $0 == "\n" || $0 == "\r" }) else { return name }
    return "\"" + name.replacingOccurrences(of: "\"", with: "\"\"") + "\""
  }
}
