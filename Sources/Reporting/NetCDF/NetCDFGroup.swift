import CNetCDF
import Foundation

/// A group of a netCDF-4 file that is being made: dimensions, coordinates, variables and attributes. Names must be ones
/// that ``NetCDFNames`` made.
struct NetCDFGroup {
  let id: Int32

  /// A dimension of a group.
  struct Dimension {
    let id: Int32
    let size: Int
  }

  /// Formats of numbers in a file.
  enum Format {
    case double
    case float
    case int32
    case int64

    /// The largest whole number of a format of whole numbers.
    var largest: Int64 { self == .int32 ? Int64(Int32.max) : Int64.max }

    var type: nc_type {
      switch self {
      case .double: NC_DOUBLE
      case .float: NC_FLOAT
      case .int32: NC_INT
      case .int64: NC_INT64
      }
    }
  }

  /// A group inside this one.
  func group(_ name: String) throws -> NetCDFGroup {
    var inner: Int32 = 0
    try netCDF("group \(name)") { nc_def_grp(id, name, &inner) }
    return NetCDFGroup(id: inner)
  }

  /// Says something of the group, as text.
  func describe(_ attribute: String, _ text: String) throws {
    try NetCDFGroup.attribute(id, NC_GLOBAL, attribute, text)
  }

  /// A dimension with whole numbers from 0 as coordinates.
  func index(_ name: String, count: Int) throws -> Dimension {
    let dimension = try self.dimension(name, count)
    let variable = try define(name, NC_INT64, [dimension])
    try netCDF("coordinates of \(name)") {
      nc_put_var_longlong(id, variable, (0..<count).map { Int64($0) })
    }
    return dimension
  }

  /// A dimension with labels as coordinates.
  func labelled(_ name: String, _ labels: [String]) throws -> Dimension {
    let dimension = try self.dimension(name, labels.count)
    let variable = try define(name, NC_STRING, [dimension])
    // C strings end at a zero.
    let strings = labels.map { strdup($0.replacingOccurrences(of: "\0", with: "\u{FFFD}")) }
    defer { for string in strings { free(string) } }
    var pointers = strings.map { UnsafePointer<CChar>($0) }
    try netCDF("coordinates of \(name)") { nc_put_var_string(id, variable, &pointers) }
    return dimension
  }

  private func dimension(_ name: String, _ count: Int) throws -> Dimension {
    var dimension: Int32 = 0
    try netCDF("dimension \(name)") { nc_def_dim(id, name, count, &dimension) }
    return Dimension(id: dimension, size: count)
  }

  /// A variable of numbers.
  /// - Parameter isCompressed: for whole numbers; the digits of draws can't be.
  func variable(_ name: String, _ format: Format, _ dimensions: [Dimension], isCompressed: Bool = false)
    throws
    -> NetCDFVariable
  {
    let id = try define(name, format.type, dimensions)
    let variable = NetCDFVariable(group: self.id, id: id, name: name, format: format)
    // All of it is written.
    try netCDF("variable \(name)") { nc_def_var_fill(self.id, id, NC_NOFILL, nil) }
    if isCompressed {
      try netCDF("variable \(name)") { nc_def_var_deflate(self.id, id, 1, 1, 1) }
    }
    return variable
  }

  private func define(_ name: String, _ type: nc_type, _ dimensions: [Dimension]) throws -> Int32 {
    var variable: Int32 = 0
    let ids = dimensions.map(\.id)
    try netCDF("variable \(name)") { nc_def_var(id, name, type, Int32(ids.count), ids, &variable) }
    return variable
  }

  fileprivate static func attribute(_ group: Int32, _ variable: Int32, _ name: String, _ text: String) throws
  {
    let bytes = text.utf8.map { CChar(bitPattern: $0) }
    try netCDF("attribute \(name)") { nc_put_att_text(group, variable, name, bytes.count, bytes) }
  }
}

/// A variable of a netCDF-4 file that is being made.
struct NetCDFVariable {
  let group: Int32
  let id: Int32
  let name: String
  let format: NetCDFGroup.Format

  /// Says something of the variable, as text.
  func describe(_ attribute: String, _ text: String) throws {
    try NetCDFGroup.attribute(group, id, attribute, text)
  }

  /// Says something of the variable, as a number.
  func describe(_ attribute: String, _ number: Double) throws {
    try netCDF("attribute \(attribute)") {
      var number = number
      return nc_put_att_double(group, id, attribute, NC_DOUBLE, 1, &number)
    }
  }

  /// Writes a block, row-major, in the variable's format. Whole numbers beyond it become the largest one that it has,
  /// and one that is none -1.
  func write(_ numbers: [Double], from start: [Int], count: [Int]) throws {
    guard !numbers.isEmpty else { return }
    try netCDF("numbers of \(name)") {
      switch format {
      case .double: nc_put_vara_double(group, id, start, count, numbers)
      case .float: nc_put_vara_float(group, id, start, count, numbers.map { Float($0) })
      case .int32, .int64:
        nc_put_vara_longlong(
          group, id, start, count, numbers.map { NetCDFVariable.whole($0, format.largest) })
      }
    }
  }

  private static func whole(_ value: Double, _ largest: Int64) -> Int64 {
    guard !value.isNaN else { return -1 }
    return Int64(exactly: value.rounded()).map { min(max($0, -largest), largest) }
      ?? (value > 0 ? largest : -largest)
  }
}
