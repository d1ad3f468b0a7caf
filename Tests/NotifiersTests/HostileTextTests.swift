import Alerts
import Foundation
import Testing

@testable import Notifiers

/// What a detector sends is anybody's text: in no channel may it become markup, an address, or another field.
@Suite struct HostileTextTests {
  /// With a combining accent behind its sign, `<` is not the character that Swift compares with, and still a tag's beginning to a reader.
  static let texts = [
    "<script>alert(1)</script>", "<\u{0301}script\u{0301}>alert(1)</script>", "\"\u{0301} onmouseover=\"alert(1)",
    "' onload='x",
    "&\u{0301}lt;b&gt;", "<!channel> <@U1> <!here|here>", "<\u{200D}!channel>", "<https://evil.example|Open in Tocsin>",
    "</td></table><a href=//evil>", "{{{headline}}} {{> x}}", "a\u{0}b<i>", "\u{202E}<b>",
    "<img src=x onerror=alert(1)>",
    "]]><!--", "a\r\nBcc: eve@evil.example\r\n\r\n<p>", "*bold* _it_ ~s~ `code`",
  ]

  static func alert(_ text: String) -> AlertSummary {
    var a = Samples.anomaly()
    a.summary = text
    a.eventType = text
    a.metric = text
    a.detector = text
    a.dimensions = [.init(text, text)]
    a.labels = [.init(text, text)]
    a.more = [
      .init("links", ["runbook": .string("https://wiki.example.org/\(text)")]),
      .init("explanation", .object([.init(text, 0.5)])),
      .init("root_causes", [["entity": .string(text), "why": .string(text)]]),
    ]
    var alert = Samples.alert(state: .acknowledged, anomaly: a)
    alert.acknowledgedBy = text
    alert.assignee = text
    alert.acknowledgedUntil = Samples.now
    return alert
  }

  static func jobs(_ text: String, _ channel: String, _ destination: String) -> [Job] {
    let alert = alert(text)
    var jobs = [Purpose.firing, .acknowledged, .resolved, .reminder].map {
      Samples.job(
        channel, to: destination, purpose: $0, alert: alert, occasion: Occasion(.by_hand, by: text))
    }
    var group = Samples.summary(channel, to: destination)
    group.members = [alert, alert]
    jobs.append(group)
    var notice = Samples.job(
      channel, to: destination, purpose: .notice, alert: nil,
      content: ["subject": .string(text), "text": .string(text)])
    notice.subject = Subject(.silence, 7)
    return jobs + [notice]
  }

  /// A reader of HTML that knows nothing of Swift's characters: names of tags and of attributes, and whether all of them are known.
  static func markup(_ html: String) -> Set<String> {
    var names: Set<String> = []
    let bytes = Array(html.utf8)
    var i = 0
    while i < bytes.count {
      guard bytes[i] == UInt8(ascii: "<") else {
        i += 1
        continue
      }
      var j = i + 1
      var tag: [UInt8] = []
      var quote: UInt8?
      while j < bytes.count, quote != nil || bytes[j] != UInt8(ascii: ">") {
        if let q = quote {
          if bytes[j] == q { quote = nil }
        } else if bytes[j] == UInt8(ascii: "\"") || bytes[j] == UInt8(ascii: "'") {
          quote = bytes[j]
        } else {
          tag.append(bytes[j])
        }
        j += 1
      }
      // The values are out of it: what is left are names.
      for word in String(decoding: tag, as: UTF8.self).split(whereSeparator: { " \n=/".contains($0) }) {
        names.insert(String(word))
      }
      i = j + 1
    }
    return names
  }

  @Test("in a mail's page: nothing but our own tags and attributes", arguments: texts.indices)
  func html(_ i: Int) {
    let link = "https://tocsin.example.org/links/x"
    let templates = TemplateSet()
    for (job, plain) in zip(
      HostileTextTests.jobs(HostileTextTests.texts[i], "email", "a@x.org"),
      HostileTextTests.jobs("plain", "email", "a@x.org"))
    {
      let html = templates.render(MessageFacts(job, acknowledgeLink: link), .html)
      let ours = HostileTextTests.markup(templates.render(MessageFacts(plain, acknowledgeLink: link), .html))
      #expect(HostileTextTests.markup(html).subtracting(ours) == [], "\(job.purpose)")
      #expect(!html.contains("\0"))
    }
  }

