import Foundation
import TestKit
import Testing

extension Commands {
  /// Keys that root hands out to a group, as a Secret's volume and systemd's credentials are, seen by another user.
  @Suite(.serialized, .enabled(if: geteuid() == 0, "only root can make files of others"))
  struct HandedOutKeys {
    private static let user: uid_t = 65532
    private static let group: gid_t = 65532

    /// Files of root's with a group, and the worker that is to read them.
    private struct Place {
      let folder: TemporaryFolder
      let keys: KeyPlace

      init() async throws {
        folder = try TemporaryFolder()
        chmod(folder.path, 0o755)
        keys = try await KeyPlace("keys", in: folder)
        chmod(keys.path, 0o755)
        try set("coordinator.public", mode: 0o440)
        try set("worker.secret", mode: 0o440)
      }

      func set(_ name: String, mode: mode_t, owner: uid_t = 0) throws {
        try #require(chown(keys.file(name), owner, HandedOutKeys.group) == 0)
        try #require(chmod(keys.file(name), mode) == 0)
      }

      /// What a worker of another user says; there is nobody to connect to.
      func worker() async throws -> CommandResult {
        let identity = ["--reuid", "\(HandedOutKeys.user)", "--regid", "\(HandedOutKeys.group)"]
        return try await CommandRun.run(
          identity + ["--clear-groups", CommandRun.executable, "worker", "--connect", "ipc:///nowhere"]
            + ["--wait", "0", "--keys", keys.path], in: folder, executable: "/usr/bin/setpriv")
      }
    }

    @Test func areTakenFromRoot() async throws {
      let result = try await Place().worker()
      #expect(result.exitCode == 69, "\(result)")
    }

    @Test(arguments: [(0o444, 0), (0o460, 0), (0o450, 0), (0o440, 65532), (0o400, 1)] as [(mode_t, uid_t)])
    func areNotTakenFromOthersNorWhenOthersReadThem(mode: mode_t, owner: uid_t) async throws {
      let place = try await Place()
      try place.set("worker.secret", mode: mode, owner: owner)
      let result = try await place.worker()
      #expect(result.exitCode == 77 && result.errors.contains("worker.secret"), "\(result)")
    }

    /// A kubelet's folder has mode 1777 and is mounted read-only.
    @Test func folderThatOthersCanWriteToIsTakenOnlyWhereNobodyCan() async throws {
      let place = try await Place()
      chmod(place.keys.path, 0o1777)
      let open = try await place.worker()
      #expect(open.exitCode == 77 && open.errors.contains("others can put keys into"), "\(open)")
      // In a mount namespace of its own, the worker sees the folder through a read-only mount.
      let script = """
        set -e
        mount --bind \(place.keys.path) \(place.keys.path)
        mount -o remount,bind,ro \(place.keys.path)
        exec setpriv --reuid \(HandedOutKeys.user) --regid \(HandedOutKeys.group) --clear-groups \
        \(CommandRun.executable) worker --connect ipc:///nowhere --wait 0 --keys \(place.keys.path)
        """
      let sealed = try await CommandRun.run(
        ["--mount", "sh", "-c", script], in: place.folder, executable: "/usr/bin/unshare")
      #expect(sealed.exitCode == 69, "\(sealed)")
    }
  }
}
