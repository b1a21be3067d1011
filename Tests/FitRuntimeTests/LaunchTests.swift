import TestKit
import Testing

import FitRuntime

@Suite struct LaunchTests {
  private func rendered(_ text: String, _ values: [String: LaunchTemplate.Value]) throws -> String {
    try LaunchTemplate(source: "test", text: text).render(values)
  }

  @Test func wordsAreQuotedForTheShell() throws {
    let words = ["plain", "two words", "it's", "$HOME", "", "a;b", "*"]
    let folder = try TemporaryFolder()
    let script = try rendered("for word in {{words}}; do echo \"<$word>\"; done", ["words": .words(words)])
    #expect(script.contains("plain 'two words' 'it'\\''s'"))
    let path = try folder.write(script, to: "script.sh")
    let result = try CommandLine.output(of: "/bin/sh", path)
    #expect(result == words.map { "<\($0)>\n" }.joined())
  }

  @Test func linesWithoutAValueAreLeftOut() throws {
    let values: [String: LaunchTemplate.Value] = [
      "a": .absent, "b": .word("1"), "none": .words([]), "lines": .lines(["x 'y", "z"]),
    ]
    #expect(
      try rendered("--a={{a}}\n--b={{b}}\nlist=({{none}})\n{{{lines}}}\n{{{a}}}\nend", values)
        == "--b=1\nlist=()\nx 'y\nz\nend")
    #expect(throws: RuntimeError.self) { try rendered("{{c}}", values) }
    #expect(throws: RuntimeError.self) { try rendered("{{b", values) }
  }

  @Test(arguments: [
    ("90", 5400), ("1:30", 90), ("2:00:00", 7200), ("1-12", 129_600), ("1-0:30", 88_200), ("0-0:0:5", 5),
  ])
  func timeLimitsAreReadAsSlurmReadsThem(_ text: String, seconds: Int) {
    #expect(TimeLimit(text)?.seconds == seconds)
  }

  @Test(arguments: ["", "0", "x", "1:", ":1", "1-", "-1", "1:2:3:4", "1 ", "99999999999999", "1-2-3", "+1"])
  func otherTimeLimitsAreNone(_ text: String) { #expect(TimeLimit(text) == nil) }

  @Test func hostsHavePortsAndSlots() throws {
    let hosts = try LaunchHost.parse(
      "one\n# no\nada@two:2222  slots=3 # yes\n[::1]:22\nfe80::1\nme@[::1]\n\n", source: "hosts")
    #expect(hosts.map(\.destination) == ["one", "ssh://ada@two:2222", "ssh://[::1]:22", "fe80::1", "me@::1"])
    #expect(hosts.map(\.slots) == [nil, 3, nil, nil, nil])
  }

  /// ssh would take a host that begins with a hyphen for an option, and options run programs.
  @Test(arguments: [
    "-oProxyCommand=x", "a@-b", "@b", "a@", "h:0", "h:x", "h slots=0", "h slots=9999", "h x", "a/b",
  ])
  func badHostsAreRefused(_ line: String) {
    #expect(throws: RuntimeError.self) { try LaunchHost.parse(line, source: "hosts") }
  }

  @Test func interfacesBecomeTheirAddresses() throws {
    #expect(try Endpoint.resolved("tcp://lo:0") == "tcp://127.0.0.1:0")
    for same in ["tcp://*:0", "tcp://10.0.0.1:5", "tcp://nosuch0:0", "ipc:///tmp/x"] {
      #expect(try Endpoint.resolved(same) == same)
    }
  }
}

import Foundation

extension CommandLine {
  /// What a program prints.
  fileprivate static func output(of program: String, _ argument: String) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = [argument]
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return String(decoding: data, as: UTF8.self)
  }
}
