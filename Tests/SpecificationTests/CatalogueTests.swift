import Foundation
import Testing

import Specification

/// What `isomix models` says is what the reader takes.
extension FamilyDescription: CustomTestStringConvertible {
  public var testDescription: String { family }
}

@Suite struct CatalogueTests {
  @Test func everyFamilyIsDescribedOnce() {
    let described = FamilyDescription.all.map(\.family)
    #expect(Set(described).count == described.count)
    #expect(described.sorted() == ModelSpecification.families.sorted())
  }

  @Test(arguments: FamilyDescription.all)
  func exampleIsASpecOfItsFamily(description: FamilyDescription) throws {
    let specification = try FitSpecification(yaml: description.example, source: "example", folder: "/")
    #expect(specification.model.family == description.family)
  }

  /// An unknown key's error lists the valid ones: those, and no others, are described.
  @Test(arguments: FamilyDescription.all)
  func keysAreThoseThatTheReaderTakes(description: FamilyDescription) throws {
    let spec = description.example.replacing("model:\n", with: "model:\n  nonsense: 1\n", maxReplacements: 1)
    let error = #expect(throws: SpecificationError.self) {
      try FitSpecification(yaml: spec, source: "example", folder: "/")
    }
    let message = try #require(error?.message)
    for key in description.keys {
      #expect(message.contains(key.name), "\(description.family): \(key.name) is not a key: \(message)")
    }
    let listed = try #require(message.range(of: "Valid keys: ").map { message[$0.upperBound...] })
    let valid = listed.split { !($0.isLetter || $0 == "_") }.map(String.init)
    #expect(Set(valid) == Set(description.keys.map(\.name) + ["family"]), "\(message)")
  }
}
