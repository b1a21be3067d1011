import CPlatform
import Foundation
import Glibc

/// Checks of sockets, ports and addresses.
enum DoctorNetwork {
  /// 1, 0, or -1 when it can't be told.
  static var clockIsSynchronized: Int32 { isomix_clock_is_synchronized() }

  /// Local workers join by a socket in a folder of their own.
  static func sockets() -> DoctorCheck {
    do {
      let folder = try SocketFolder()
      defer { folder.remove() }
      // sun_path has 108 bytes; names in the folder are short.
      let room = 107 - folder.path.utf8.count
      guard room >= 16 else {
        return DoctorCheck(
          "local sockets", .failed, "\(folder.path) is too long a path for sockets",
          advice: "set TMPDIR to a shorter one")
      }
      return DoctorCheck(
        "local sockets", "can be made in \((folder.path as NSString).deletingLastPathComponent)")
    } catch {
      return DoctorCheck(
        "local sockets", .failed, "\(error)", advice: "set TMPDIR to a folder that can be written")
    }
  }

  /// Remote workers join by TCP.
  static func ports() -> DoctorCheck {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard descriptor >= 0 else {
      return DoctorCheck("ports", .failed, "no TCP socket can be made: \(String(cString: strerror(errno)))")
    }
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
    let size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, size) == 0 }
    }
    guard isBound, listen(descriptor, 1) == 0 else {
      return DoctorCheck(
        "ports", .failed, "no port of 127.0.0.1 can be listened on: \(String(cString: strerror(errno)))",
        advice: "look for a sandbox or a firewall rule")
    }
    let range = (try? String(contentsOfFile: "/proc/sys/net/ipv4/ip_local_port_range", encoding: .utf8)) ?? ""
    let ends = range.split(whereSeparator: \.isWhitespace).joined(separator: "–")
    return DoctorCheck(
      "ports", "TCP ports can be listened on" + (ends.isEmpty ? "" : "; free ones are from \(ends)"))
  }

  /// The addresses that `--listen` can take.
  static func addresses() -> DoctorCheck {
    let others = NetworkInterface.current().filter { $0.name != "lo" }
    guard !others.isEmpty else {
      return DoctorCheck(
        "addresses", .warning, "no network interface but loopback is up",
        advice: "workers on other machines can't join here")
    }
    let list = others.flatMap { interface in interface.addresses.map { "\(interface.name) \($0)" } }
    return DoctorCheck("addresses", list.prefix(8).joined(separator: ", "))
  }
}
