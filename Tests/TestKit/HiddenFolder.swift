import Foundation

/// Runs programs that can't see a folder: they have an empty one in its place.
public enum HiddenFolder {
  private static let tool = "/usr/bin/unshare"

  /// The program and the words before another program's own that hide a folder from it.
  public static func words(hiding path: String) -> (executable: String, arguments: [String]) {
    (tool, ["--mount", "/bin/sh", "-c", "mount -t tmpfs none \"$1\" && shift && exec \"$@\"", "sh", path])
  }

  /// Why nothing can be hidden here; nil when it can.
  public static let unavailable: String? = {
    do {
      let folder = try TemporaryFolder()
      try folder.write("seen", to: "file")
      let (executable, arguments) = words(hiding: folder.path)
      let name = URL(fileURLWithPath: executable).lastPathComponent
      let seen = try Spawn.tool([name] + arguments + ["/bin/ls", folder.path])
      return seen.isEmpty ? nil : "a folder can't be hidden"
    } catch {
      return "no mount namespaces here: \(error)"
    }
  }()
}
