import Alerts
import Bus
import Logging
import Service
import Synchronization
import Testing

@testable import Detectors

/// The service's own book, behind a wire that can be cut.
final class BookPort: LeasePort {
  private struct State {
    var cut: Set<String> = []
    var isDown = false
    var asked: [String: Int] = [:]
  }
  private let book: Mutex<BookBox>
  private let state = Mutex(State())
  private let now: @Sendable () -> Timestamp
  struct BookBox: @unchecked Sendable {
    // Touched under the lock alone.
    let book: LeaseBook
  }

  init(path: String? = nil, now: @escaping @Sendable () -> Timestamp) throws {
    self.book = Mutex(BookBox(book: try LeaseBook(path: path)))
    self.now = now
  }
  /// These requests get no answer from now on, as if the worker died before it sent them.
  func cut(_ what: Set<String>) { state.withLock { $0.cut = what } }
  func down(_ isDown: Bool) { state.withLock { $0.isDown = isDown } }
  func count(_ what: String) -> Int { state.withLock { $0.asked[what] ?? 0 } }

  func ask(_ json: JSON) async throws -> JSON {
    let what = json["do"]?.string ?? ""
    let holder = json["holder"]?.string ?? ""
    let isCut = state.withLock { s in
      s.asked[what, default: 0] += 1
      return s.isDown || s.cut.contains(what) || s.cut.contains("\(holder) \(what)")
    }
    if isCut { throw BusError(.timeout, "no reply") }
    let now = now()
    return try book.withLock { box in
      let answer = box.book.answer(json, now: now)
      try box.book.commit()
      return answer
    }
  }
}

@Suite struct LeaseTests {
  private let clock = StandingClock("2026-03-11T06:00:05Z")
  private let table = TableSource()

  private func worker(_ name: String, _ port: RecordingPort, _ book: BookPort, alone: Bool = false) throws
    -> DetectorWorker
  {
    let settings = listings([check("threshold", "views", .daily, ["max_value": 500])])
    let plan = DetectionPlan(settings, kinds: .table(table))
    #expect(plan.faults == [])
    let clock = clock
    return DetectorWorker(
      name: name, plan: plan, port: port, state: try DetectorState(path: nil), leases: Leases(book, holder: name),
      isAlone: alone, log: silence, clock: { clock.now })
  }

  private func run(_ w: DetectorWorker) async -> RunReport.Outcome { await w.runInTurn(w.plan.events[0]).outcome }

  @Test func `of two workers with nothing in common, one checks each slot`() async throws {
    let clock = clock
    let book = try BookPort { clock.now }
    let ports = [RecordingPort(), RecordingPort()]
    let workers = [try worker("a", ports[0], book), try worker("b", ports[1], book)]
    table.set(VerdictTable.days(10))
    var outcomes: [RunReport.Outcome] = []
    for day in 11...14 {
      clock.set("2026-03-\(day)T06:00:05Z")
      table.set(VerdictTable.days(day - 1))
      for w in day % 2 == 0 ? workers : workers.reversed() { outcomes.append(await run(w)) }
    }
    #expect(outcomes == Array(repeating: [.checked, .nothingDue], count: 4).flatMap { $0 })
    // Days 11 and 13 are too high, 12 and 14 are not: what one worker reported the other one cleared.
    let all = (ports[0].anomalies + ports[1].anomalies).sorted { ($0.time, $0.id) < ($1.time, $1.id) }
    #expect(all.map(\.status) == [.firing, .resolved, .firing])
    #expect(Set(all.map(\.id)).count == 3)
    #expect(Set(all.map(\.source)) == ["detector/listings"])
    #expect(!ports[0].anomalies.isEmpty && !ports[1].anomalies.isEmpty)
  }

  @Test func `a worker that dies before it hands over is followed by one that finds the same`() async throws {
    let clock = clock
    let book = try BookPort { clock.now }
    let ports = [RecordingPort(), RecordingPort()]
    let (a, b) = (try worker("a", ports[0], book), try worker("b", ports[1], book))
    table.set(VerdictTable.days(9))
    clock.set("2026-03-10T06:00:05Z")
    #expect(await run(a) == .checked)
    clock.set("2026-03-12T06:00:05Z")
    table.set(VerdictTable.days(11))
    // It publishes, and is gone.
    book.cut(["a put", "a finish", "a release", "a keep"])
    _ = await run(a)
    let said = ports[0].take()
    #expect(said.map(\.status) == [.firing])
    #expect(await run(b) == .claimed("a has it"))
    clock.advance(.seconds(31))
    #expect(await run(b) == .checked)
    // The window is not left out, and its anomaly is the same one: the service counts it once.
    #expect(ports[1].anomalies.map(\.id) == said.map(\.id))
    #expect(ports[1].anomalies.map(\.source) == said.map(\.source))
    book.cut([])
    // The dead one comes back with what it remembers, which is older than what b handed over: it goes on from there.
    clock.set("2026-03-13T06:00:05Z")
    table.set(VerdictTable.days(12))
    #expect(await run(a) == .checked)
    #expect(ports[0].anomalies.map(\.status) == [.resolved])
  }

