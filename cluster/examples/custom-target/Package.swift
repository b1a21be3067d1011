// swift-tools-version: 6.1
import PackageDescription

// A program with a target of its own. In a repository of your own, name isomix by its URL and version instead of a path.
let package = Package(
  name: "custom-target",
  platforms: [.macOS(.v14)],
  dependencies: [.package(name: "isomix", path: "../../..")],
  targets: [
    .executableTarget(name: "ring", dependencies: [.product(name: "IsomixKit", package: "isomix")])
  ]
)
