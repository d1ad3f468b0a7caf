import Alerts
import Bus
import HTTPTypes
import Hummingbird
import Projections

/// Prometheus Alertmanager's API v2, for Prometheus, Grafana, amtool and Karma; and the webhook bodies of Alertmanager and Grafana.
struct AlertmanagerRoutes: Sendable {
  let dependencies: ConsoleDependencies
  init(_ dependencies: ConsoleDependencies) { self.dependencies = dependencies }

  static let bodyLimit = 4 << 20
  static let alertLimit = 20_000

  func add(to router: Router<ConsoleContext>) {
    let api = router.group("/api/v2")
    let silences = AlertmanagerSilences(dependencies: dependencies)
    api.get("/alerts") { request, context in
      let found = try alerts(request, context)
      let now = dependencies.now()
      return APIRoutes.json(
        .array(
          found.map {
            (AlertmanagerAlert.fingerprint(AlertmanagerAlert.labels($0)), AlertmanagerAlert.gettable($0, now: now))
          }
          .sorted { $0.0 < $1.0 }.map(\.1)))
    }
    api.post("/alerts") { request, context in
      let (accepted, errors) = try await take(
        request, context, source: "alertmanager", list: { $0.array }, wanted: "the body must be a list of alerts")
      _ = accepted
      // As Alertmanager: what could be read is stored all the same.
      if !errors.isEmpty { return AlertmanagerRoutes.error(.badRequest, errors.joined(separator: "; ")) }
      return Response(status: .ok)
    }
    api.get("/alerts/groups") { APIRoutes.json(try groups($0, $1)) }
    api.get("/receivers") { request, context in
      let names = Set(try alerts(request, context).map(AlertmanagerAlert.receiver)).sorted()
      return APIRoutes.json(.array(names.map { ["name": .string($0)] }))
    }
    api.get("/status") { _, _ in APIRoutes.json(status) }
    api.get("/silences") { try silences.list($0, $1) }
    api.post("/silences") { try await silences.post($0, $1) }
    api.get("/silence/:id") { try silences.one($0, $1) }
    api.delete("/silence/:id") { try await silences.delete($0, $1) }
    for tool in ["alertmanager", "grafana"] {
      router.post(RouterPath("/api/v1/webhooks/\(tool)")) { request, context in
        let (accepted, errors) = try await take(
          request, context, source: tool, list: { $0["alerts"]?.array }, wanted: "the body must have a list \"alerts\"")
        return APIRoutes.json(
          ["accepted": .int(accepted), "rejected": .array(errors.map { .string($0) })],
          accepted == 0 && !errors.isEmpty ? .badRequest : .accepted)
      }
    }
  }

  /// Alertmanager answers errors with a JSON text.
  static func error(_ status: HTTPResponse.Status, _ message: String) -> Response {
    APIRoutes.json(.string(message), status)
  }

  private func take(
    _ request: Request, _ context: ConsoleContext, source: String, list: (JSON) -> [JSON]?, wanted: String
  ) async throws -> (accepted: Int, errors: [String]) {
    try AlertActions.mustRespond(context)
    let body = try await APIRoutes.body(request, limit: AlertmanagerRoutes.bodyLimit)
    guard let items = list(body) else { throw Problem(.badRequest, wanted, code: "invalid") }
    guard items.count <= AlertmanagerRoutes.alertLimit else {
      throw Problem(.contentTooLarge, "at most \(AlertmanagerRoutes.alertLimit) alerts at once", code: "invalid")
    }
    let now = dependencies.now()
    var anomalies: [Anomaly] = []
    var errors: [String] = []
    for (i, item) in items.enumerated() {
      do {
        let anomaly = try AlertmanagerAlert(item).anomaly(source: source, now: now)
        if context.identity.sees(anomaly.tenant) {
          anomalies.append(anomaly)
        } else {
          errors.append("alert \(i): you may not send for the tenant \"\(anomaly.tenant.prefix(60))\"")
        }
      } catch let error as AlertmanagerAlert.Unreadable {
        errors.append("alert \(i): \(error.message)")
      } catch let error as AnomalyError {
        errors.append("alert \(i): \(error.message)")
      }
    }
    if !anomalies.isEmpty { try await dependencies.anomalies.publish(anomalies) }
    return (anomalies.count, errors)
  }

  /// Unresolved alerts that the query's `filter`s, `active`, `silenced`, `inhibited` and `receiver` let through.
  private func alerts(_ request: Request, _ context: ConsoleContext) throws -> [AlertSummary] {
    let form = Form(query: request)
    var matchers: [Matcher] = []
    for text in form.all("filter") {
      guard let matcher = Matcher(text) else {
        throw Problem(.badRequest, "bad filter \"\(text.prefix(80))\"", code: "invalid")
      }
      matchers.append(matcher)
    }
    let receiver = try form["receiver"].map { text in
      guard let matcher = Matcher("receiver=~\(JSON.string(text).text)") else {
        throw Problem(.badRequest, "bad receiver pattern", code: "invalid")
      }
      return matcher
    }
    func wants(_ name: String) -> Bool { form[name] != "false" }
    var query = AlertQuery()
    query.states = [.open, .acknowledged]
    query.tenants = context.identity.tenants
    query.limit = AlertQuery.limitLimit
    var found: [AlertSummary] = []
    repeat {
      let page = try dependencies.reader.alerts(query)
      for alert in page.alerts {
        let isSilenced = !alert.silencedBy.isEmpty || alert.snoozedUntil != nil
        let isInhibited = alert.inhibitedBy != nil
        if isSilenced, !wants("silenced") { continue }
        if isInhibited, !wants("inhibited") { continue }
        if !isSilenced, !isInhibited, !wants("active") { continue }
        let labels = AlertmanagerAlert.labels(alert)
        let of = { (name: String) -> String? in labels.first { $0.name == name }?.value }
        guard matchers.allSatisfy({ $0.matches(of) }) else { continue }
        if let receiver, !receiver.matches({ _ in AlertmanagerAlert.receiver(alert) }) { continue }
        found.append(alert)
      }
      query.after = page.next
    } while query.after != nil && found.count < AlertmanagerRoutes.alertLimit
    return found
  }

  private func groups(_ request: Request, _ context: ConsoleContext) throws -> JSON {
    let now = dependencies.now()
    let found = try alerts(request, context)
    let keys = Set(found.map { [AlertmanagerAlert.receiver($0), $0.anomaly.eventType] }).sorted {
      $0.lexicographicallyPrecedes($1)
    }
    return .array(
      keys.map { key in
        let members = found.filter { AlertmanagerAlert.receiver($0) == key[0] && $0.anomaly.eventType == key[1] }
        return [
          "labels": ["event_type": .string(key[1])], "routeLabels": [:], "receiver": ["name": .string(key[0])],
          "alerts": .array(members.map { AlertmanagerAlert.gettable($0, now: now) }),
        ]
      })
  }

  private var status: JSON {
    [
      "cluster": ["name": "tocsin", "status": "disabled", "peers": []],
      "versionInfo": [
        "version": .string(dependencies.version), "revision": "", "branch": "", "buildUser": "", "buildDate": "",
        "goVersion": "",
      ], "config": ["original": "# This is Tocsin: its configuration is shown by `tocsin config show`.\n"],
      "uptime": .string(dependencies.now().rfc3339),
    ]
  }
}
