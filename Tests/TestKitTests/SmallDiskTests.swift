import Foundation
import TestKit
import Testing

@Suite(.serialized, .enabled(if: SmallDisk.unavailable == nil, "\(SmallDisk.unavailable ?? "")"))
struct SmallDiskTests {
  private func write(_ count: Int, to path: String) -> Bool {
    (try? Data(count: count).write(to: URL(fileURLWithPath: path))) != nil
  }

  @Test func diskIsFullUntilThereIsRoom() throws {
    var disk: SmallDisk? = try SmallDisk(kilobytes: 64)
    let path = try #require(disk?.path)
    #expect(write(10_000, to: "\(path)/a"))
    try disk?.fill(leaving: 8)
    #expect(disk?.freeBytes == 8192)
    #expect(write(5_000, to: "\(path)/b"))
    try disk?.fill()
    #expect(!write(5_000, to: "\(path)/c"))
    disk?.makeRoom()
    #expect(write(5_000, to: "\(path)/d"))
    try disk?.makeReadOnly()
    #expect(!write(1, to: "\(path)/e"))
    disk = nil
    #expect(!FileManager.default.fileExists(atPath: path))
  }
}
