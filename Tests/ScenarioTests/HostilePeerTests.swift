import Alerts
import Bus
import Foundation
import Testing

/// Peers that mean harm, or are broken: memory stays bounded, and everybody else is served meanwhile.
@Suite(.serialized) struct HostilePeerTests {
  private struct Victim {
    let world: World
    let service: Process
    let publisher: Publisher
    let baseline: Int

    init() async throws {
      world = try World()
      try world.useSmallConfiguration()
      service = try world.tocsin("serve", "serve")
      try await world.until("it is ready") { [world] in world.isReadyQuick() }
      publisher = try world.publisher("honest")
      try publisher.publish(events: [World.anomaly("first", severity: "low")])
      try await publisher.flush(timeout: .seconds(30))
      baseline = World.resident(service)
    }

    func end() {
      publisher.close()
      world.end()
    }

    /// Somebody else's anomaly is stored, and the console answers. Returns how long that took.
    @discardableResult
    func serves(_ what: String, within limit: Duration = .seconds(10)) async throws -> Duration {
      let clock = ContinuousClock()
      let took = try await clock.measure {
        try publisher.publish(events: [World.anomaly(what, severity: "low")])
        try await publisher.flush(timeout: .seconds(60))
      }
      #expect(took < limit, "\(what): an honest producer waited for \(took)")
      #expect(world.isReadyQuick(), "\(what)")
      return took
    }

    @discardableResult
    func hostile(_ arguments: String...) throws -> Process {
      try world.start("hostile", World.python, [World.server("hostile.py")] + arguments)
    }
    func attack(_ arguments: String, seconds: Int = 120) throws -> [JSON] {
      let r = try world.shell("\(World.python) '\(World.server("hostile.py"))' \(arguments)", seconds: seconds)
      return try r.output.split(separator: "\n").map { try JSON(parsing: String($0)) }
    }

    /// Prints what it cost, and holds it against a bound.
    func cost(_ what: String, _ took: Duration, below megabytes: Int) {
      let (now, peak) = (World.resident(service), World.resident(service, peak: true))
      func mb(_ bytes: Int) -> Int { bytes >> 20 }
      print(
        "hostile: \(what): \(mb(now - baseline)) MiB more than before (peak \(mb(peak - baseline)) MiB), an honest producer waited for \(took)"
      )
      #expect(mb(peak - baseline) < megabytes, "\(what): \(mb(peak - baseline)) MiB at its peak")
      #expect(service.isRunning)
    }
  }

  /// As many as the system's limit of open files allows, and ten thousand at most.
  private static let many: Int = {
    var limit = rlimit()
    getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    return min(10_000, max(100, Int(clamping: limit.rlim_max) - 1000))
  }()

  @Test(.timeLimit(.minutes(4)), arguments: ["raw", "zmtp"])
  func tenThousandConnectionsThatSayNothing(_ kind: String) async throws {
    let v = try await Victim()
    defer { v.end() }
    try v.hostile("silent", "127.0.0.1:\(v.world.gateway)", "\(Self.many)", kind)
    try await v.world.until("they are connected", seconds: 120) { v.world.log("hostile").contains("ready") }
    let took = try await v.serves("beside the silent")
    v.cost("\(Self.many) silent connections (\(kind))", took, below: 600)
  }

  @Test(.timeLimit(.minutes(2)))
  func theConsoleServesBesideSilentConnections() async throws {
    let v = try await Victim()
    defer { v.end() }
    let count = min(2000, Self.many)
    try v.hostile("silent", "127.0.0.1:\(v.world.console)", "\(count)")
    try await v.world.until("they are connected", seconds: 60) { v.world.log("hostile").contains("ready") }
    let took = try await v.serves("beside the silent")
    v.cost("\(count) silent connections to the console", took, below: 200)
  }

  @Test(.timeLimit(.minutes(2)))
  func noiseOnTheWire() async throws {
    let v = try await Victim()
    defer { v.end() }
    let seed = Int.random(in: 0..<1_000_000)
    for port in [v.world.gateway, v.world.feed, v.world.console] {
      let r = try v.world.shell(
        "\(World.python) '\(World.server("hostile.py"))' noise 127.0.0.1:\(port) \(seed)", seconds: 100)
      #expect(r.output.contains("done"), "seed \(seed): \(r.output)")
    }
    let took = try await v.serves("after the noise of seed \(seed)")
    v.cost("noise, seed \(seed)", took, below: 100)
  }