  @Test func `a worker that slept through its lease can't hand over what it did`() async throws {
    let clock = clock
    let book = try BookPort { clock.now }
    let leases = (Leases(book, holder: "a"), Leases(book, holder: "b"))
    #expect(try await leases.0.take("e", slot: "1") == .granted(version: 0))
    #expect(try await leases.1.take("e", slot: "1") == .held(by: "a"))
    clock.advance(.seconds(31))
    #expect(try await leases.1.take("e", slot: "1") == .granted(version: 0))
    #expect(try await leases.1.finish("e", version: 0, slot: "1", state: "b was here") == 1)
    await #expect(throws: LeaseError.self) {
      try await leases.0.finish("e", version: 0, slot: "1", state: "a was here")
    }
    #expect(try await leases.0.read("e", version: 1) == "b was here")
    #expect(try await leases.0.take("e", slot: "1").isDone)
    // An answer that was lost is given again.
    #expect(try await leases.1.finish("e", version: 0, slot: "1", state: "b was here") == 1)
  }

  @Test func `states outlive the service, and large ones go in parts`() async throws {
    let clock = clock
    let folder = try Folder()
    let state = String(repeating: "\"ü\\🙂", count: 150_000)
    #expect(Leases.parts(state).count > 2)
    #expect(Leases.parts(state).joined() == state)
    #expect(Leases.parts(state).allSatisfy { JSON.string($0).bytes.count < 1_000_000 })
    do {
      let leases = Leases(try BookPort(path: folder.path + "/leases") { clock.now }, holder: "a")
      #expect(try await leases.take("e", slot: "1") == .granted(version: 0))
      #expect(try await leases.finish("e", version: 0, slot: "1", state: state) == 1)
    }
    let leases = Leases(try BookPort(path: folder.path + "/leases") { clock.now }, holder: "b")
    #expect(try await leases.take("e", slot: "1").isDone)
    #expect(try await leases.take("e", slot: "2") == .granted(version: 1))
    #expect(try await leases.read("e", version: 1) == state)
  }

  @Test func `without the service nothing is checked, and nothing is left out when it is back`() async throws {
    let clock = clock
    let book = try BookPort { clock.now }
    let port = RecordingPort()
    let w = try worker("a", port, book)
    table.set(VerdictTable.days(9))
    clock.set("2026-03-10T06:00:05Z")
    _ = await run(w)
    book.down(true)
    table.set(VerdictTable.days(13))
    clock.set("2026-03-14T06:00:05Z")
    guard case .waiting = await run(w) else {
      Issue.record("it did not wait")
      return
    }
    #expect(port.anomalies == [])
    // By hand it goes on with what this machine knows.
    let alone = RecordingPort()
    #expect(await run(try worker("b", alone, book, alone: true)) == .checked)
    book.down(false)
    #expect(await run(w) == .checked)
    #expect(port.anomalies.map(\.status) == [.firing, .resolved, .firing])
  }

  @Test(arguments: 0..<12)
  func `whoever dies whenever, each window is judged, and counted once`(_ seed: Int) async throws {
    var random = SeededRandom(seed: UInt64(seed) &+ 99)
    let clock = clock
    let book = try BookPort { clock.now }
    let ports = (0..<3).map { _ in RecordingPort() }
    var workers = try (0..<3).map { try worker("w\($0)", ports[$0], book) }
    clock.set("2026-03-10T06:00:05Z")
    table.set(VerdictTable.days(9))
    #expect(await run(workers[0]) == .checked)
    for day in 11...25 {
      clock.set("2026-03-\(day)T06:00:05Z")
      table.set(VerdictTable.days(day - 1))
      for _ in 0..<4 {
        let k = Int(random.next() % 3)
        switch random.next() % 5 {
        case 0: book.cut(["w\(k) finish", "w\(k) release"])
        case 1: book.cut(["w\(k) put"])
        case 2: book.down(true)
        default: book.cut([])
        }
        _ = await run(workers[k])
        book.down(false)
        // Dead, and started again on another machine.
        if random.next() % 3 == 0 { workers[k] = try worker("w\(k)", ports[k], book) }
        clock.advance(.seconds(Int64(random.next() % 40)))
      }
    }
    book.cut([])
    clock.set("2026-03-26T06:00:05Z")
    table.set(VerdictTable.days(25))
    _ = await run(workers[0])
    let reference = RecordingPort()
    let lonely = try worker("w", reference, try BookPort { clock.now })
    for day in 10...26 {
      clock.set("2026-03-\(day)T06:00:05Z")
      table.set(VerdictTable.days(day - 1))
      _ = await run(lonely)
    }
    let counted = Set(ports.flatMap(\.anomalies).map { "\($0.source) \($0.id) \($0.status)" })
    #expect(counted == Set(reference.anomalies.map { "\($0.source) \($0.id) \($0.status)" }))
    #expect(counted.count > 10)
  }
}

enum VerdictTable {
  /// Days of March: 100 views, and 1000 on odd days from the 11th on.
  static func days(_ n: Int) -> String {
    guard n > 0 else { return "day,DEVICE,views\n" }
    return table((1...n).map { $0 > 10 && $0 % 2 == 1 ? 1000 : 100 })
  }
}

extension Leases.Answer {
  var isDone: Bool { if case .done = self { true } else { false } }
}
