import CPlatform

/// A network interface that is up, with its addresses in the system's order.
struct NetworkInterface {
  let name: String
  private(set) var addresses: [String]

  /// This host's interfaces, in the system's order; none when the system does not say.
  static func current() -> [NetworkInterface] {
    final class Found { var list: [NetworkInterface] = [] }
    let found = Found()
    _ = isomix_list_addresses(
      { name, address, context in
        guard let name, let address, let context else { return }
        let found = Unmanaged<Found>.fromOpaque(context).takeUnretainedValue()
        let (interface, text) = (String(cString: name), String(cString: address))
        if let index = found.list.firstIndex(where: { $0.name == interface }) {
          found.list[index].addresses.append(text)
        } else {
          found.list.append(NetworkInterface(name: interface, addresses: [text]))
        }
      }, Unmanaged.passUnretained(found).toOpaque())
    return found.list
  }
}
