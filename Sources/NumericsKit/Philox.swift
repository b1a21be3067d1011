import CKernels

/// The counter-based generator Philox4x32-10 (Salmon, Moraes, Dror, Shaw, SC'11), as published in Random123.
public enum Philox {
  /// The four 32-bit words of one block.
  public static func block(
    counter: (UInt32, UInt32, UInt32, UInt32), key: (UInt32, UInt32)
  ) -> [UInt32] {
    let counter = [counter.0, counter.1, counter.2, counter.3]
    let key = [key.0, key.1]
    var words = [UInt32](repeating: 0, count: 4)
    isomix_philox4x32_10(counter, key, &words)
    return words
  }
}
