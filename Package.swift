// swift-tools-version: 6.1
import PackageDescription

// Dependencies point down this list only (see the architecture page in Sources/isomix).
let package = Package(
  name: "isomix",
  platforms: [.macOS(.v14)],
  products: [
    .executable(name: "isomix", targets: ["isomix"])
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
  ],
  targets: [
    // C libraries and shims, as thin as possible.
    .systemLibrary(
      name: "CZeroMQ", providers: [.apt(["libzmq3-dev"]), .brew(["zeromq"])]),
    .systemLibrary(
      name: "COpenBLAS", pkgConfig: "openblas",
      providers: [.apt(["libopenblas-dev"]), .brew(["openblas"])]),
    .systemLibrary(
      name: "COpenSSL", pkgConfig: "libcrypto",
      providers: [.apt(["libssl-dev"]), .brew(["openssl"])]),
    .target(name: "CKernels"),
    .target(name: "CPlatform"),

    // Numbers.
    .target(name: "NumericsKit", dependencies: ["CKernels", "COpenBLAS", "COpenSSL"]),
    .target(name: "Mixtures", dependencies: ["NumericsKit", "CKernels"]),
    .target(name: "Posteriors", dependencies: ["NumericsKit", "CKernels"]),
    .target(name: "Datasets", dependencies: ["NumericsKit"]),
    .target(
      name: "Specification",
      dependencies: ["NumericsKit", "Mixtures", "Posteriors", .product(name: "Yams", package: "Yams")]),
    .target(
      name: "Inference",
      dependencies: ["NumericsKit", "Mixtures", "Posteriors", "Datasets", "Specification"]),

    // Messages and machines.
    .target(name: "Wire"),
    .target(name: "Coordination", dependencies: ["Wire", "NumericsKit"]),
    .target(name: "Simulation", dependencies: ["Coordination", "Wire", "NumericsKit"]),
    .target(name: "ZeroMQTransport", dependencies: ["Wire", "CZeroMQ", "CPlatform"]),

    // Results and services.
    .target(name: "Reporting", dependencies: ["Inference", "Mixtures", "NumericsKit"]),
    .target(
      name: "FitRuntime",
      dependencies: [
        "Inference", "Coordination", "Wire", "ZeroMQTransport", "Reporting", "Datasets",
        "Specification", "CPlatform",
      ]),
    .executableTarget(
      name: "isomix",
      dependencies: [
        "FitRuntime", "Reporting", "Inference", "Datasets", "Specification", "Posteriors", "NumericsKit",
        "Coordination", "Simulation",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),

    // Tests.
    .target(name: "TestKit", dependencies: ["NumericsKit", "CZeroMQ"], path: "Tests/TestKit"),
    .testTarget(name: "TestKitTests", dependencies: ["TestKit"]),
    .testTarget(name: "NumericsKitTests", dependencies: ["NumericsKit", "TestKit"]),
    .testTarget(name: "MixturesTests", dependencies: ["Mixtures", "TestKit"]),
    .testTarget(name: "PosteriorsTests", dependencies: ["Posteriors", "TestKit"]),
    .testTarget(name: "DatasetsTests", dependencies: ["Datasets", "TestKit"]),
    .testTarget(name: "SpecificationTests", dependencies: ["Specification", "TestKit"]),
    .testTarget(name: "InferenceTests", dependencies: ["Inference", "TestKit"]),
    .testTarget(name: "WireTests", dependencies: ["Wire", "TestKit"]),
    .testTarget(name: "CoordinationTests", dependencies: ["Coordination", "TestKit"]),
    .testTarget(name: "SimulationTests", dependencies: ["Simulation", "TestKit"]),
    .testTarget(name: "ZeroMQTransportTests", dependencies: ["ZeroMQTransport", "CZeroMQ", "TestKit"]),
    .testTarget(
      name: "FitRuntimeTests",
      dependencies: [
        "FitRuntime", "Inference", "Mixtures", "NumericsKit", "Reporting", "TestKit", "ZeroMQTransport",
      ]),
    .testTarget(
      name: "CommandTests",
      dependencies: [
        "isomix", "TestKit", "Inference", "Reporting", "Specification", "Wire", "ZeroMQTransport",
        "NumericsKit", "CZeroMQ",
      ], exclude: ["pyzmq_nonsense.py"]),
  ],
  swiftLanguageModes: [.v6],
  cLanguageStandard: .gnu11
)
