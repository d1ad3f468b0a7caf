import EventLog
import Alerts
import Bus
import HTTPTypes
import Hummingbird
import Projections

/// `/api/v1`: what the pages show and do, for programs. Described by ``OpenAPI``, which a test holds against these routes.
struct APIRoutes: Sendable {
  let dependencies: ConsoleDependencies
  init(_ dependencies: ConsoleDependencies) { self.dependencies = dependencies }

  /// A command's body, in bytes.
  static let bodyLimit = 64 * 1024
  static let actions = [
    "acknowledge", "unacknowledge", "resolve", "snooze", "unsnooze", "assign", "comment", "label", "escalate",
  ]

  func add(to router: Router<ConsoleContext>) {
    let api = router.group("/api/v1")
    api.get("/openapi.json") { [version = dependencies.version] _, _ in
      APIRoutes.json(OpenAPI.document(version: version))
    }
    api.get("/alerts") { try list($0, $1) }
    api.get("/alerts/:id") { _, context in APIRoutes.json(try AlertPage.find(context, dependencies.reader).json) }
    api.get("/alerts/:id/timeline") { try timeline($0, $1) }
    api.get("/alerts/:id/notifications") { _, context in
      let alert = try AlertPage.find(context, dependencies.reader)
      return APIRoutes.json([
        "notifications": .array(try dependencies.reader.notifications(alert: alert.id).map(\.json))
      ])
    }
    for action in APIRoutes.actions {
      api.post(RouterPath("/alerts/:id/\(action)")) { try await act(action, $0, $1) }
    }
    let anomalies = AnomaliesAPI(dependencies: dependencies)
    api.post("/anomalies") { try await anomalies.post($0, $1) }
    let events = EventsAPI(dependencies: dependencies)
    api.get("/events") { try events.list($0, $1) }
    api.get("/events/live") { try events.live($0, $1) }
    api.get("/statistics") { try statistics($0, $1) }
    api.get("/notifications") { try notifications($0, $1) }
    api.get("/digests/:period") { try await digest($0, $1) }
    let silences = SilencesAPI(dependencies: dependencies)
    api.get("/silences") { try silences.list($0, $1) }
    api.post("/silences") { try await silences.add($0, $1) }
    api.get("/silences/:id") { try silences.one($0, $1) }
    api.delete("/silences/:id") { try await silences.expire($0, $1) }
    api.get("/schedules") { request, _ in
      var at = dependencies.now()
      if let text = Form(query: request)["at"] {
        guard let t = Timestamp(rfc3339: text) else {
          throw Problem(.badRequest, "at must be a time such as 2026-12-24T09:00:00Z", code: "invalid")
        }
        at = t
      }
      return APIRoutes.json(["schedules": dependencies.onCall.standing(at)])
    }
    api.get("/status") { try await status($0, $1) }
  }

  static func json(_ json: JSON, _ status: HTTPResponse.Status = .ok) -> Response {
    Response(
      status: status, headers: [.contentType: "application/json"],
      body: .init(byteBuffer: ByteBuffer(bytes: json.bytes)))
  }

  static func body(_ request: Request, limit: Int = bodyLimit) async throws -> JSON {
    let buffer = try await request.body.collect(upTo: limit)
    if buffer.readableBytes == 0 { return [:] }
    do { return try JSON(parsing: Array(buffer.readableBytesView)) } catch {
      throw Problem(.badRequest, error.description, code: "invalid")
    }
  }

  /// `limit` in the query.
  static func limit(_ form: Form, _ usual: Int, most: Int) throws -> Int {
    guard let text = form["limit"] else { return usual }
    guard let limit = Int(text), (1...most).contains(limit) else {
      throw Problem(.badRequest, "limit must be a whole number from 1 to \(most)", code: "invalid")
    }
    return limit
  }

  // MARK: - Alerts

  private func list(_ request: Request, _ context: ConsoleContext) throws -> Response {
    let form = Form(query: request)
    try APIRoutes.check(form)
    var query = AlertsPage.query(form, context.identity)
    if let order = form["order"] {
      guard let o = AlertQuery.Order(rawValue: order) else {
        throw Problem(.badRequest, "order must be newest, oldest or severity", code: "invalid")
      }
      query.order = o
    }
    query.limit = try APIRoutes.limit(form, 50, most: AlertQuery.limitLimit)
    let page = try dependencies.reader.alerts(query)
    return APIRoutes.json(
      .compact(["alerts": .array(page.alerts.map(\.json)), "next": .text(page.next.map { "\($0)" })]))
  }

  /// A filter that can't be read is refused: a program must not take everything for what it asked for.
  private static func check(_ form: Form) throws {
    func refuse(_ name: String, _ value: String, _ wanted: String) -> Problem {
      Problem(.badRequest, "\(name) must be \(wanted), not \"\(value.prefix(60))\"", code: "invalid")
    }
    for state in form.all("state") where !["unresolved", "all"].contains(state) {
      if AlertSummary.State(rawValue: state) == nil {
        throw refuse("state", state, "open, acknowledged, resolved, unresolved or all")
      }
    }
    for severity in form.all("severity") where Severity(name: severity) == nil {
      throw refuse("severity", severity, "critical, high, medium or low")
    }
    for matcher in form.all("matcher") where Matcher(matcher) == nil {
      throw refuse("matcher", matcher, "such as device=mobile")
    }
    if let after = form["after"], AlertCursor(after) == nil {
      throw refuse("after", after, "the next of the page before")
    }
  }