  @Test(.timeLimit(.minutes(3)))
  func aMessageOfAMillionAnomalies() async throws {
    let v = try await Victim()
    defer { v.end() }
    let answers = try v.attack("million tcp://127.0.0.1:\(v.world.gateway) 1000000")
    #expect(answers.first?.array?.prefix(3).compactMap(\.string) == ["TOCSIN1", "error", "too_large"], "\(answers)")
    #expect(answers.last?.array?.prefix(2).compactMap(\.string) == ["TOCSIN1", "stored"], "\(answers)")
    let took = try await v.serves("after the million")
    // libzmq keeps a message until its last frame has come: what one sender may cost at once is what it sends.
    v.cost("a message of a million anomalies", took, below: 1200)
  }

  @Test(.timeLimit(.minutes(2)))
  func deeplyNestedJSON() async throws {
    let v = try await Victim()
    defer { v.end() }
    let answers = try v.attack("nested tcp://127.0.0.1:\(v.world.gateway)")
    try #require(answers.count == 20)
    for (i, answer) in answers.enumerated() {
      let words = answer.array?.compactMap(\.string) ?? []
      switch i % 5 {
      case 0:
        #expect(words.dropFirst().first == "stored" && words.last?.contains("\"accepted\":0") == true, "\(i): \(words)")
      case 1: #expect(words.dropFirst().first == "reply" && words.last?.contains("invalid") == true, "\(i): \(words)")
      default: #expect(words.dropFirst().first == "error" && words.contains("malformed"), "\(i): \(words)")
      }
    }
    v.cost("deeply nested JSON", try await v.serves("after the nested"), below: 100)
  }

  @Test(.timeLimit(.minutes(2)))
  func aProducerThatLiesAboutItsSequence() async throws {
    let v = try await Victim()
    defer { v.end() }
    let answers = try v.attack("liar tcp://127.0.0.1:\(v.world.gateway)")
    let words = answers.map { $0.array?.compactMap(\.string) ?? [] }
    // Each gets what it says it sent; what is no number is an error. Nothing that was said once is forgotten, and nothing is taken for another's.
    #expect(
      words.map { $0.dropFirst().first } == [
        "stored", "stored", "stored", "stored", "stored", "error", "error", "stored",
      ])
    #expect(
      words.map { $0.dropFirst(2).first } == [
        "5", "5", "1", "0", "18446744073709551615", "malformed", "malformed", "5",
      ])
    try await v.serves("after the liar")
    let ids = try v.world.alerts().compactMap { $0["anomaly"]?["id"]?.string }.filter { $0.hasPrefix("hliar") }.sorted()
    #expect(ids == ["hliar0", "hliar1", "hliar2", "hliar3", "hliar4", "hliar7"])
  }

  @Test(.timeLimit(.minutes(3)))
  func aFloodOfLargeAnomalies() async throws {
    let v = try await Victim()
    defer { v.end() }
    try v.hostile("flood", "tcp://127.0.0.1:\(v.world.gateway)", "6", "250000")
    try await Task.sleep(for: .seconds(2))
    var worst = Duration.zero
    for i in 0..<3 { worst = max(worst, try await v.serves("beside the flood \(i)", within: .seconds(30))) }
    v.cost("a flood of anomalies of 250 kB", worst, below: 500)
  }

  @Test(.timeLimit(.minutes(3)))
  func aFloodOfNames() async throws {
    let v = try await Victim()
    defer { v.end() }
    let answers = try v.attack("names tcp://127.0.0.1:\(v.world.gateway) 12000")
    #expect(answers.first?.array?.dropFirst().first?.string == "reply", "\(answers)")
    v.cost("12,000 names of workers", try await v.serves("after the names"), below: 300)
  }

  @Test(.timeLimit(.minutes(3)))
  func aReaderOfTheFeedThatDoesNotRead() async throws {
    let v = try await Victim()
    defer { v.end() }
    // Subscribed to everything, and never reads a byte.
    try v.hostile("silent", "127.0.0.1:\(v.world.feed)", "20", "sub")
    try await v.world.until("they are connected") { v.world.log("hostile").contains("ready") }
    let text = String(repeating: "x", count: 15_000)
    for batch in 0..<30 {
      let events = (0..<100).map { i in
        Array(
          String(decoding: World.anomaly("f\(batch)-\(i)", severity: "low"), as: UTF8.self)
            .replacing(#""severity""#, with: #""more":["\#(text)","\#(text)"],"severity""#).utf8)
      }
      try v.publisher.publish(events: events)
    }
    try await v.publisher.flush(timeout: .seconds(100))
    let took = try await v.serves("beside those that do not read")
    v.cost("20 subscribers that do not read, 90 MB of events", took, below: 400)
  }
}
