import Alerts
import Bus
import Foundation

/// What the crash matrix and the audit need: a receiver of webhooks, a quick look whether the service is ready, processes that die.
extension World {
  /// A service that tells one webhook of what is critical.
  ///
  /// - Parameter apart: words in metrics' names whose messages go to receivers of their own: many alerts at one place would be a storm, told in one message.
  func useHookConfiguration(more: String = "", apart: [String] = []) throws {
    let receivers = apart.map { "\n  hook-\($0): {webhook: \"http://127.0.0.1:\(http)/hook\"}" }.joined()
    let routes = apart.map { "\n  - {matchers: ['metric=~\".*_\($0)_.*\"'], notify: [hook-\($0)]}" }.joined()
    try write(
      "config/tocsin.yaml",
      """
      log: sqlite:data/tocsin.sqlite
      bus: {gateway: "tcp://127.0.0.1:\(gateway)", feed: "tcp://127.0.0.1:\(feed)"}
      console: {listen: "127.0.0.1:\(console)"}
      receivers:
        hook: {webhook: "http://127.0.0.1:\(http)/hook"}\(receivers)
      routes:\(routes)
        - {match: {severity: critical}, notify: [hook]}
        - {match: {}, dashboard_only: true}
      \(more)
      """)
  }

  func hooks() async throws {
    try start("hooks", World.python, [World.server("hooks.py"), "hooked.jsonl", "\(http)"])
    try await until("the webhook's receiver listens") { self.log("hooks").contains("ready") }
  }

  /// What arrived there, oldest first.
  var hooked: [JSON] {
    ((try? contents("hooked.jsonl")) ?? "").split(separator: "\n").compactMap { try? JSON(parsing: String($0)) }
  }

  /// How often each key arrived, of the messages about a metric with this purpose.
  func arrivals(_ metric: String, _ purpose: String) -> [String: Int] {
    var keys: [String: Int] = [:]
    for h in hooked where h["metric"]?.string == metric && h["purpose"]?.string == purpose {
      keys[h["key"]?.string ?? "", default: 0] += 1
    }
    return keys
  }

  /// Starts the program with a crash point armed; see `CrashPoint`.
  @discardableResult
  func tocsin(_ name: String, crashAt: String?, _ arguments: String...) throws -> Process {
    var environment = ProcessInfo.processInfo.environment
    environment["TOCSIN_CRASH_AT"] = crashAt
    return try start(name, World.program.path, arguments, environment: environment)
  }

  /// Whether `/readyz` says yes, without a process for the question.
  func isReadyQuick() -> Bool { get(raw: "/readyz")?.hasPrefix("HTTP/1.1 200") ?? false }

  /// An HTTP answer as it stands; nil when none came within two seconds.
  func get(raw path: String) -> String? {
    let s = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard s >= 0 else { return nil }
    defer { close(s) }
    var patience = timeval(tv_sec: 2, tv_usec: 0)
    setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    address.sin_port = UInt16(console).bigEndian
    let connected = withUnsafePointer(to: &address) { p in
      p.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(s, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard connected == 0 else { return nil }
    let request = Array("GET \(path) HTTP/1.1\r\nHost: 127.0.0.1:\(console)\r\nConnection: close\r\n\r\n".utf8)
    guard send(s, request, request.count, Int32(MSG_NOSIGNAL)) == request.count else { return nil }
    var answer: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while answer.count < 4 << 20 {
      let n = recv(s, &buffer, buffer.count, 0)
      guard n > 0 else { break }
      answer += buffer[..<n]
    }
    return answer.isEmpty ? nil : String(decoding: answer, as: UTF8.self)
  }

  /// Resident memory of a process, in bytes.
  static func resident(_ p: Process, peak: Bool = false) -> Int {
    let text = (try? String(contentsOfFile: "/proc/\(p.processIdentifier)/status", encoding: .utf8)) ?? ""
    let name = peak ? "VmHWM:" : "VmRSS:"
    guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix(name) }) else { return 0 }
    return (line.split(separator: " ").compactMap { Int($0) }.first ?? 0) * 1024
  }

  static func anomaly(_ metric: String, _ status: String = "firing", severity: String = "critical") -> [UInt8] {
    let now = Timestamp(microseconds: Int64(Date().timeIntervalSince1970 * 1_000_000))
    return Array(
      """
      {"specversion":"1.0","id":"\(UUID().uuidString)","source":"test","type":"tocsin.anomaly.v1","time":"\(now.rfc3339)",\
      "data":{"event_type":"load","metric":"\(metric)","status":"\(status)","severity":"\(severity)"}}
      """.utf8)
  }

  func publisher(_ name: String = "test") throws -> Publisher {
    try Publisher(
      ConnectionSettings(gateway: "tcp://127.0.0.1:\(gateway)", feed: "tcp://127.0.0.1:\(feed)"), producer: name,
      outbox: MemoryOutbox())
  }
}
