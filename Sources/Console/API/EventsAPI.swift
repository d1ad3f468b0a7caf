import Alerts
import EventLog
import HTTPTypes
import Hummingbird

/// The log: by position, and live.
struct EventsAPI: Sendable {
  let dependencies: ConsoleDependencies
  static let limit = 1000
  /// Rows that one request reads while it looks for an alert's.
  static let scanLimit = 100_000

  func list(_ request: Request, _ context: ConsoleContext) throws -> Response {
    if request.headers[.accept]?.contains("text/event-stream") == true { return try live(request, context) }
    try APIRoutes.mustSeeAll(context)
    let form = Form(query: request)
    let limit = try APIRoutes.limit(form, 100, most: EventsAPI.limit)
    let wanted = try EventsAPI.subject(form)
    var position = try EventStream.after(request) ?? 0
    var found: [RecordedEvent] = []
    var scanned = 0
    reading: while found.count < limit, scanned < EventsAPI.scanLimit {
      let events = try dependencies.log.events(after: position, limit: wanted == nil ? limit : EventsAPI.limit)
      for event in events {
        scanned += 1
        position = event.position
        if wanted == nil || event.subject == wanted { found.append(event) }
        if found.count == limit { break reading }
      }
      if events.isEmpty { break }
    }
    return APIRoutes.json(
      ["events": .array(found.map(\.cloudEvent)), "next": .int(position), "head": .int(try dependencies.log.head())])
  }

  private static func subject(_ form: Form) throws -> Subject? {
    guard let text = form["alert"] else { return nil }
    guard let subject = Subject(text) ?? AlertID(text)?.subject else {
      throw Problem(.badRequest, "alert must be an id such as A-1042", code: "invalid")
    }
    return subject
  }

  /// Server-sent events: `id` is the position, `event` the type, `data` the CloudEvent. `Last-Event-ID` goes on from there.
  func live(_ request: Request, _ context: ConsoleContext) throws -> Response {
    try APIRoutes.mustSeeAll(context)
    let wanted = try EventsAPI.subject(Form(query: request))
    return try EventStream(dependencies: dependencies).response(after: EventStream.after(request)) { event in
      if let wanted, event.subject != wanted { return nil }
      return "id: \(event.position)\nevent: \(event.type.rawValue)\ndata: \(event.cloudEvent.text)\n\n"
    }
  }
}
