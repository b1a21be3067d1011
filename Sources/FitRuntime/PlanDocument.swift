import Foundation
import Inference
import NumericsKit
import Reporting
import Wire

/// The file `plan.json`.
struct PlanDocument: Encodable {
  /// Names the run in every message, over all the times that it is resumed.
  let run: String
  let plan: Plan
  let train: FitSetup.DesignReference?
  let test: FitSetup.DesignReference?
  let files: [FitSetup.FileReference]?
  let numerics: NumericsFingerprint
  let version: String
  let build: String

  static let fileName = "plan.json"

  init(run: RunID, setup: FitSetup, identity: Identity) {
    self.run = run.description
    plan = setup.plan
    train = setup.train
    test = setup.test
    files = setup.files
    numerics = identity.fingerprint
    version = Identity.version
    build = identity.build
  }
}

/// Which run this is: the one whose folder is resumed, or a new one.
struct RunIdentity {
  let run: RunID

  private struct Named: Decodable { let run: String }

  init(in folder: RunFolder, resuming: Bool) {
    if resuming, let data = FileManager.default.contents(atPath: folder.file(PlanDocument.fileName)),
      let named = try? JSONDecoder().decode(Named.self, from: data), let run = RunID(named.run)
    {
      self.run = run
    } else {
      run = RunID(bytes: (0..<RunID.byteCount).map { _ in UInt8.random(in: 0...255) })
    }
  }
}
