import Foundation

/// Libraries of Stan models for tests.
public enum StanLibraries {
  private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
  private static let repository = folder.deletingLastPathComponent().deletingLastPathComponent().path

  /// Stan programs, data and figures.
  public static let references = "\(repository)/Tests/References/stan"

  /// PyPI's `stanli`, which interprets Stan programs: where `cluster/test.sh` puts it, or where `ISOMIX_STANLI` says.
  public static let stanli: String? = {
    let candidates = [
      ProcessInfo.processInfo.environment["ISOMIX_STANLI"],
      "\(repository)/.build/python/stanli/_bin/libstanli.so",
    ]
    return candidates.compactMap { $0 }.first { FileManager.default.fileExists(atPath: $0) }
  }()

  /// What is missing where there is none.
  public static let stanliAdvice =
    "PyPI's stanli is not there: cluster/test.sh installs it, or ISOMIX_STANLI names its libstanli.so"

  /// Compiles the library of misbehaving models (`stan_test_models.c`).
  /// - Parameter options: `-D…`, see there.
  public static func misbehaving(_ options: String..., in folder: TemporaryFolder) throws -> String {
    let library = folder("models\(options.joined()).so")
    let compiler = Process()
    compiler.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    compiler.arguments =
      ["clang", "-shared", "-fPIC", "-O1", "-o", library] + options
      + ["\(StanLibraries.folder.path)/stan_test_models.c", "-lm"]
    try compiler.run()
    compiler.waitUntilExit()
    guard compiler.terminationStatus == 0 else {
      throw TestKitError("clang, which comes with Swift, can't compile stan_test_models.c")
    }
    return library
  }
}
