import Alerts
import Bus
import Crypto
import Foundation
import HTTPTypes
import Hummingbird
import Logging

/// Answers that people give where they are: buttons in Slack, and PagerDuty's acknowledgements and resolutions. Each proves by a
/// signature that it comes from the tool.
struct AnswerRoutes: Sendable {
  let dependencies: ConsoleDependencies
  init(_ dependencies: ConsoleDependencies) { self.dependencies = dependencies }

  static let sizeLimit = 512 * 1024
  /// A signed request older than this, or so far ahead, may be a replay. Slack's own advice.
  static let clockSkew: Int64 = 300

  func add(to router: Router<ConsoleContext>) {
    router.post("/slack/actions") { request, context in try await slack(request, context) }
    router.post("/api/v1/webhooks/pagerduty") { request, context in try await pagerduty(request, context) }
  }

  static func hex(_ code: some Sequence<UInt8>) -> String {
    code.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  static func signature(_ text: [UInt8], secret: String) -> String {
    hex(HMAC<SHA256>.authenticationCode(for: text, using: SymmetricKey(data: Data(secret.utf8))))
  }

  private static func header(_ name: String, _ request: Request) -> String? {
    HTTPField.Name(name).flatMap { request.headers[$0] }
  }

  // MARK: - Slack

  /// Source: https://docs.slack.dev/authentication/verifying-requests-from-slack
  private func slack(_ request: Request, _ context: ConsoleContext) async throws -> Response {
    guard let secret = dependencies.answers().slackSigningSecret else {
      throw Problem(
        .forbidden, "no signing secret is configured for Slack", mend: "channels.slack.signing_secret takes it",
        code: "forbidden")
    }
    let body = Array(try await request.body.collect(upTo: AnswerRoutes.sizeLimit).readableBytesView)
    let stamp = AnswerRoutes.header("X-Slack-Request-Timestamp", request) ?? ""
    let given = AnswerRoutes.header("X-Slack-Signature", request) ?? ""
    let now = dependencies.now().microseconds / 1_000_000
    guard let sent = Int64(stamp), sent > 0, abs(now - sent) <= AnswerRoutes.clockSkew,
      AccessPolicy.equal("v0=" + AnswerRoutes.signature(Array("v0:\(stamp):".utf8) + body, secret: secret), given)
    else { throw Problem(.unauthorized, "the signature is not Slack's, or is too old", code: "forbidden") }
    guard let payload = Form(String(decoding: body, as: UTF8.self))["payload"], let json = try? JSON(parsing: payload)
    else {
      throw Problem(.badRequest, "there is no payload in the form", code: "invalid")
    }
    for action in (json["actions"]?.array ?? []).prefix(5) {
      guard let command = slackCommand(action, user: json["user"]) else { continue }
      // Slack shows nothing of what is answered here: what came of it is seen in its own message, which is updated.
      let reply = try await dependencies.commands.send(command)
      if case .failure(let error) = reply.result { context.logger.info("Slack's \(command.by): \(error)") }
    }
    return Response(status: .ok)
  }

  /// `action_id` is the command's name, `value` holds `{"alert": "A-12", "version": 3}`.
  private func slackCommand(_ action: JSON, user: JSON?) -> Command? {
    guard let name = action["action_id"]?.string, let value = action["value"]?.string,
      let json = try? JSON(parsing: value), let alert = json["alert"]?.string
    else { return nil }
    let id = user?["id"]?.string ?? ""
    let by =
      dependencies.answers().slackPeople[id] ?? "slack/\(user?["username"]?.string ?? user?["name"]?.string ?? id)"
    guard ["acknowledge", "resolve", "unacknowledge", "escalate", "snooze"].contains(name) else { return nil }
    var members: [JSON.Member] = [
      .init("command", .string(name)), .init("alert", .string(alert)), .init("by", .string(by)),
    ]
    if let version = json["version"] { members.append(.init("version", version)) }
    if name == "snooze" { members.append(.init("for", json["for"] ?? "1h")) }
    return try? Command(json: .object(members), now: dependencies.now())
  }

  // MARK: - PagerDuty

  /// Source: https://developer.pagerduty.com/docs/verifying-webhook-signatures
  private func pagerduty(_ request: Request, _ context: ConsoleContext) async throws -> Response {
    let secrets = dependencies.answers().pagerdutySecrets
    guard !secrets.isEmpty else {
      throw Problem(
        .forbidden, "no webhook secret is configured for PagerDuty", mend: "channels.pagerduty.webhook_secret takes it",
        code: "forbidden")
    }
    let body = Array(try await request.body.collect(upTo: AnswerRoutes.sizeLimit).readableBytesView)
    let given = (AnswerRoutes.header("X-PagerDuty-Signature", request) ?? "").split(separator: ",").map {
      $0.trimming()
    }
    let expected = secrets.map { "v1=" + AnswerRoutes.signature(body, secret: $0) }
    guard given.contains(where: { one in expected.contains { AccessPolicy.equal($0, one) } }) else {
      throw Problem(.unauthorized, "the signature is not PagerDuty's", code: "forbidden")
    }
    guard let event = (try? JSON(parsing: body))?["event"] else {
      throw Problem(.badRequest, "there is no event in the body", code: "invalid")
    }
    if let command = pagerdutyCommand(event) {
      let reply = try await dependencies.commands.send(command)
      if case .failure(let error) = reply.result { context.logger.info("PagerDuty's \(command.by): \(error)") }
    }
    return APIRoutes.json(["ok": true])
  }

  /// Our incidents carry `tocsin/A-12` as their key. What an integration did was our own doing, and says nothing new.
  private func pagerdutyCommand(_ event: JSON) -> Command? {
    let agent = event["agent"]
    if agent?["type"]?.string?.contains("integration") == true { return nil }
    let key = event["data"]?["incident_key"]?.string ?? event["data"]?["alert_key"]?.string ?? ""
    guard key.hasPrefix("tocsin/"), let alert = AlertID(key.dropFirst(7)) else { return nil }
    let known = dependencies.answers().pagerdutyPeople
    let by =
      [agent?["id"]?.string, agent?["summary"]?.string].lazy.compactMap { $0.flatMap { known[$0] } }.first
      ?? "pagerduty/\(agent?["summary"]?.string ?? "somebody")"
    switch event["event_type"]?.string {
    case "incident.acknowledged": return Command(.acknowledge, alert: alert, by: by)
    case "incident.unacknowledged": return Command(.unacknowledge, alert: alert, by: by)
    case "incident.resolved": return Command(.resolve, alert: alert, by: by)
    default: return nil
    }
  }
}
