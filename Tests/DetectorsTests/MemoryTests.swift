import Alerts
import Foundation
import GRDB
import Testing

@testable import Detectors

@Suite struct MemoryTests {
  private func wave(_ n: Int, seed: UInt64 = 3, step: Int64 = 3600) -> [Point] {
    var random = SeededRandom(seed: seed)
    return (0..<n).map { i in
      let spike: Double = i % 700 == 650 ? 200 : 0
      let day: Double = 20 * sin(2 * .pi * Double(i % 24) / 24)
      return Point(Timestamp(seconds: 1_772_409_600 + Int64(i) * step), 100 + day + random.gaussian() + spike)
    }
  }

  @Test(arguments: [1, 10, 300, 3600, 86_400])
  func `a state that went through bytes goes on as if it had not`(_ step: Int64) throws {
    let points = wave(1500, step: step)
    var whole = SeriesMemory()
    let all = whole.advance(points, keeping: 1)
    let once = points.indices.map { all.judgement($0, Adaptive()) }
    var memory = SeriesMemory()
    var pieces: [Judgement?] = []
    for (k, point) in points.enumerated() {
      // Also in the first rows, before the interval is known.
      if k % 97 == 0 || k == 13 { memory = try SeriesMemory(memory.bytes) }
      let history = memory.advance([point], keeping: 1)
      pieces.append(history.judgement(history.told.count - 1, Adaptive()))
    }
    #expect(pieces == once)
    #expect(memory == whole)
    #expect(once == Adaptive().judgeAll(points))
  }

  @Test func `no byte may change, and none may be missing`() throws {
    var memory = SeriesMemory()
    _ = memory.advance(wave(400), keeping: 1)
    let bytes = memory.bytes
    var random = SeededRandom(seed: 8)
    for _ in 0..<200 {
      var broken = bytes
      broken[Int(random.next() % UInt64(bytes.count))] ^= UInt8(1 << (random.next() % 8))
      #expect(throws: StateError.self) { try SeriesMemory(broken) }
    }
    for n in [0, 7, 8, 16, bytes.count / 2, bytes.count - 1, bytes.count - 8] {
      #expect(throws: StateError.self) { try SeriesMemory(Array(bytes.prefix(n))) }
    }
    // Bytes of another version, with their own right checksum.
    var other = StateWriter()
    other.put(SeriesMemory.formatVersion + 1)
    other.seal()
    #expect(throws: StateError.version) { try SeriesMemory(other.bytes) }
    // Sound bytes that say impossible things.
    var wild = StateWriter()
    for n in [SeriesMemory.formatVersion, 5, Int.max] { wild.put(n) }
    wild.seal()
    #expect(throws: StateError.impossible) { try SeriesMemory(wild.bytes) }
  }

  @Test func `it is bounded, whatever comes`() {
    var random = SeededRandom(seed: 5)
    for step in [1, 7, 60, 3600] as [Int64] {
      var memory = SeriesMemory()
      var most = 0
      for block in 0..<20 {
        let points = (0..<400).map { i in
          // Heavy tails, growing ranges, long gaps: what makes most intervals.
          let v = random.gaussian() / max(1e-4, random.uniform()) * pow(1.5, Double(block))
          return Point(Timestamp(seconds: 1_772_409_600 + Int64(block * 400 + i) * step), v)
        }
        _ = memory.advance(points, keeping: 1)
        most = max(most, memory.bytes.count)
      }
      #expect(most <= 25_000, "\(most) bytes by \(step) s")
    }
  }

  // MARK: In a worker

  private let rule = [SeverityRule(severity: .high, condition: "score > 0.3")]
  private var settings: DetectionSettings {
    var s = listings([check("adaptive", "views", .daily)])
    s.events[0].schedule = .cron("0 * * * *", zone: nil)
    return s
  }

  /// Two series of days from 1 March 2025 on; a spike every 90 days.
  private func csv(_ days: Int, changed: [Int: Int] = [:]) -> String {
    var random = SeededRandom(seed: 21)
    var text = "day,DEVICE,views\n"
    let start: Int64 = 20_148
    for d in 0..<days {
      let date = Timestamp(seconds: (start + Int64(d)) * 86_400).utcDate
      for device in ["desktop", "mobile"] {
        let v = 1000 + Int(40 * random.gaussian()) + (d % 90 == 80 ? 900 : 0)
        text += "\(date),\(device),\(device == "mobile" ? changed[d] ?? v : v)\n"
      }
    }
    return text
  }

