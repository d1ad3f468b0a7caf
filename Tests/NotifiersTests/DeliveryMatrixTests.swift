import Alerts
import Foundation
import Synchronization
import Testing

@testable import Notifiers

/// What goes wrong once, on every channel there is: what is owed arrives at least once, twice at most and only where an outcome was unknown, in order, and
/// nothing else arrives.
@Suite struct DeliveryMatrixTests {
  enum Way: String, CaseIterable, Sendable {
    case email, slackBot, slackWebhook, pagerduty, webhook, alertmanager, http2, sms, command

    var channel: String {
      switch self {
      case .slackBot, .slackWebhook: "slack"
      case .alertmanager, .http2: "webhook"
      default: rawValue
      }
    }
    var destination: String {
      switch self {
      case .slackBot, .slackWebhook: "#x"
      case .sms: "+4930123456"
      default: "r"
      }
    }
  }

  enum Trouble: String, CaseIterable, Sendable {
    /// It takes a while to answer, and then it has it.
    case slow
    /// 500; of a mail server 451 after the data; of a program exit code 75.
    case refusedForNow
    /// 429 with Retry-After in seconds, and as a date; a greylisting mail server's 451 for the recipient.
    case retryAfter, retryAfterDate
    /// The connection breaks after the body, without an answer; a program that was killed.
    case reset
    /// The server speaks no TLS, or shows a certificate that nobody trusts.
    case tls, certificate
    case nameNotFound

    /// What its first try must not be taken for.
    var isUnknown: Bool { self == .reset }
    /// Mended by an edit of the configuration, as it would be in life.
    var isMended: Bool { self == .tls || self == .certificate || self == .nameNotFound }
  }

  static let cases: [(Way, Trouble)] = Way.allCases.flatMap { way in
    Trouble.allCases.compactMap { trouble in
      // A program on this machine has no certificate and no name to be looked up; HTTP/2 is spoken over TLS alone.
      way == .command && trouble.isMended || way == .http2 && trouble == .tls ? nil : (way, trouble)
    }
  }

  @Test(.timeLimit(.minutes(1)), arguments: cases)
  func whateverFailsFirst(_ way: Way, _ trouble: Trouble) async throws {
    let world = try MatrixWorld(way, trouble)
    let now = NotifierWorker.wallClock()
    let jobs = [(Purpose.firing, AlertSummary.State.open), (.acknowledged, .acknowledged), (.resolved, .resolved)].map {
      Samples.job(
        way.channel, to: world.destination, purpose: $0.0, alert: Samples.alert(state: $0.1), receiver: "r",
        requestedAt: now, leaseUntil: now + .minutes(5))
    }
    let mend = Mutex<(@Sendable () async -> Void)?>(nil)
    let port = LeasingPort(jobs) { if let mend = mend.withLock({ $0 }) { await mend() } }
    let transport = try CurlTransport()
    let worker = NotifierWorker(
      name: "w", settings: world.settings(isMended: false), port: port, transport: transport)
    mend.withLock { [settings = world.settings(isMended: true)] in
      $0 = { await worker.use(settings, templates: TemplateSet()) }
    }
    let running = Task { await worker.run() }
    let limit = ContinuousClock.now + .seconds(40)
    while !port.isDone, ContinuousClock.now < limit { try await Task.sleep(for: .milliseconds(10)) }
    await worker.stop()
    await running.value
    transport.close()

    #expect(port.isDone, "\(port.receipts)")
    #expect(port.receipts.filter { $0.outcome == .delivered }.map(\.key) == jobs.map(\.key))
    #expect(!port.receipts.contains { $0.outcome == .failed }, "\(port.receipts)")
    if trouble != .slow { #expect(port.receipts.contains { $0.outcome == .retry }, "nothing went wrong") }
    #expect(port.receipts.contains { $0.outcomeUnknown } == trouble.isUnknown, "\(port.receipts)")
    let order = try world.arrivals(of: jobs)
    #expect(order == order.sorted(), "in order: \(order)")
    for (i, job) in jobs.enumerated() {
      let times = order.count { $0 == i }
      let unknown = port.receipts.count { $0.key == job.key && $0.outcomeUnknown }
      #expect(
        (1...2).contains(times) && times <= 1 + unknown, "\(job.purpose) arrived \(times) times, \(unknown) unknown")
    }
  }
}

/// The servers of one case of the matrix, and what a worker must be told to reach them.
final class MatrixWorld {
  private let way: DeliveryMatrixTests.Way
  private let trouble: DeliveryMatrixTests.Trouble
  private let server: LocalServer?
  /// Where the trouble is the certificate, it is not trusted until the settings say so.
  private let certificate: Certificate?
  private let folder: String