  private func timeline(_ request: Request, _ context: ConsoleContext) throws -> Response {
    let alert = try AlertPage.find(context, dependencies.reader)
    let form = Form(query: request)
    let limit = try APIRoutes.limit(form, 1000, most: 1000)
    let after = try EventStream.after(request) ?? 0
    let entries = try dependencies.reader.timeline(alert.id, after: after, limit: limit + 1)
    return APIRoutes.json(
      .compact([
        "timeline": .array(entries.prefix(limit).map(\.json)),
        "next": entries.count > limit ? .int(entries[limit - 1].position) : .null,
      ]))
  }

  private func act(_ action: String, _ request: Request, _ context: ConsoleContext) async throws -> Response {
    try AlertActions.mustRespond(context)
    let alert = try AlertPage.find(context, dependencies.reader)
    let body = try await APIRoutes.body(request)
    guard let members = body.members else {
      throw Problem(.badRequest, "the body must be a JSON object", code: "invalid")
    }
    let kept = members.filter {
      !["command", "alert"].contains($0.name) && !($0.name == "by" && context.identity.name != nil)
    }
    var json: [JSON.Member] = [.init("command", .string(action)), .init("alert", .string(alert.id.description))] + kept
    if let name = context.identity.name { json.append(.init("by", .string(name))) }
    let command = try Command(json: .object(json), now: dependencies.now())
    return APIRoutes.json(try await dependencies.commands.send(command).result.get())
  }

  // MARK: - Figures

  private func statistics(_ request: Request, _ context: ConsoleContext) throws -> Response {
    let form = Form(query: request)
    var since = dependencies.now() - .days(1)
    if let text = form["since"] {
      guard let t = Timestamp(rfc3339: text) else {
        throw Problem(.badRequest, "since must be RFC 3339, such as 2026-11-20T06:00:00Z", code: "invalid")
      }
      since = t
    }
    let days = try form["days"].map { text in
      guard let days = Int(text), (1...366).contains(days) else {
        throw Problem(.badRequest, "days must be a whole number from 1 to 366", code: "invalid")
      }
      return days
    }
    let tenants = context.identity.tenants
    var members = try dependencies.reader.statistics(since: since, tenants: tenants).json.members ?? []
    members.insert(.init("since", .string(since.rfc3339)), at: 0)
    if let days {
      let figures = try dependencies.reader.figuresPerDay(
        days: days, zone: dependencies.zone, now: dependencies.now(), tenants: tenants)
      members.append(
        .init(
          "days",
          .array(
            figures.map { day in
              [
                "date": .string(day.date),
                "opened": .object(
                  Severity.allCases.reversed().map { JSON.Member($0.name, .int(day.opened[$0] ?? 0)) }),
                "resolved": .int(day.resolved), "anomalies": .int(day.anomalies),
              ]
            })))
    }
    return APIRoutes.json(.object(members))
  }

  private func notifications(_ request: Request, _ context: ConsoleContext) throws -> Response {
    try APIRoutes.mustSeeAll(context)
    let form = Form(query: request)
    let state = try form["state"].map { text in
      guard let state = NotificationRow.State(rawValue: text) else {
        throw Problem(.badRequest, "state must be pending, delivered, failed or cancelled", code: "invalid")
      }
      return state
    }
    let limit = try APIRoutes.limit(form, 100, most: 1000)
    let before = form["before"].flatMap { Int64($0) } ?? .max
    let rows = try dependencies.reader.notifications(
      state: state, receiver: form["receiver"], before: before, limit: limit)
    return APIRoutes.json(
      .compact([
        "notifications": .array(rows.map(\.json)),
        "next": rows.count == limit ? rows.last.map { .int($0.position) } ?? .null : .null,
      ]))
  }

  /// For what can't be told apart by tenant.
  static func mustSeeAll(_ context: ConsoleContext) throws {
    guard context.identity.tenants == nil else {
      throw Problem(.forbidden, "this is for those who see every tenant", code: "forbidden")
    }
  }

  private func digest(_ request: Request, _ context: ConsoleContext) async throws -> Response {
    guard let period = DigestSettings.Period(rawValue: context.parameters.get("period") ?? "") else {
      throw Problem(.notFound, "a digest is daily, weekly or monthly")
    }
    let form = Form(query: request)
    if let ending = form["ending"], ending.utf8.count != 10 || Timestamp(rfc3339: ending) == nil {
      throw Problem(.badRequest, "ending must be a date such as 2026-11-23", code: "invalid")
    }
    let digest = try await dependencies.digest(
      DigestRequest(period: period, ending: form["ending"], tenants: context.identity.tenants))
    switch form["format"] ?? "json" {
    case "json": return APIRoutes.json(digest.json)
    case "text": return DigestPage.plain(digest.text, "text/plain; charset=utf-8")
    case "markdown": return DigestPage.plain(digest.markdown, "text/markdown; charset=utf-8")
    case "html": return DigestPage.framed(digest.html)
    default: throw Problem(.badRequest, "format must be json, text, markdown or html", code: "invalid")
    }
  }

  private func status(_ request: Request, _ context: ConsoleContext) async throws -> Response {
    let now = dependencies.now()
    let unready = await dependencies.unready()
    let standing = try dependencies.reader.standing(head: try dependencies.log.head())
    let workers = await dependencies.workers()
    let audit = await dependencies.audit()
    return APIRoutes.json(
      .compact([
        "version": .string(dependencies.version), "time": .string(now.rfc3339), "ready": .bool(unready == nil),
        "unready_because": .text(unready), "audit": audit?.json ?? .null, "position": .int(standing.head),
        "projections": standing.json,
        "workers": .array(
          workers.map { worker in
            [
              "name": .string(worker.name), "heard_at": .string(worker.at.rfc3339),
              "late": .bool(now - worker.at > StatusPage.late), "said": worker.json,
            ]
          }),
      ]))
  }
}