  private func clock(_ day: Int) -> StandingClock {
    StandingClock(Timestamp(seconds: (20_148 + Int64(day)) * 86_400 + 25_200).rfc3339)
  }

  /// What a worker that is begun anew for each day publishes, and how many points it read.
  private func run(_ days: Range<Int>, state: DetectorState, changed: [Int: Int] = [:], forgetting: Bool = false)
    async throws -> (anomalies: [Anomaly], points: [Int])
  {
    let port = RecordingPort()
    let source = TableSource()
    var points: [Int] = []
    for day in days {
      source.set(csv(day, changed: changed))
      if forgetting { try await state.queue.write { try $0.execute(sql: "DELETE FROM check_memory") } }
      let w = try worker(settings, source, port, clock(day), state: state)
      let reports = await w.runOnce()
      #expect(reports.map(\.outcome) == [.checked])
      points.append(reports[0].points)
    }
    return (port.anomalies, points)
  }

  private func told(_ all: [Anomaly]) -> [String] {
    all.map { a in
      "\(a.id) \(a.status) \(a.severity?.name ?? "-") \(a.value ?? 0) \(a.expected ?? 0) \(a.score ?? 0) \(a.summary ?? "")"
    }
  }

  @Test func `a worker that remembers says what one that replays says, and reads little`() async throws {
    let remembering = try await run(238..<263, state: try DetectorState(path: nil))
    let replaying = try await run(238..<263, state: try DetectorState(path: nil), forgetting: true)
    #expect(told(remembering.anomalies) == told(replaying.anomalies))
    #expect(remembering.anomalies.contains { $0.status == .firing })
    // What the check on missing rows looks back at, and no more.
    #expect(remembering.points.last ?? 0 <= 2 * (Int(DueWork.shownPast) + 2), "\(remembering.points.suffix(3))")
    #expect(replaying.points.last == 2 * 262)
  }

  @Test func `a memory that is damaged is made anew`() async throws {
    let state = try DetectorState(path: nil)
    _ = try await run(170..<171, state: state)
    try await state.queue.write { try $0.execute(sql: "UPDATE series_memory SET state = zeroblob(800)") }
    let after = try await run(171..<173, state: state)
    #expect(after.points[0] == 2 * 171)
    #expect(after.points[1] < 2 * 40)
  }

  @Test func `a past that changed is read again`() async throws {
    let state = try DetectorState(path: nil)
    _ = try await run(170..<172, state: state)
    let changed = try await run(172..<174, state: state, changed: [169: 4000])
    let fresh = try await run(172..<174, state: try DetectorState(path: nil), changed: [169: 4000])
    #expect(changed.points[0] > 2 * 170, "\(changed.points)")
    #expect(changed.points[1] < 2 * 40)
    // The window that changed is judged again, which a worker without a past has no reason to.
    func firing(_ all: [Anomaly]) -> [String] {
      told(all.filter { $0.status == .firing }).filter { !$0.contains("/again-") }
    }
    #expect(firing(changed.anomalies) == firing(fresh.anomalies))
  }

  @Test func `another query is another memory`() async throws {
    let state = try DetectorState(path: nil)
    let plan = DetectionPlan(settings, kinds: .table(TableSource()))
    var other = settings
    other.events[0].source.filter = "COUNTRY = 'DE'"
    let changed = DetectionPlan(other, kinds: .table(TableSource()))
    let a = plan.events[0].checks[0].fingerprint(plan.events[0])
    let b = changed.events[0].checks[0].fingerprint(changed.events[0])
    #expect(a != b)
    var memory = CheckMemory(fingerprint: a, reached: Timestamp(seconds: 5), savedAt: .epoch)
    var one = SeriesMemory()
    _ = one.advance(wave(30), keeping: 1)
    memory.series[["mobile"]] = one
    memory.changed = [["mobile"]]
    try state.save(memory, check: "c")
    #expect(try state.memory(check: "c", fingerprint: a, now: .epoch)?.series[["mobile"]] == one)
    #expect(try state.memory(check: "c", fingerprint: b, now: .epoch) == nil)
  }
}
