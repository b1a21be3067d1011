import CNetCDF
import Foundation
import Inference
import Mixtures
import NumericsKit
import Posteriors
import Reporting
import TestKit
import Testing

/// A target whose users see other things than θ: a scale, a 2 × 3 matrix with labels, and two vectors over
/// different labels of one dimension. θ has 3 coordinates.
private struct MatrixTarget: LogDensity {
  var dimension: Int { 3 }
  var parameterNames: [String] { ["a", "b", "c"] }
  var logNormalizer: Double? { nil }
  var priorMoments: PriorMoments? { nil }
  var designColumns: Int { 0 }

  func accumulateBase(
    points: UnsafePointer<Double>, count: Int, value: UnsafeMutablePointer<Double>,
    gradient: UnsafeMutablePointer<Double>?, workspace: DensityWorkspace
  ) {
    for s in 0..<count { value[s] += 2 * points[3 * s] }
  }

  func accumulateRows(
    _ rows: RowBlock, points: UnsafePointer<Double>, count: Int, value: UnsafeMutablePointer<Double>,
    gradient: UnsafeMutablePointer<Double>?, workspace: DensityWorkspace
  ) {}

  func accumulateScores(
    _ rows: RowBlock, draws: UnsafePointer<Double>, count: Int, into scores: inout PredictiveScores,
    workspace: DensityWorkspace
  ) {}

  var outputVariables: [OutputVariable] {
    let rows = OutputVariable.Axis(name: "row/s", labels: ["r1", "r\u{0}2"])
    let columns = OutputVariable.Axis(name: "column", labels: ["x", "y", "z"])
    return [
      OutputVariable(name: "scale"), OutputVariable(name: "W", axes: [rows, columns]),
      OutputVariable(name: "column", axes: [columns]),
      OutputVariable(name: "v", axes: [OutputVariable.Axis(name: "column", labels: ["x", "y"])]),
    ]
  }

  /// Number k of a draw is θ_0 + k; the scale is its exponential.
  func computeOutputs(
    points: UnsafePointer<Double>, count: Int, into output: UnsafeMutablePointer<Double>,
    workspace: DensityWorkspace
  ) throws {
    for draw in 0..<count {
      for k in 0..<12 {
        output[draw * 12 + k] = k == 0 ? exp(points[draw * 3]) : points[draw * 3] + Double(k)
      }
    }
  }
}

@Suite struct DrawTableTests {
  init() { BLAS.prepare() }

  private func draws(_ count: Int) -> FittedDraws {
    FittedDraws(
      of: IsotropicMixture(
        componentCount: 2, dimension: 3, means: [0, 0, 0, 1, 1, 1], variances: [0.1, 0.2]), factors: [],
      metric: Metric(.unit, dimension: 3), seed: 3, count: count)
  }

  private func write(_ format: DrawFormat, _ count: Int) throws -> String {
    let folder = try TemporaryFolder()
    let output = try OutputFile(path: folder("draws"))
    try DrawTable(draws(count), of: MatrixTarget(), hasNoRows: true).write(
      format, model: "m!", version: "1", to: output)
    #expect(!FileManager.default.fileExists(atPath: folder("draws")), "it appears at the end")
    try output.finish()
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["draws"])
    return try String(contentsOfFile: folder("draws"), encoding: .utf8)
  }

  @Test("Stan's CSV has a matrix column by column, places counted from 1, and names that Stan takes")
  func stanOrder() throws {
    let lines = try write(.stanCSV, 4).split(separator: "\n").filter { !$0.hasPrefix("#") }
    #expect(
      lines[0]
        == "lp__,accept_stat__,scale,W.1.1,W.2.1,W.1.2,W.2.2,W.1.3,W.2.3,column.1,column.2,column.3,v.1,v.2")
    let csv = try write(.csv, 4).split(separator: "\n")
    #expect(csv.count == 5 && lines.count == 5)
    for row in 1...4 {
      let plain = csv[row].split(separator: ",")
      let stan = lines[row].split(separator: ",")
      // V = 2 θ_0, and the first number of the matrix is θ_0 + 1.
      let logTarget = -2 * (try #require(Double(plain[1])) - 1)
      #expect(abs(try #require(Double(stan[0])) - logTarget) < 1e-12 && stan[1] == "1")
      // W is [2, 3] by rows in `plain`.
      #expect(Array(stan[2...]) == [0, 1, 4, 2, 5, 3, 6, 7, 8, 9, 10, 11].map { plain[$0] })
    }
  }

  @Test("A draw has the same bits whatever the number of draws, and wherever a block of draws begins")
  func blocks() {
    let whole = draws(1_000).maker().make(0..<1_000)
    let maker = draws(700).maker()
    let part = maker.make(250..<700)
    #expect(part.positions == Array(whole.positions[750..<2_100]))
    #expect(part.logDensities == Array(whole.logDensities[250..<700]))
  }

  @Test("fit.nc has labelled dimensions once each, and a variable that is called like one under another name")
  func netCDF() throws {
    let data = InferenceData(draws(40), chains: 4, target: MatrixTarget(), hasNoRows: true, version: "1")
    var bytes: [UInt8] = []
    try data.encode { bytes = Array($0) }
    try bytes.withUnsafeMutableBytes { buffer in
      var file: Int32 = 0
      try #require(nc_open_mem("m", NC_NOWRITE, buffer.count, buffer.baseAddress, &file) == NC_NOERR)
      defer { nc_close(file) }
      var group: Int32 = 0
      try #require(nc_inq_ncid(file, "posterior", &group) == NC_NOERR)
      func size(_ name: String) -> Int? {
        var id: Int32 = 0
        var size = 0
        guard nc_inq_dimid(group, name, &id) == NC_NOERR, nc_inq_dimlen(group, id, &size) == NC_NOERR else {
          return nil
        }
        return size
      }
      #expect(
        ["chain", "draw", "row_s", "column", "column_2", "column_3"].map(size) == [4, 10, 2, 3, 2, nil])
      func numbers(_ name: String, _ count: Int) throws -> [Double] {
        var id: Int32 = 0
        var values = [Double](repeating: 0, count: count)
        try #require(nc_inq_varid(group, name, &id) == NC_NOERR, "\(name)")
        try #require(nc_get_var_double(group, id, &values) == NC_NOERR, "\(name)")
        return values
      }
      let positions = draws(40).maker().make(0..<40).positions
      let scale = try numbers("scale", 40)
      let matrix = try numbers("W", 240)
      let vector = try numbers("column_3", 120)
      for draw in 0..<40 {
        #expect(scale[draw] == exp(positions[3 * draw]))
        #expect((0..<6).allSatisfy { matrix[6 * draw + $0] == positions[3 * draw] + Double($0 + 1) })
        #expect((0..<3).allSatisfy { vector[3 * draw + $0] == positions[3 * draw] + Double($0 + 7) })
      }
    }
  }
}
