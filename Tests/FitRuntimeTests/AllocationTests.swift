import Foundation
import TestKit
import Testing

import FitRuntime
import Wire

/// Machines made of files: `/proc` and control groups as containers and batch systems leave them.
@Suite struct AllocationTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func write(_ text: String, _ path: String) throws {
    let full = folder(path)
    try FileManager.default.createDirectory(
      atPath: (full as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    try text.write(toFile: full, atomically: true, encoding: .utf8)
  }

  private func measure(_ environment: [String: String] = [:], affinity: Int = 16) -> Allocation {
    Allocation.measure(root: folder.path, environment: environment, affinity: affinity)
  }

  @Test func affinityAloneBoundsAProcessOfAnUnlimitedMachine() {
    let allocation = measure()
    #expect(allocation.cores == 16 && allocation.bound == .affinity && allocation.quota == nil)
    #expect(allocation.workers(threads: 1) == 16 && allocation.workers(threads: 3) == 5)
    #expect(allocation.workers(threads: 100) == 1)
  }

  @Test func processesOfOneKernelWithOneAffinityShareProcessors() throws {
    #expect(Allocation.processors(root: folder.path, affinity: 4) == nil)
    func processors(boot: String, allowed: String) throws -> Processors {
      try write("\(boot)\n", "proc/sys/kernel/random/boot_id")
      try write(
        "Name:\tisomix\nThreads:\t\(Int.random(in: 1...99))\nCpus_allowed:\t\(allowed)\nMems_allowed:\t1\n",
        "proc/self/status")
      return try #require(Allocation.processors(root: folder.path, affinity: 4))
    }
    let here = try processors(boot: "dfa10174-a59b", allowed: "f0")
    #expect(here.count == 4)
    #expect(try processors(boot: "dfa10174-a59b", allowed: "f0") == here)
    #expect(try processors(boot: "dfa10174-a59b", allowed: "0f").set != here.set)
    #expect(try processors(boot: "0b5e6e0c-77aa", allowed: "f0").set != here.set)
  }

  private func version2() throws {
    try write("0::/user.slice/job\n", "proc/self/cgroup")
    try write(
      "30 24 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n",
      "proc/self/mountinfo")
    try write("max 100000\n", "sys/fs/cgroup/user.slice/job/cpu.max")
    try write("max\n", "sys/fs/cgroup/user.slice/job/memory.max")
  }

  @Test func leastLimitOnTheWayUpHoldsInVersion2() throws {
    try version2()
    #expect(measure().cores == 16 && measure().memory_bytes == nil)
    try write("350000 100000\n", "sys/fs/cgroup/user.slice/cpu.max")
    try write("1073741824\n", "sys/fs/cgroup/user.slice/memory.max")
    #expect(measure().quota == 3.5 && measure().cores == 3 && measure().bound == .controlGroup)
    #expect(measure().memory_bytes == 1 << 30)
    try write("50000 100000\n", "sys/fs/cgroup/user.slice/job/cpu.max")
    #expect(measure().quota == 0.5 && measure().cores == 1)
    #expect(measure(affinity: 1).bound == .controlGroup)
  }

  /// The path is the host's, and only the container's own group is mounted.
  @Test func containerSeesItsLimitAtTheTop() throws {
    try version2()
    try write("0::/../../docker/abc\n", "proc/self/cgroup")
    try write("200000 100000\n", "sys/fs/cgroup/cpu.max")
    #expect(measure().cores == 2)
  }

  @Test func limitsOfVersion1AreInTheHierarchiesOfTheirControllers() throws {
    try write(
      "5:name=systemd:/x\n4:memory:/slurm/job_7\n3:cpuset:/y\n2:cpu,cpuacct:/slurm/job_7\n0::/\n",
      "proc/self/cgroup")
    try write(
      """
      31 30 0:27 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd
      32 30 0:28 / /sys/fs/cgroup/cpu,cpuacct rw shared:9 - cgroup cgroup rw,cpu,cpuacct
      33 30 0:29 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
      34 30 0:30 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw

      """, "proc/self/mountinfo")
    let job = "sys/fs/cgroup/cpu,cpuacct/slurm/job_7"
    try write("-1\n", "\(job)/cpu.cfs_quota_us")
    try write("100000\n", "\(job)/cpu.cfs_period_us")
    try write("9223372036854771712\n", "sys/fs/cgroup/memory/slurm/job_7/memory.limit_in_bytes")
    #expect(measure().cores == 16 && measure().quota == nil && measure().memory_bytes == nil)
    try write("400000\n", "\(job)/cpu.cfs_quota_us")
    try write("2147483648\n", "sys/fs/cgroup/memory/slurm/job_7/memory.limit_in_bytes")
    #expect(measure().cores == 4 && measure().quota == 4 && measure().memory_bytes == 1 << 31)
  }

  /// As Slurm 22.05 sets them.
  @Test func slurmSaysWhatIsOursOfTheNode() {
    let batch = [
      "SLURMD_NODENAME": "node1", "SLURM_CPUS_ON_NODE": "6", "SLURM_JOB_NUM_NODES": "3",
      "SLURM_JOB_CPUS_PER_NODE": "6(x3)", "SLURM_TASKS_PER_NODE": "2(x3)",
    ]
    #expect(measure(batch).cores == 6 && measure(batch).bound == .slurm && measure(batch).nodes == 3)
    #expect(measure(batch, affinity: 4).cores == 4)
    var step = batch
    step["SLURM_STEP_ID"] = "0"
    step["SLURM_STEP_TASKS_PER_NODE"] = "3(x2),1"
    step["SLURM_NODEID"] = "1"
    #expect(measure(step).cores == 2)
    step["SLURM_NODEID"] = "2"
    #expect(measure(step).cores == 6)
    step["SLURM_CPUS_PER_TASK"] = "5"
    #expect(measure(step).cores == 5)
  }

  /// `salloc` leaves a job's variables in a shell outside of it.
  @Test func shellOfSallocOnTheLoginNodeIsNoPartOfTheJob() {
    let salloc = ["SLURM_JOB_ID": "7", "SLURM_JOB_NUM_NODES": "3", "SLURM_JOB_CPUS_PER_NODE": "2(x3)"]
    #expect(measure(salloc).cores == 16 && measure(salloc).slurm == nil && measure(salloc).nodes == nil)
  }

  @Test func nonsenseBoundsNothing() throws {
    try write("0::\nx\n", "proc/self/cgroup")
    try write("not a mount\n1 2 3 - cgroup2\n- - - - - cgroup2 a b\n", "proc/self/mountinfo")
    let variables = ["SLURMD_NODENAME": "n", "SLURM_CPUS_ON_NODE": "-3", "SLURM_STEP_ID": "x"]
    #expect(measure(variables).cores == 16)
    #expect(Allocation.counts("4(x2),3") == [4, 4, 3] && Allocation.counts("x").isEmpty)
    #expect(Allocation.counts("2(x99999999999)").count <= 100_000)
  }

  @Test func doctorTellsWhereTheNumberComesFrom() {
    let allocation = Allocation(affinity: 8, quota: 3.5, slurm: 4, nodes: 2, memory_bytes: nil)
    let check = DoctorResources.describe(allocation, present: 64)
    #expect(
      check.finding == "3 core(s) for this process: 8 of 64 by its CPU affinity, 3.50 by its control group, "
        + "4 by Slurm; the job has 2 nodes")
  }
}
