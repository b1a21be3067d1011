// swift-tools-version: 6.1
import PackageDescription

// Dependencies point down this list only (see the architecture page in Sources/isomix).
let package = Package(
  name: "isomix",
  platforms: [.macOS(.v14)],
  products: [
    .executable(name: "isomix", targets: ["isomix"]),
    // For programs with targets of their own: cluster/examples/custom-target.
    .library(
      name: "IsomixKit",
      targets: [
        "IsomixCommands", "FitRuntime", "Inference", "Posteriors", "Specification", "Mixtures", "NumericsKit",
      ]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    .package(url: "https://github.com/swhitty/FlyingFox", exact: "0.27.1"),
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
    .systemLibrary(
      name: "CNetCDF", pkgConfig: "netcdf",
      providers: [.apt(["libnetcdf-dev"]), .brew(["netcdf"])]),
    .systemLibrary(
      name: "CHDF5", pkgConfig: "hdf5", providers: [.apt(["libhdf5-dev"]), .brew(["hdf5"])]),
    .target(name: "CKernels"),
    .target(name: "CPlatform"),
    .target(name: "CBridgeStan"),

    // Numbers.
    .target(name: "NumericsKit", dependencies: ["CKernels", "COpenBLAS", "COpenSSL"]),
    .target(name: "Mixtures", dependencies: ["NumericsKit", "CKernels"]),
    .target(name: "Posteriors", dependencies: ["NumericsKit", "CKernels"]),
    .target(name: "StanModels", dependencies: ["Posteriors", "NumericsKit", "CBridgeStan", "CPlatform"]),
    .target(name: "Datasets", dependencies: ["NumericsKit", "CHDF5"]),
    .target(
      name: "Specification",
      dependencies: ["NumericsKit", "Mixtures", "Posteriors", .product(name: "Yams", package: "Yams")]),
    .target(
      name: "Inference",
      dependencies: [
        "NumericsKit", "CKernels", "Mixtures", "Posteriors", "StanModels", "Datasets", "Specification",
      ]),

    // Messages and machines.
    .target(name: "Wire"),
    .target(name: "Coordination", dependencies: ["Wire", "NumericsKit"]),
    .target(name: "Simulation", dependencies: ["Coordination", "Wire", "NumericsKit"]),
    .target(name: "ZeroMQTransport", dependencies: ["Wire", "CZeroMQ", "CPlatform"]),

    // Results and services.
    .target(
      name: "Reporting",
      dependencies: [
        "Inference", "Mixtures", "NumericsKit", "Posteriors", "Datasets", "Specification", "CNetCDF",
      ]),
    .target(
      name: "Report",
      dependencies: ["Reporting", "Inference", "Posteriors", "Datasets", "Mixtures", "NumericsKit"]),
    .target(
      name: "Dashboard",
      dependencies: [
        "Reporting", "Report", "NumericsKit", "CPlatform",
        .product(name: "FlyingFox", package: "FlyingFox"),
        .product(name: "FlyingSocks", package: "FlyingFox"),
      ]),
    .target(
      name: "FitRuntime",
      dependencies: [
        "Dashboard", "Inference", "Coordination", "Wire", "ZeroMQTransport", "Reporting", "Report",
        "Datasets",
        "Specification", "Posteriors", "StanModels", "CPlatform",
      ],
      // The scripts of `isomix launch`: links to those in cluster/.
      resources: [
        .embedInCode("Launch/Templates/slurm-fit.sh"), .embedInCode("Launch/Templates/slurm-join.sh"),
        .embedInCode("Launch/Templates/ssh-fit.sh"),
      ]),
    .target(
      name: "IsomixCommands",
      dependencies: [
        "FitRuntime", "Dashboard", "Reporting", "Inference", "Datasets", "Specification", "Posteriors",
        "NumericsKit", "Coordination", "Simulation",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),
    .executableTarget(name: "isomix", dependencies: ["IsomixCommands"]),
    // An example of a program with a target of its own; it is a package of its own, too.
    .executableTarget(
      name: "ring", dependencies: ["IsomixCommands", "Inference", "Posteriors", "NumericsKit"],
      path: "cluster/examples/custom-target/Sources/ring"),

    // Tests.
    .target(
      name: "TestKit", dependencies: ["NumericsKit", "CZeroMQ"], path: "Tests/TestKit",
      exclude: ["stan_test_models.c", "watch_page.py"]),
    .testTarget(name: "TestKitTests", dependencies: ["TestKit"]),
    .testTarget(name: "NumericsKitTests", dependencies: ["NumericsKit", "TestKit"]),
    .testTarget(name: "MixturesTests", dependencies: ["Mixtures", "TestKit"]),
    .testTarget(name: "PosteriorsTests", dependencies: ["Posteriors", "TestKit"]),
    .testTarget(
      name: "StanModelsTests", dependencies: ["StanModels", "Posteriors", "NumericsKit", "TestKit"]),
    .testTarget(name: "DatasetsTests", dependencies: ["Datasets", "TestKit"]),
    .testTarget(name: "SpecificationTests", dependencies: ["Specification", "TestKit"]),
    .testTarget(name: "InferenceTests", dependencies: ["Inference", "TestKit"]),
    .testTarget(name: "WireTests", dependencies: ["Wire", "TestKit"]),
    .testTarget(name: "CoordinationTests", dependencies: ["Coordination", "TestKit"]),
    .testTarget(name: "SimulationTests", dependencies: ["Simulation", "TestKit"]),
    .testTarget(name: "ZeroMQTransportTests", dependencies: ["ZeroMQTransport", "CZeroMQ", "TestKit"]),
    .testTarget(
      name: "ReportTests",
      dependencies: [
        "Report", "Reporting", "Inference", "Posteriors", "Mixtures", "NumericsKit", "TestKit",
      ]),
    .testTarget(name: "DashboardTests", dependencies: ["Dashboard", "Reporting", "TestKit"]),
    .testTarget(
      name: "FitRuntimeTests",
      dependencies: [
        "FitRuntime", "Inference", "Mixtures", "NumericsKit", "Posteriors", "Reporting", "TestKit",
        "Wire", "ZeroMQTransport", "CNetCDF",
      ]),
    .testTarget(
      name: "CommandTests",
      dependencies: [
        "isomix", "ring", "TestKit", "Inference", "Mixtures", "Reporting", "Specification", "Wire",
        "ZeroMQTransport",
        "NumericsKit", "CZeroMQ",
      ],
      exclude: [
        "pyzmq_nonsense.py", "read_metrics.py", "read_outputs.py", "kubernetes_mutations.py",
        "kubernetes_pods.py",
        "systemd_pool.sh",
      ]),
  ],
  swiftLanguageModes: [.v6],
  cLanguageStandard: .gnu11
)
