import CZeroMQ

/// The ZeroMQ library that this program runs with.
public enum ZeroMQLibrary {
  /// For example `4.3.4`.
  public static var version: String {
    var (major, minor, patch): (Int32, Int32, Int32) = (0, 0, 0)
    zmq_version(&major, &minor, &patch)
    return "\(major).\(minor).\(patch)"
  }

  /// Whether it can encrypt.
  public static var hasCurve: Bool { zmq_has("curve") == 1 }
}
