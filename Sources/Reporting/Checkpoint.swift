import Foundation
import Inference
import Mixtures
import NumericsKit
import Specification

/// A fit's state on disk: a header that says what it belongs to, the fit's numbers, and a digest of both.
///
/// | bytes | content |
/// |---|---|
/// | 8 | `ISMXCKPT` |
/// | 4 | length of the header, little-endian |
/// | | header: JSON |
/// | | the snapshot's arrays, one after the other, little-endian float64 |
/// | 32 | SHA-256 of all bytes before |
public struct Checkpoint: Sendable, Equatable {
  public var header: Header
  public var numbers: [[Double]]

  public struct Header: Sendable, Hashable, Codable {
    /// Raised whenever the meaning of the file changes.
    public var formatVersion: Int
    /// The build that wrote it.
    public var build: String
    public var version: String
    /// Digests of what the fit is: its resolved spec, its plan, its data.
    public var origin: Origin
    /// Lengths of the arrays.
    public var lengths: [Int]
    /// Wall-clock seconds that the fit had taken.
    public var seconds: Double
    public var course: FitSnapshot.Course
  }

  /// The part of a header that every format has.
  private struct Format: Decodable { let formatVersion: Int }

  /// What a fit is made from.
  public struct Origin: Sendable, Hashable, Codable {
    public var specification: String
    public var plan: String
    public var data: String

    /// Digests of a set-up's parts.
    public init(_ setup: FitSetup) throws {
      // Where data are kept, and how workers come by them, may be another in every start.
      let read = try FitSpecification(yaml: setup.specification, source: "the run's spec", folder: "/")
      specification = Digest.of(read.essentialYAML).description
      plan = Digest.of(Array(try JSONStyle.encoder(pretty: false).encode(setup.plan))).description
      data = setup.dataDigest
    }
  }

  public static let currentVersion = 3
  private static let magic = Array("ISMXCKPT".utf8)
  /// More numbers than any fit has in one array; the sum of some is far from overflow.
  private static let largestCount = 1 << 36
  private static let mostArrays = 64
  /// A header is some kilobytes; the judgement has a number for each component.
  private static let headerBytes = 64 << 20

  public init(_ snapshot: FitSnapshot, origin: Origin, build: String, version: String, seconds: Double) {
    header = Header(
      formatVersion: Checkpoint.currentVersion, build: build, version: version, origin: origin,
      lengths: snapshot.numbers.map(\.count), seconds: seconds, course: snapshot.course)
    numbers = snapshot.numbers
  }

  /// The fit's state.
  public var snapshot: FitSnapshot { FitSnapshot(course: header.course, numbers: numbers) }

  /// The bytes of the file.
  public func encoded() throws -> [UInt8] {
    let text = try JSONStyle.encoder(pretty: false).encode(header)
    var bytes = Checkpoint.magic
    withUnsafeBytes(of: UInt32(text.count).littleEndian) { bytes.append(contentsOf: $0) }
    bytes += text
    bytes += Float64Bytes.encode(numbers)
    return bytes + Digest.of(bytes).bytes
  }

  /// Reads a file's bytes, which may be torn or altered.
  /// - Throws: ``ReportingError`` that says what is wrong.
  public init(decoding bytes: [UInt8]) throws {
    let fixed = Checkpoint.magic.count + 4
    guard bytes.count >= fixed + Digest.byteCount,
      Array(bytes.prefix(Checkpoint.magic.count)) == Checkpoint.magic
    else { throw ReportingError(.badData, "it is not a checkpoint") }
    let body = Array(bytes.dropLast(Digest.byteCount))
    guard Digest.of(body).bytes == Array(bytes.suffix(Digest.byteCount)) else {
      throw ReportingError(.badData, "it is torn or altered: its digest does not fit")
    }
    let length = body[Checkpoint.magic.count..<fixed].reversed().reduce(0) { $0 << 8 | Int($1) }
    guard length <= Checkpoint.headerBytes, fixed + length <= body.count else {
      throw ReportingError(.badData, "its header has no sensible length")
    }
    let text = Data(body[fixed..<fixed + length])
    // The version first: another one may have another header.
    let format = (try? JSONStyle.decoder().decode(Format.self, from: text))?.formatVersion
    guard format == nil || format == Checkpoint.currentVersion else {
      throw ReportingError(
        .badData,
        "it has format \(format ?? 0), this build (\(Checkpoint.currentVersion)) reads another: resume it with the "
          + "version of isomix that wrote it")
    }
    guard let header = try? JSONStyle.decoder().decode(Header.self, from: text) else {
      throw ReportingError(.badData, "its header can't be read")
    }
    let state = Array(body[(fixed + length)...])
    guard header.lengths.count <= Checkpoint.mostArrays,
      header.lengths.allSatisfy({ (0...Checkpoint.largestCount).contains($0) }),
      header.lengths.reduce(0, +) * Float64Bytes.width == state.count
    else { throw ReportingError(.badData, "its numbers are not as many as its header says") }
    self.header = header
    numbers = state.withUnsafeBytes { raw in
      var start = 0
      return header.lengths.map { length in
        defer { start += length * Float64Bytes.width }
        return Float64Bytes.decode(raw, from: start, count: length)
      }
    }
  }
}
