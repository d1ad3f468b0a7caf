import Alerts
import Bus

/// A command that waits for its answer.
struct Request {
  var action: String
  var alert: AlertID
  var by: String
  var bytes: [UInt8]
  var tries = 0
}

extension World {
  /// Asked again so often when no answer comes.
  private static let tries = 4
  private static let silence = Interval.seconds(8)

  func somebodyActs() {
    let known = promises.alerts.count
    guard known > 0 else { return }
    // People look at what is new.
    let id = AlertID(Int64(max(1, known - draw.below(min(known, 25)))))
    let action = draw.pick([
      "acknowledge", "acknowledge", "acknowledge", "unacknowledge", "resolve", "snooze", "snooze", "unsnooze",
      "comment",
      "label", "assign", "escalate", "silence", "silence", "expire_silence", "nonsense",
    ])
    command(action, id, by: draw.pick(["ana", "ben"]))
  }

  func command(_ action: String, _ id: AlertID, by: String) {
    outcome.commands += 1
    nextRequest += 1
    let name = "r\(nextRequest)"
    var members: [JSON.Member] = [
      .init("command", .string(action)), .init("by", .string(by)), .init("note", .string(name)),
    ]
    if action != "silence" { members.append(.init("alert", .string(id.description))) }
    switch action {
    case "snooze": members.append(.init("for", .string("\(1 + draw.below(90))m")))
    case "label": members.append(.init("as", .string(draw.pick(["true_positive", "false_positive"]))))
    case "assign": members.append(.init("to", .string("p\(nextRequest)")))
    case "silence":
      let matcher =
        draw.once(in: 4)
        ? Matcher(name: "service", value: draw.pick(["db", "mail"]))
        : Matcher(name: "metric", value: "k\(draw.below(14))")
      members.append(.init("matchers", .array([matcher.json])))
      if draw.once(in: 3) {
        members.append(.init("starts_at", .string((now + .minutes(Int64(draw.below(300)))).rfc3339)))
      }
      members.append(.init("for", .string("\(1 + draw.below(180))m")))
    case "expire_silence":
      members.append(
        .init("silence", .string("S-\(max(1, (promises.silences.keys.max()?.number ?? 1) - Int64(draw.below(3))))")))
    default: break
    }
    // Now and then what somebody saw is no longer so.
    if draw.once(in: 4), let version = promises.versions[id.subject] {
      members.append(.init("version", .int(max(1, version - draw.below(4)))))
    }
    let isGarbage = action == "nonsense" && draw.once(in: 2)
    let bytes = isGarbage ? Array("{\"command\":".utf8) : JSON.object(members).bytes
    requests[name] = Request(action: action, alert: id, by: by, bytes: bytes)
    ask(name)
  }

  /// Asks, and again when nobody answers. Whoever still hears nothing gives up; at the end of days, nobody does.
  private func ask(_ name: String) {
    guard let r = requests[name] else { return }
    guard r.tries < World.tries || isCalm else {
      requests[name] = nil
      return
    }
    requests[name]?.tries += 1
    transmit(.command(Peer(identity: Array(r.by.utf8)), requestID: name, json: r.bytes))
    after(World.silence) { $0.ask(name) }
  }

  func wasAnswered(_ name: String, _ json: JSON) {
    guard let r = requests[name] else { return }
    let isDone = json["ok"]?.bool == true
    // The service can't write, or the wire was bad: again.
    if !isDone, json["error"]?["code"]?.string == "unavailable" { return }
    requests[name] = nil
    if isDone {
      if r.action == "nonsense" { promises.fail(8, "\(r.by) asked for nonsense, and it was done") }
      promises.wasObeyed(r.action, r.alert, note: name)
    } else if json["error"]?["code"]?.string == nil {
      promises.fail(8, "\(r.by) was refused without a reason")
    }
  }
}
