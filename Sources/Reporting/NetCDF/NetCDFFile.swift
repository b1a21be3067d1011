import CNetCDF
import Foundation

/// A netCDF-4 file that is made in memory and handed over as bytes: whoever writes them decides how, and a full disk is
/// met by a plain `write` and not inside of the library.
///
/// Every call of the library goes through ``netCDF(_:_:)``, one at a time, because it is not safe for threads.
final class NetCDFFile {
  /// The file's root.
  let root: NetCDFGroup
  private var isOpen = true

  /// - Throws: ``ReportingError`` when there is no memory.
  init() throws {
    var id: Int32 = 0
    try netCDF("a new file") { nc_create_mem("isomix", NC_NETCDF4, NetCDFFile.initialBytes, &id) }
    root = NetCDFGroup(id: id)
  }

  private static let initialBytes = 1 << 20

  deinit {
    if isOpen { try? netCDF("closing") { nc_abort(root.id) } }
  }

  /// Ends the file and passes its bytes on.
  /// - Throws: ``ReportingError``, or what `body` throws.
  func finish(_ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    var content = NC_memio()
    isOpen = false
    try netCDF("closing") { nc_close_memio(root.id, &content) }
    defer { free(content.memory) }
    try body(UnsafeRawBufferPointer(start: content.memory, count: content.size))
  }
}

private let netCDFLock = NSLock()

/// Calls the library, and only once at a time.
/// - Throws: ``ReportingError`` with the library's words.
func netCDF(_ place: String, _ body: () -> Int32) throws {
  netCDFLock.lock()
  defer { netCDFLock.unlock() }
  let status = body()
  guard status == NC_NOERR else {
    let reason = nc_strerror(status).map { String(cString: $0) } ?? "error \(status)"
    throw ReportingError(.cannotWrite, "netCDF can't take \(place): \(reason)")
  }
}
