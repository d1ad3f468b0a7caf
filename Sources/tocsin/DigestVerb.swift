import Alerts
import ArgumentParser
import Bus
import Console
import EventLog
import Foundation
import Logging
import Projections
import TocsinConfiguration

/// `tocsin digest`: renders a digest of any past period.
struct DigestVerb: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "digest", abstract: "Renders a daily, weekly or monthly digest.",
    discussion: """
      Without --ending it is the newest period that is over. One format is printed; several are written into --output. A digest of \
      a past period that is made again says the same.
      """)

  enum Form: String, CaseIterable { case text, html, json, markdown }

  @OptionGroup var folder: ConfigVerb.Folder
  @Option(help: "daily, weekly or monthly.") var period = "weekly"
  @Option(help: "A date such as 2026-11-15: the newest period whose last day is that or earlier.") var ending: String?
  @Option(help: "text, html, json or markdown; several joined by commas.") var format = "text"
  @Option(help: "The folder for several formats: digest-weekly-2026-11-15.html and so on.") var output = "."
  @Option(help: "Of one tenant only.") var tenant: String?
  @Option(name: .customLong("timezone"), help: "IANA name; the configuration's, unless given.") var timeZone: String?
  @Flag(help: "The same as --format json.") var json = false
  @Flag(
    help: "Send it, now, to the receivers that the configuration names for such digests; each gets it once, for ever.")
  var send = false

  /// What is asked for, checked.
  struct Request {
    var kind: DigestSettings.Period
    /// Days since 1970 of the wall calendar; nil: the newest period that is over.
    var day: Int64?
    var weekday = 1
    var zone: LocalZone
    var tenant: String?
    var forms: [Form]

    func period(at now: Timestamp) -> DigestPeriod {
      DigestPeriod.ending(kind, onOrBefore: day ?? zone.local(now).day - 1, weekday: weekday, zone: zone)
    }
  }

  func run() async throws {
    let c = try folder.load()
    let request = try request(timeZone: c.timeZone, digests: c.digests)
    var digest: Digest?
    try ProjectionsVerb.failing {
      digest = try DigestVerb.digest(
        request, log: c.logPath, projections: c.projectionsPath, consoleURL: c.console.publicURL, now: wallClock())
      if let digest, !send { try show(digest, request.forms) }
    }
    guard send, let digest else { return }
    let settings = c.digests.filter { $0.period == request.kind && $0.tenant == request.tenant }
    let receivers = settings.flatMap(\.to).reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
    guard !receivers.isEmpty else {
      throw ValidationError(
        "the configuration has no \(request.kind.rawValue) digest, so nobody would get it; add one to `digests:`")
    }
    try await Exit.explained {
      let client = try CommandClient(try ConnectionSettings(c.bus))
      defer { client.close() }
      for receiver in receivers {
        let by = ProcessInfo.processInfo.environment["USER"] ?? "tocsin"
        let reply = try await client.send(Command(.digest(digest.order(receiver: receiver)), by: by))
        switch reply.result {
        case .failure(let error): throw error
        case .success(let body):
          print(
            "\(receiver): \(body["already"]?.bool == true ? "was sent before" : "is on its way"), \(digest.subject)")
        }
      }
    }
  }

  /// - Throws: a validation error, for wrong use.
  func request(timeZone configured: String, digests: [DigestSettings]) throws -> Request {
    guard let kind = DigestSettings.Period(rawValue: period) else {
      throw ValidationError("--period must be daily, weekly or monthly, not \(period)")
    }
    let zoneName = timeZone ?? configured
    guard let zone = LocalZone(zoneName) else {
      throw ValidationError("\(zoneName) is no time zone; write it as Europe/Berlin")
    }
    var request = Request(kind: kind, zone: zone, tenant: tenant, forms: [])
    if let ending {
      guard ending.utf8.count == 10, let date = Timestamp(rfc3339: ending) else {
        throw ValidationError("--ending must be a date such as 2026-11-15, not \(ending)")
      }
      request.day = date.utcDay.days
    }
    // Weeks begin where the configured digest's begin, so that the two are one and the same.
    if kind == .weekly, let settings = digests.first(where: { $0.period == .weekly && $0.tenant == tenant }) {
      request.weekday = settings.weekday
    }
    for name in json ? ["json"] : format.split(separator: ",").map({ $0.trimming() }) {
      guard let form = Form(rawValue: name) else {
        throw ValidationError("--format must be of text, html, json and markdown, not \(name)")
      }
      request.forms.append(form)
    }
    guard !request.forms.isEmpty else { throw ValidationError("--format names none") }
    return request
  }

  /// Brings the tables up to the log's head, and makes the digest from them.
  static func digest(
    _ request: Request, log logPath: String, projections path: String, consoleURL: String?, now: Timestamp
  ) throws -> Digest {
    let log = try EventLogReader(path: logPath)
    let reader = ProjectionReader(path: path)
    let head = try log.head()
    // A running service keeps them up to date: then nothing is written here.
    if (try? reader.position()) != head {
      try ProjectionStore(path: path, logger: Logger(label: "projections")).catchUp(from: log)
    }
    return Digest(try reader.digest(request.period(at: now), tenant: request.tenant), consoleURL: consoleURL)
  }

  static func render(_ digest: Digest, _ form: Form) -> String {
    switch form {
    case .text: digest.text
    case .html: digest.html
    case .json: digest.json.pretty + "\n"
    case .markdown: digest.markdown
    }
  }

  private func show(_ digest: Digest, _ forms: [Form]) throws {
    if forms.count == 1 { return print(DigestVerb.render(digest, forms[0]), terminator: "") }
    for form in forms {
      let ending: String =
        switch form {
        case .text: "txt"
        case .html: "html"
        case .json: "json"
        case .markdown: "md"
        }
      let period = digest.figures.period
      let file = "\(output)/digest-\(period.kind.rawValue)-\(period.endingDate).\(ending)"
      do {
        try FileManager.default.createDirectory(atPath: output, withIntermediateDirectories: true)
        try DigestVerb.render(digest, form).write(toFile: file, atomically: true, encoding: .utf8)
      } catch { throw ProjectionError(.unwritable, "\(file) can't be written: \(error.localizedDescription)") }
      print(file)
    }
  }
}
