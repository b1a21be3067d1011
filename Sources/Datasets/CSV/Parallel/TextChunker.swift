import Foundation
import NumericsKit

/// Cuts CSV files into chunks of whole records, reading each file once from beginning to end, and digesting it on request.
///
/// A line end ends a record exactly if the number of quotes before it is even: that is what RFC 4180's doubled quotes
/// are good for. Where a text breaks the rules, it does so before the first cut that is wrong, so that whoever reads the
/// chunks in order meets the error first. A cut lies between two lines that are not empty: runs of empty lines, which
/// mean different things before a record and at the end, stay in one chunk.
final class TextChunker {
  private let files: [CSVFile]
  private let chunkBytes: Int
  private let most: Int
  private(set) var file: Int
  private var source: any ByteSource
  private let isDigested: Bool
  private var hasher: DigestBuilder?
  private var offset = 0
  /// Bytes read and not yet given out.
  private var carried: [UInt8] = []
  private var isAtEnd = false
  /// What was read of the files that are done.
  private(set) var finished: [SourceFile] = []

  /// - Parameters:
  ///   - chunkBytes: bytes of a chunk, about.
  ///   - most: bytes of a chunk at most, about: a longer text without a cut is endless.
  ///   - isDigested: false: digests are those of nothing.
  init(
    _ files: [CSVFile], chunkBytes: Int, most: Int = DatasetLimits.chunkBytes, isDigested: Bool = true
  ) throws {
    guard let first = files.first else { throw DatasetError(.noInput, "no CSV file is named") }
    self.files = files
    self.chunkBytes = max(1, chunkBytes)
    self.most = max(chunkBytes, most)
    file = 0
    self.isDigested = isDigested
    hasher = isDigested ? DigestBuilder() : nil
    source = try first.open()
  }

  /// The next chunk; nil after the last file's.
  func next() throws -> TextChunk? {
    while true {
      if isAtEnd {
        guard file + 1 < files.count else { return nil }
        file += 1
        source = try files[file].open()
        hasher = isDigested ? DigestBuilder() : nil
        (offset, carried, isAtEnd) = (0, [], false)
      }
      var wanted = chunkBytes
      while true {
        try fill(to: wanted)
        if carried.count < wanted {
          // The end of the file.
          isAtEnd = true
          return try give(carried.count, isLast: true)
        }
        if let cut = carried.withUnsafeBytes(TextChunker.cut) { return try give(cut, isLast: false) }
        if wanted >= most { return try give(carried.count, isLast: false, isEndless: true) }
        wanted = min(most, 2 * wanted)
      }
    }
  }

  /// Reads what follows an endless chunk.
  func readRest(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    let count = try source.read(into: buffer)
    hasher?.update(UnsafeRawBufferPointer(rebasing: buffer[0..<count]))
    offset += count
    if count == 0, !isAtEnd {
      isAtEnd = true
      try finishFile()
    }
    return count
  }

  private func fill(to count: Int) throws {
    var filled = carried.count
    guard filled < count else { return }
    carried.append(contentsOf: repeatElement(0, count: count - filled))
    while filled < count {
      let read = try carried.withUnsafeMutableBytes {
        try source.read(into: UnsafeMutableRawBufferPointer(rebasing: $0[filled..<count]))
      }
      if read == 0 { break }
      filled += read
    }
    carried.removeLast(carried.count - filled)
  }

  private func give(_ count: Int, isLast: Bool, isEndless: Bool = false) throws -> TextChunk {
    let text = count == carried.count ? carried : Array(carried[0..<count])
    carried.removeFirst(count)
    let place = TextChunk.Place(
      file: file, offset: offset, prefix: digest, isLast: isLast, isEndless: isEndless)
    text.withUnsafeBytes { hasher?.update($0) }
    offset += count
    if isLast { try finishFile() }
    return TextChunk(place: place, text: text)
  }

  /// Of what was read of the current file.
  private var digest: Digest { hasher?.current() ?? Digest.of([UInt8]()) }

  private func finishFile() throws {
    let name = FileSystem.lastComponent(files[file].name)
    if files[file].isText {
      finished.append(SourceFile(name: name, byteCount: offset, sha256: digest.description))
    } else {
      // A program made the text from the file.
      let (byteCount, digest) = try source.finish()
      finished.append(SourceFile(name: name, byteCount: byteCount, sha256: digest.description))
    }
  }

  /// The last place of a text that starts with a record where a record ends and another one starts.
  static func cut(_ text: UnsafeRawBufferPointer) -> Int? {
    var quotes = 0
    for byte in text where byte == quote { quotes += 1 }
    var isQuoted = quotes % 2 == 1
    var index = text.count - 1
    while index > 0 {
      let byte = text[index]
      if byte == quote {
        isQuoted.toggle()
      } else if byte == lineFeed, !isQuoted, index + 1 < text.count {
        let next = text[index + 1]
        let last = text[index - 1] == carriageReturn ? index - 2 : index - 1
        if next != lineFeed, next != carriageReturn, last >= 0, text[last] != lineFeed { return index + 1 }
      }
      index -= 1
    }
    return nil
  }
}

extension TextChunker {
  /// Goes on with a file from a cut on.
  /// - Parameter prefix: what the bytes before it have to be, which are read again to find out.
  /// - Returns: whether they are; if not, this can't be used.
  func skip(to offset: Int, in file: Int, prefix: Digest, finished: [SourceFile]) throws -> Bool {
    guard files.indices.contains(file), files[file].isText, finished.count == file else { return false }
    self.file = file
    self.finished = finished
    source = try files[file].open()
    let buffer = UnsafeMutableRawBufferPointer.allocate(
      byteCount: DatasetLimits.readBufferBytes, alignment: 64)
    defer { buffer.deallocate() }
    while self.offset < offset {
      let most = min(buffer.count, offset - self.offset)
      let count = try source.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[0..<most]))
      if count == 0 { return false }
      hasher?.update(UnsafeRawBufferPointer(rebasing: buffer[0..<count]))
      self.offset += count
    }
    return digest == prefix
  }

  /// Goes to the end of all files, which were read before.
  func skipAll(_ finished: [SourceFile]) {
    self.finished = finished
    file = files.count - 1
    isAtEnd = true
  }
}

/// A file of CSV text.
package struct CSVFile {
  /// Its path, for messages.
  let name: String
  /// Whether the file has the text itself; false where a program makes it.
  let isText: Bool
  let open: () throws -> any ByteSource

  /// A CSV file.
  init(path: String) {
    name = path
    isText = true
    // Digested where it is cut into chunks.
    open = { try FileByteSource(path: path, isDigested: false) }
  }

  package init(name: String, isText: Bool, open: @escaping () throws -> any ByteSource) {
    self.name = name
    self.isText = isText
    self.open = open
  }
}

private let quote = UInt8(ascii: "\"")
private let lineFeed = UInt8(ascii: "\n")
private let carriageReturn = UInt8(ascii: "\r")
