import Alerts
import Bus
import HTTPTypes
import Hummingbird
import Projections

/// Alertmanager's silences over ours. Editing one ends it and makes another, which has a new id.
struct AlertmanagerSilences: Sendable {
  let dependencies: ConsoleDependencies

  private func json(_ s: SilenceRow) -> JSON {
    [
      "id": .string(s.id.description), "status": ["state": .string(s.state(at: dependencies.now()).rawValue)],
      "updatedAt": .string((s.expiredAt ?? s.createdAt).rfc3339), "matchers": .array(s.matchers.map(\.json)),
      "startsAt": .string(s.startsAt.rfc3339), "endsAt": .string((s.expiredAt ?? s.endsAt).rfc3339),
      "createdBy": .string(s.createdBy), "comment": .string(s.comment ?? ""), "annotations": [:],
    ]
  }

  func list(_ request: Request, _ context: ConsoleContext) throws -> Response {
    let form = Form(query: request)
    let now = dependencies.now()
    let filters = try form.all("filter").map { text in
      guard let matcher = Matcher(text) else {
        throw Problem(.badRequest, "bad filter \"\(text.prefix(80))\"", code: "invalid")
      }
      return matcher
    }
    let silences = try dependencies.reader.silences(includingExpired: true, at: now).filter { silence in
      form[silence.state(at: now).rawValue] != "false"
        && filters.allSatisfy { filter in
          silence.matchers.contains { $0.name == filter.name && filter.matches { _ in nil } || $0 == filter }
            || filter.matches { name in silence.matchers.first { $0.name == name }?.value }
        }
    }
    func rank(_ s: SilenceRow) -> (Int, Int64) {
      switch s.state(at: now) {
      case .active: (0, s.endsAt.microseconds)
      case .pending: (1, s.startsAt.microseconds)
      case .expired: (2, -s.endsAt.microseconds)
      }
    }
    return APIRoutes.json(.array(silences.sorted { rank($0) < rank($1) }.map(json)))
  }

  private func find(_ text: String) throws -> SilenceRow {
    guard let id = Subject(text), let silence = try dependencies.reader.silence(id) else {
      throw Problem(.notFound, "there is no silence \(text.prefix(40))")
    }
    return silence
  }

  func one(_ request: Request, _ context: ConsoleContext) throws -> Response {
    APIRoutes.json(json(try find(context.parameters.get("id") ?? "")))
  }

  func post(_ request: Request, _ context: ConsoleContext) async throws -> Response {
    try AlertActions.mustRespond(context)
    try APIRoutes.mustSeeAll(context)
    let body = try await APIRoutes.body(request)
    var old: SilenceRow?
    if let id = body["id"]?.string, !id.isEmpty { old = try find(id) }
    let by = context.identity.name ?? body["createdBy"]?.string ?? "alertmanager"
    let now = dependencies.now()
    var members: [JSON.Member] = [
      .init("command", "silence"), .init("by", .string(by)), .init("matchers", body["matchers"] ?? []),
      .init("ends_at", body["endsAt"] ?? .null),
    ]
    // A start that is past already is now.
    if let starts = body["startsAt"]?.timestamp, starts > now {
      members.append(.init("starts_at", .string(starts.rfc3339)))
    }
    if let comment = body["comment"]?.string, !comment.isEmpty { members.append(.init("note", .string(comment))) }
    let command: Command
    do { command = try Command(json: .object(members), now: now) } catch {
      return AlertmanagerRoutes.error(.badRequest, error.message)
    }
    let reply = try await dependencies.commands.send(command).result.get()
    if let old, old.state(at: now) != .expired {
      _ = try await dependencies.commands.send(Command(.expireSilence(old.id), by: by)).result.get()
    }
    return APIRoutes.json(["silenceID": reply["silence"] ?? reply["id"] ?? ""])
  }

  func delete(_ request: Request, _ context: ConsoleContext) async throws -> Response {
    try AlertActions.mustRespond(context)
    try APIRoutes.mustSeeAll(context)
    let silence = try find(context.parameters.get("id") ?? "")
    if silence.state(at: dependencies.now()) != .expired {
      let by = context.identity.name ?? "alertmanager"
      _ = try await dependencies.commands.send(Command(.expireSilence(silence.id), by: by)).result.get()
    }
    return Response(status: .ok)
  }
}
