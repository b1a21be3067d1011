import Foundation
import Synchronization

/// A disk of a few kilobytes, in memory, that can be filled up. It needs root; ask ``unavailable`` first.
public final class SmallDisk: Sendable {
  /// Where it is mounted.
  public let path: String
  private let folder: TemporaryFolder
  private var filler: String { path + "/filler" }

  /// Mounted things are listed with this and the number of the process.
  private static let name = "isomix-test-"

  public init(kilobytes: Int) throws {
    SmallDisk.removeStale()
    folder = try TemporaryFolder()
    path = folder("disk")
    guard mkdir(path, 0o755) == 0,
      mount(SmallDisk.name + "\(getpid())", path, "tmpfs", 0, "size=\(kilobytes)k") == 0
    else {
      throw TestKitError("can't mount a small disk: \(Spawn.reason())")
    }
  }

  deinit { umount2(path, Int32(MNT_DETACH)) }

  /// Why there can be no small disk here; nil when there can.
  public static let unavailable: String? = {
    do {
      _ = try SmallDisk(kilobytes: 64)
      return nil
    } catch {
      return "no small disk here (root may mount one): \(error)"
    }
  }()

  /// The path of an entry.
  public func callAsFunction(_ name: String) -> String { "\(path)/\(name)" }

  /// Takes all the room that is left, except for so many kilobytes.
  public func fill(leaving kilobytes: Int = 0) throws {
    let descriptor = open(filler, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw TestKitError("can't fill \(path): \(Spawn.reason())") }
    defer { close(descriptor) }
    let block = [UInt8](repeating: 1, count: 1024)
    while freeBytes > kilobytes * 1024, write(descriptor, block, block.count) > 0 {}
  }

  /// Gives back what ``fill(leaving:)`` took.
  public func makeRoom() { unlink(filler) }

  /// Makes the disk refuse all writing.
  /// - Throws: while a file on it is open for writing.
  public func makeReadOnly() throws {
    let flags = UInt(MS_REMOUNT | MS_RDONLY)
    guard mount(SmallDisk.name + "\(getpid())", path, "tmpfs", flags, nil) == 0 else {
      throw TestKitError("can't remount \(path): \(Spawn.reason())")
    }
  }

  /// The room that is left.
  public var freeBytes: Int {
    var status = statvfs()
    guard statvfs(path, &status) == 0 else { return 0 }
    return Int(status.f_bavail) * Int(status.f_frsize)
  }

  /// Removes the disks of test programs that are gone.
  private static func removeStale() {
    let mounts = (try? String(contentsOfFile: "/proc/mounts", encoding: .utf8)) ?? ""
    for words in mounts.split(separator: "\n").map({ $0.split(separator: " ") }) where words.count > 1 {
      guard words[0].hasPrefix(name), let owner = pid_t(words[0].dropFirst(name.count)),
        !ProcessTable.isLiving(owner)
      else { continue }
      umount2(String(words[1]), Int32(MNT_DETACH))
      try? FileManager.default.removeItem(atPath: (String(words[1]) as NSString).deletingLastPathComponent)
    }
  }
}