  init(_ way: DeliveryMatrixTests.Way, _ trouble: DeliveryMatrixTests.Trouble) throws {
    self.way = way
    self.trouble = trouble
    folder = try temporaryDirectory()
    certificate = trouble == .certificate || way == .http2 ? try Certificate() : nil
    switch way {
    case .command: server = nil
    case .email: server = try LocalServer.smtp(certificate == nil ? "plain" : "smtps", tls: certificate)
    default:
      server =
        if way == .http2, let certificate { try LocalServer.http2(tls: certificate) } else {
          try LocalServer.http(tls: certificate)
        }
    }
    if way == .command { try script.write(toFile: "\(folder)/program", atomically: true, encoding: .utf8) }
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  // MARK: - Addresses

  var destination: String {
    guard way == .email else { return way.destination }
    switch trouble {
    case .slow: return "slow@x.org"
    case .refusedForNow: return "first-later@x.org"
    case .retryAfter, .retryAfterDate: return "grey@x.org"
    case .reset: return "first-drop@x.org"
    default: return "r@x.org"
    }
  }

  private func url(_ path: String, isMended: Bool) -> String {
    guard let server else { return "" }
    let scheme = way == .email ? "smtp" : way == .http2 ? "https" : "http"
    switch trouble {
    case .nameNotFound where !isMended: return "\(scheme)://nowhere.invalid:\(server.port)\(path)"
    case .tls where !isMended: return server.url(path, scheme: "\(scheme)s")
    case .certificate: return server.url(path, scheme: way == .http2 ? scheme : "\(scheme)s")
    default: break
    }
    if way == .email { return server.url("", scheme: "smtp") }
    let first: String
    switch trouble {
    // What answers slowly must still answer as the provider does.
    case .slow: first = "/wait/1"
    case .refusedForNow: first = "/first/status/500"
    case .retryAfter: first = "/first/after/1"
    case .retryAfterDate: first = "/first/afterdate/1"
    case .reset: first = "/first/reset/x"
    default: first = ""
    }
    return server.url(first + path, scheme: scheme)
  }

  func settings(isMended: Bool) -> NotifierSettings {
    var s = NotifierSettings()
    let ca = isMended || trouble != .certificate ? certificate?.file : nil
    s.email = EmailSettings(server: url("", isMended: isMended), from: "tocsin@company.com")
    s.email?.tls = .none
    s.email?.caFile = ca
    var slack = SlackSettings()
    if way == .slackWebhook {
      slack.webhooks = ["#x": url("/ok/T0/B0/secret", isMended: isMended)]
    } else {
      slack.token = "xoxb"
      slack.apiURL = url("/slack", isMended: isMended)
    }
    slack.caFile = ca
    s.slack = slack
    s.pagerduty.url = url("/pagerduty", isMended: isMended)
    s.pagerduty.caFile = ca
    s.sms = SMSSettings(accountSID: "AC1", authToken: "tok", from: "+15550001111")
    s.sms?.url = url("/twilio", isMended: isMended)
    s.sms?.caFile = ca
    var options: [String: JSON] = [
      "routing_key": "key-of-32", "url": .string(url("/ok/hook", isMended: isMended)),
      "format": way == .alertmanager ? "alertmanager" : "cloudevents",
      "command": ["/bin/sh", .string("\(folder)/program")],
    ]
    if let ca { options["ca_file"] = .string(ca) }
    s.receiverOptions["r"] = options
    return s
  }

  /// Keeps what it was given, but for what it turns away.
  private var script: String {
    let once = "mkdir \"\(folder)/$(printf %s \"$TOCSIN_KEY\" | tr / _)\" 2>/dev/null"
    let keep = "printf '%s\\n' \"$TOCSIN_KEY\" >> \"\(folder)/kept\""
    switch trouble {
    case .slow: return "sleep 1; \(keep)\n"
    case .reset: return "\(keep)\nif \(once); then kill -9 $$; fi\n"
    case .nameNotFound: return "\(keep)\n"
    default: return "if \(once); then exit 75; fi\n\(keep)\n"
    }
  }

  // MARK: - What arrived

  /// For each message that a receiver took, which of the jobs it is. Updates in place of what is there count for nothing by themselves.
  func arrivals(of jobs: [Job]) throws -> [Int] {
    if way == .command {
      let text = (try? String(contentsOfFile: "\(folder)/kept", encoding: .utf8)) ?? ""
      return text.split(separator: "\n").compactMap { key in jobs.firstIndex { $0.key == key } }
    }
    let taken = ["ok", "slack", "pagerduty", "twilio", "reset", "mail"]
    return try (server?.arrived ?? []).filter { taken.contains($0["kind"]?.string ?? "") }
      .filter { $0["path"]?.string?.hasSuffix("chat.update") != true }
      .map { arrival in try #require(jobs.firstIndex { isAbout($0, arrival) }, "nobody owes \(arrival.text)") }
  }

  private func isAbout(_ job: Job, _ arrival: JSON) -> Bool {
    let text = arrival["text"]?.string ?? ""
    switch way {
    case .email: return arrival["headers"]?["x-tocsin-key"]?.string == job.key
    case .webhook, .alertmanager, .http2: return arrival["headers"]?["idempotency-key"]?.string == job.key
    case .slackBot: return text.contains(JSON.string(job.key).text)
    case .slackWebhook, .sms:
      let label =
        [Purpose.firing: "CRITICAL", .acknowledged: "ACKNOWLEDGED", .resolved: "RESOLVED"][job.purpose] ?? "?"
      return text.contains(label)
    case .pagerduty:
      let action = [Purpose.firing: "trigger", .acknowledged: "acknowledge", .resolved: "resolve"][job.purpose] ?? "?"
      return text.contains("\"\(action)\"")
    case .command: return false
    }
  }
}
