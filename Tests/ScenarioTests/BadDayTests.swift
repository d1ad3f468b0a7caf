import Alerts
import Foundation
import Testing

/// The log can't be written, or the service is killed: what was told `stored` is there, and nothing is told that is not.
@Suite(.serialized) struct BadDayTests {
  @Test(.timeLimit(.minutes(3)))
  func aLockedLogIsWaitedFor() async throws {
    let w = try World()
    defer { w.end() }
    try w.useSmallConfiguration()
    let service = try w.tocsin("serve", "serve")
    try await w.ready()
    #expect(try w.publish(#""event_type":"before","metric":"m""#).status == 0)

    try w.write(
      "hold.py",
      """
      import os, sqlite3, time
      c = sqlite3.connect("data/tocsin.sqlite", isolation_level=None)
      c.execute("BEGIN EXCLUSIVE")
      print("held", flush=True)
      while not os.path.exists("let-go"):
          time.sleep(0.05)
      c.execute("ROLLBACK")
      """)
    let holder = try w.start("hold", World.python, ["hold.py"])
    try await w.until("the log is locked") { w.log("hold").contains("held") }
    let refused = try w.publish(#""event_type":"meanwhile","metric":"m""#, timeout: "4s")
    #expect(refused.status == 1 && !refused.output.contains("1 accepted"), "\(refused.output)")
    try await w.until("it says that it is not ready") { try w.get("/readyz").status == 503 }
    #expect(try w.get("/readyz").body.contains("locked"))
    let command = try w.shell("tocsin alerts ack A-1 --as ana")
    #expect(command.status == 1 && command.output.contains("locked"), "\(command.output)")
    #expect(w.log("serve").contains("nothing can be stored"), "\(w.log("serve"))")

    try w.write("let-go", "")
    holder.waitUntilExit()
    try await w.ready()
    // The next run sends what the first could not.
    let after = try w.publish(#""event_type":"after","metric":"m""#)
    #expect(after.status == 0, "\(after.output)")
    #expect(try w.shell("tocsin alerts ack A-1 --as ana").status == 0)
    let types = try w.alerts().compactMap { $0["anomaly"]?["data"]?["event_type"]?.string }
    #expect(types.sorted() == ["after", "before", "meanwhile"])
    #expect(try await w.stop(service) == 0)
    #expect(try w.shell("tocsin log verify").status == 0)
  }

  @Test(.enabled("only root can make a small disk") { World.canMount }, .timeLimit(.minutes(4)))
  func aFullDiskIsSaidAndSurvived() async throws {
    let w = try World()
    defer { w.end() }
    let disk = try w.mountDisk("disk", bytes: 6 << 20)
    defer { w.unmount(disk) }
    try w.useSmallConfiguration(log: "disk/tocsin.sqlite")
    let service = try w.tocsin("serve", "serve")
    try await w.ready()

    // What this producer is told is written down. The ballast takes what is left of the disk.
    let producer = try w.start(
      "producer", World.python,
      [World.server("producer.py"), "tcp://127.0.0.1:\(w.gateway)", "4000", "told.txt"])
    try await w.until("some are stored") { w.told.count > 100 }
    _ = try w.shell("dd if=/dev/zero of=disk/ballast bs=4096 2>/dev/null")
    try await w.until("the full disk is noticed") { try w.get("/readyz").status == 503 }
    #expect(try w.get("/readyz").body.contains("full"))
    let told = w.told.count
    let refused = try w.shell(
      "echo '{\"event_type\":\"late\",\"metric\":\"m\"}' | tocsin publish --outbox publishers --timeout 4s")
    #expect(refused.status == 1 && !refused.output.contains("1 accepted"), "\(refused.output)")
    let command = try w.shell("tocsin alerts ack A-1 --as ana --gateway tcp://127.0.0.1:\(w.gateway)")
    #expect(command.status == 1 && command.output.contains("full"), "\(command.output)")
    #expect(w.told.count == told, "nobody is told stored")
    #expect(service.isRunning && producer.isRunning)

    try FileManager.default.removeItem(at: w.folder.appendingPathComponent("disk/ballast"))
    _ = try w.shell("mount -o remount,size=64m '\(disk)'")
    try await w.until("it goes on by itself") { w.isReady() }
    try await w.until("the producer is done", seconds: 150) { w.log("producer").contains("done") }
    #expect(w.told.count == 4000)
    try w.checkStoredOnce()
    #expect(try await w.stop(service) == 0)
    #expect(try w.shell("tocsin log verify").status == 0)
  }

  /// A file that may not grow (ulimit -f): as a full disk, for those who may not mount one.
  @Test(.timeLimit(.minutes(3)))
  func aFileThatMayNotGrowIsSaidAndSurvived() async throws {
    let w = try World()
    defer { w.end() }
    try w.useSmallConfiguration()
    let service = try w.start("serve", "/bin/sh", ["-c", "ulimit -S -f 2000; exec '\(World.program.path)' serve"])
    try await w.ready()
    let producer = try w.start(
      "producer", World.python,
      [World.server("producer.py"), "tcp://127.0.0.1:\(w.gateway)", "6000", "told.txt"])
    try await w.until("the bound is noticed") { try w.get("/readyz").status == 503 }
    let told = w.told.count
    #expect(told > 0 && service.isRunning && producer.isRunning)
    #expect(try w.get("/readyz").body.contains("can't be written"))
    try await Task.sleep(for: .seconds(2))
    #expect(w.told.count == told, "nobody is told stored")
    // The cause is gone, and nobody does anything else.
    let raised = try w.shell("prlimit --fsize=unlimited: --pid \(service.processIdentifier)")
    #expect(raised.status == 0, "\(raised.output)")
    try await w.until("it goes on by itself") { w.isReady() }
    try await w.until("more is stored") { w.told.count > told + 100 }
    kill(producer.processIdentifier, SIGKILL)
    try w.checkStoredOnce()
    #expect(try await w.stop(service) == 0)
    #expect(try w.shell("tocsin log verify").status == 0)
  }

  @Test(.enabled("only root can make a disk read-only") { World.canMount }, .timeLimit(.minutes(3)))
  func aDiskThatTurnsReadOnlyIsSaidAndSurvived() async throws {
    let w = try World()
    defer { w.end() }
    let disk = try w.mountDisk("disk", bytes: 32 << 20)
    defer { w.unmount(disk) }
    try w.useSmallConfiguration(log: "disk/tocsin.sqlite")
    var service = try w.tocsin("serve", "serve")
    try await w.ready()
    #expect(try w.publish(#""event_type":"before","metric":"m""#).status == 0)
    // The kernel turns nothing read-only that is open for writing, as long as it is well: the service is stopped, the disk turned, and it is started again.
    #expect(try await w.stop(service) == 0)
    _ = try w.shell("mount -o remount,ro '\(disk)'")
    let refused = try w.shell("tocsin serve", seconds: 30)
    #expect(refused.status == 1 && refused.output.contains("read-only"), "\(refused.output)")
    _ = try w.shell("mount -o remount,rw '\(disk)'")
    service = try w.tocsin("serve", "serve")
    try await w.ready()
    #expect(try w.publish(#""event_type":"after","metric":"m""#).status == 0)
    #expect(try w.alerts().count == 2)
    #expect(try await w.stop(service) == 0)
  }

  /// Killed, and what it left of its write-ahead log has garbage, or half a frame, at its end.
  @Test(.timeLimit(.minutes(3)))
  func aTornWriteAheadLogLosesNothingThatWasStored() async throws {
    let w = try World()
    defer { w.end() }
    try w.useSmallConfiguration()
    var service = try w.tocsin("serve", "serve")
    for round in 1...3 {
      try await w.ready()
      #expect(try w.publish(#""event_type":"r\#(round)","metric":"m""#).status == 0)
      kill(service.processIdentifier, SIGKILL)
      service.waitUntilExit()
      let wal = w.folder.appendingPathComponent("data/tocsin.sqlite-wal")
      var bytes = try Data(contentsOf: wal)
      bytes.append(round == 1 ? Data((0..<5000).map { UInt8(truncatingIfNeeded: $0 &* 37) }) : bytes.suffix(2000))
      try bytes.write(to: wal)
      if round == 3 {
        try? FileManager.default.removeItem(at: w.folder.appendingPathComponent("data/tocsin.sqlite-shm"))
      }
      service = try w.tocsin("serve", "serve")
    }
    try await w.ready()
    #expect(try w.alerts().count == 3)
    #expect(try await w.stop(service) == 0)
    #expect(try w.shell("tocsin log verify").status == 0)
  }

  @Test(.timeLimit(.minutes(5)))
  func killedAgainAndAgain() async throws {
    let w = try World()
    defer { w.end() }
    try w.useSmallConfiguration()
    var service = try w.tocsin("serve", "serve")
    try await w.ready()
    try w.start(
      "producer", World.python,
      [World.server("producer.py"), "tcp://127.0.0.1:\(w.gateway)", "3000", "told.txt"])
    for round in 1...6 {
      let before = w.told.count
      try await w.until("round \(round) has stored something") {
        w.told.count >= min(before + 40 * round, 2950) || w.log("producer").contains("done")
      }
      kill(service.processIdentifier, SIGKILL)
      service.waitUntilExit()
      service = try w.tocsin("serve", "serve")
    }
    try await w.until("the producer is done", seconds: 150) { w.log("producer").contains("done") }
    #expect(w.told.count == 3000)
    try w.checkStoredOnce()
    #expect(try await w.stop(service) == 0)
    let verified = try w.shell("tocsin log verify")
    #expect(verified.status == 0, "\(verified.output)")
  }
}

extension World {
  /// The anomalies that the producer was told are stored.
  var told: [String] {
    ((try? contents("told.txt")) ?? "").split(separator: "\n").map(String.init)
  }

  /// Everything that the producer was told is in the log, once.
  func checkStoredOnce() throws {
    var times: [String: Int] = [:]
    for event in try lines("events") {
      guard ["tocsin.alert.detected.v1", "tocsin.alert.deduplicated.v1"].contains(event["type"]?.string),
        let data = event["data"]?["data"], let id = (data["anomaly"] ?? data["last"])?["id"]?.string
      else { continue }
      times[id, default: 0] += 1
    }
    let lost = told.filter { times[$0] == nil }
    let doubled = told.filter { (times[$0] ?? 0) > 1 }
    guard lost.isEmpty, doubled.isEmpty else {
      throw Failure(description: "told stored and not in the log: \(lost); more than once: \(doubled)")
    }
  }

  static let canMount: Bool = {
    guard getuid() == 0, let world = try? World() else { return false }
    defer { world.end() }
    guard let disk = try? world.mountDisk("disk", bytes: 1 << 20) else { return false }
    world.unmount(disk)
    return true
  }()

  /// A file system of a given size in memory.
  func mountDisk(_ name: String, bytes: Int) throws -> String {
    let place = folder.appendingPathComponent(name)
    try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
    guard mount("tmpfs", place.path, "tmpfs", 0, "size=\(bytes)") == 0 else {
      throw Failure(description: "tmpfs can't be mounted: \(String(cString: strerror(errno)))")
    }
    return place.path
  }

  func unmount(_ path: String) { umount2(path, Int32(MNT_DETACH)) }
}