  @Test("in a mail's header: no field of its own", arguments: texts.indices)
  func header(_ i: Int) throws {
    for job in HostileTextTests.jobs(HostileTextTests.texts[i], "email", "a@x.org") {
      let message = try EmailChannel(nil).render(job, now: Samples.now)
      let text = String(decoding: message.parts[0].body, as: UTF8.self)
      let header = text.components(separatedBy: "\r\n\r\n")[0]
      let names = header.components(separatedBy: "\r\n").filter { !$0.hasPrefix(" ") && !$0.hasPrefix("\t") }
        .compactMap { $0.split(separator: ":").first.map { String($0).lowercased() } }
      #expect(!names.contains("bcc") && Set(names).count == names.count, "\(names)")
      #expect(names.allSatisfy { $0.utf8.allSatisfy { (33...126).contains($0) } })
    }
  }

  /// What Slack takes for its own: `<…>` in markup. Ours are links to the console and the runbook.
  private static func controls(_ mrkdwn: String) -> [String] {
    var found: [String] = []
    var current: String.UnicodeScalarView?
    for scalar in mrkdwn.unicodeScalars {
      if scalar == "<" {
        if let current { found.append(String(current)) }
        current = .init()
      } else if scalar == ">" {
        found.append(current.map { String($0) } ?? "a lone >")
        current = nil
      } else {
        current?.append(scalar)
      }
    }
    if let current { found.append(String(current)) }
    return found
  }

  @Test("in Slack: nobody is called, and no link is made but ours", arguments: texts.indices)
  func slack(_ i: Int) throws {
    var settings = SlackSettings()
    settings.token = "xoxb"
    for thread in [nil, ["channel": "C1", "ts": "1.1"] as JSON] {
      for var job in HostileTextTests.jobs(HostileTextTests.texts[i], "slack", "#x") {
        job.thread = thread
        for part in try SlackChannel(settings).render(job, now: Samples.now).parts {
          let body = try JSON(parsing: part.body)
          let sections = (body["blocks"]?.array ?? []).flatMap { block -> [String] in
            guard block["type"]?.string != "header" else { return [] }
            return ([block["text"]?["text"]?.string] + (block["elements"]?.array ?? []).map { $0["text"]?.string })
              .compactMap { $0 }
          }
          for text in sections + [body["text"]?.string ?? ""] {
            for control in HostileTextTests.controls(text) {
              #expect(
                control.hasPrefix("https://wiki.example.org/") && control.hasSuffix("|Runbook")
                  || control.hasPrefix("https://tocsin.example.org/alerts/A-1042|"), "\(job.purpose): \(control)")
            }
          }
          #expect(
            (body["blocks"]?.array ?? []).filter { $0["type"]?.string == "header" }.allSatisfy {
              $0["text"]?["type"]?.string == "plain_text"
            })
        }
      }
    }
  }

  @Test("in an SMS, PagerDuty's event and a webhook's body: whole, as one value", arguments: texts.indices)
  func values(_ i: Int) throws {
    let text = HostileTextTests.texts[i]
    let job = Samples.job("sms", to: "+4930123456", alert: HostileTextTests.alert(text))
    let form = String(decoding: try SMSChannel(nil).render(job, now: Samples.now).parts[0].body, as: UTF8.self)
    #expect(form.split(separator: "&").count == 3 && form.utf8.allSatisfy { (33...126).contains($0) })
    let event = try JSON(
      parsing: try PagerDutyChannel(PagerDutySettings(), receiverOptions: [:]).render(job, now: Samples.now).parts[0]
        .body)
    #expect(event["payload"]?["component"]?.string == text)
    var hook = job
    hook.channel = "webhook"
    for format in ["cloudevents", "alertmanager"] {
      let channel = WebhookChannel(receiverOptions: ["data-team": ["url": "https://x", "format": .string(format)]])
      let body = try JSON(parsing: try channel.render(hook, now: Samples.now).parts[0].body)
      #expect(body.text.contains(JSON.string(text).text))
    }
  }
}
