import ArgumentParser
import Datasets
import FitRuntime
import Foundation
import NumericsKit

struct DataCacheCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cache",
    abstract: "List what fits keep of their data, and remove what was not used for long.",
    discussion: """
      Fits import their data into a cache and find them there again. With ISOMIX_CACHE_LIMIT=20G in the environment
      every fit removes what was used longest ago, beyond that size; data.cache: {limit: 20G} in a spec does so for that
      fit where the environment says nothing. What a running fit has open is never removed. Workers of fits with \
      data.transport: stream keep what they get in a cache of this kind, too (shard).

      EXAMPLE
        isomix data cache list
        isomix data cache prune --limit 5G
      """,
    subcommands: [List.self, Prune.self])

  /// Where the cache is.
  struct Place: ParsableArguments {
    @Option(
      help: "Folder of the cache (default: $XDG_CACHE_HOME/isomix or ~/.cache/isomix).",
      completion: .directory)
    var cache: String?

    @Flag(help: "Print JSON.")
    var json = false

    var entries: DesignCache { DesignCache(folder: cache ?? FitService.defaultCache()) }
  }

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "list", abstract: "Show the entries, the one used longest ago first.",
      discussion: """
        EXAMPLE
          isomix data cache list
        """)

    @OptionGroup var place: Place

    func run() throws {
      try reportingFailures("data cache list") {
        let entries = place.entries.entries()
        if place.json { return try printJSON(entries) }
        for entry in entries { try printOut(DataCacheCommand.line(entry)) }
        let total = ByteSize(bytes: entries.reduce(0) { $0 + $1.byteCount })
        let limit = try DesignCache.limit().map { "; the limit is \($0)" } ?? ""
        try printOut("\(entries.count) entries, \(total)\(limit)")
      }
    }
  }

  struct Prune: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "prune", abstract: "Remove the entries used longest ago until the rest fits into a limit.",
      discussion: """
        EXAMPLE
          isomix data cache prune --limit 5G
        """)

    @OptionGroup var place: Place

    @Option(
      help: "Size to keep, like 20G or 500M; 0 keeps only what is in use (default: ISOMIX_CACHE_LIMIT).")
    var limit: String?

    func run() throws {
      try reportingFailures("data cache prune") {
        let asked = limit.flatMap { ByteSize($0) }
        if let limit, asked == nil {
          throw DatasetError(.badData, "--limit: '\(limit)' is no size; write it like 20G or 500M")
        }
        guard let size = try asked ?? DesignCache.limit() else {
          throw DatasetError(.badData, "there is no limit; give --limit or set ISOMIX_CACHE_LIMIT")
        }
        let removed = place.entries.prune(to: size)
        if place.json { return try printJSON(removed) }
        for entry in removed { try printOut("removed " + DataCacheCommand.line(entry)) }
        let left = place.entries.entries().reduce(0) { $0 + $1.byteCount }
        try printOut("\(removed.count) removed, \(ByteSize(bytes: left)) left")
      }
    }
  }

  private static func line(_ entry: DesignCache.Entry) -> String {
    let day = Date(timeIntervalSince1970: entry.lastUsed).formatted(.iso8601)
    return "\(ByteSize(bytes: entry.byteCount))  \(entry.kind.rawValue)  \(day)  \(entry.content)"
      + (entry.isUsed ? "  (in use)" : "")
  }
}
