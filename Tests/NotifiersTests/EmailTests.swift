import Alerts
import Foundation
import Testing

@testable import Notifiers

/// Mails to a real server process, taken apart there by Python's own mail reader.
@Suite struct EmailTests {
  func settings(_ server: String, tls: EmailSettings.TLS = .none, ca: Certificate? = nil) -> EmailSettings {
    var settings = EmailSettings(server: server, from: "Tocsin <tocsin@company.com>")
    settings.tls = tls
    settings.caFile = ca?.file
    return settings
  }

  func send(_ job: Job, _ settings: EmailSettings) async throws -> Verdict {
    let transport = try CurlTransport()
    defer { transport.close() }
    let channel = EmailChannel(settings)
    let message = try channel.render(job, now: Samples.now)
    return await channel.send(message, for: job, over: transport, now: Samples.now)
  }

  @Test("a mail arrives whole: its parts, its thread, its headers")
  func arrives() async throws {
    let server = try LocalServer.smtp("plain")
    var alert = Samples.alert()
    alert.anomaly.summary = "Größe fiel: . is “odd” & <b>bold</b> 世界\n.\nMAIL FROM:<evil@x.org>"
    let job = Samples.job("email", to: "director-bi@company.com, data@company.com", alert: alert)
    let verdict = try await send(job, settings("smtp://127.0.0.1:\(server.port)"))
    #expect(verdict.outcome == .delivered)
    #expect(verdict.status == 250)

    let mail = try #require(server.arrived.first)
    #expect(server.arrived.count == 1)
    #expect(mail["defects"]?.array == [])
    #expect(mail["from"]?.string == "tocsin@company.com")
    #expect(mail["to"]?.array == ["director-bi@company.com", "data@company.com"])
    #expect(mail["structure"]?.array == ["multipart/alternative", "text/plain", "text/html"])
    let headers = try #require(mail["headers"])
    #expect(headers["subject"]?.string?.hasPrefix("[CRITICAL] Größe fiel: . is “odd” & <b>bold</b> 世界") == true)
    #expect(headers["subject"]?.string?.hasSuffix("A-1042") == true)
    #expect(headers["from"]?.string == "Tocsin <tocsin@company.com>")
    #expect(headers["auto-submitted"]?.string == "auto-generated")
    #expect(headers["date"]?.string == MailHeader.date(Samples.now))
    #expect(headers["message-id"]?.string == "<\(Mail.digest(job.key))@company.com>")
    #expect(headers["in-reply-to"]?.string?.hasPrefix("<alert-A-1042-") == true)
    #expect(headers["in-reply-to"] == headers["references"])
    #expect(headers["x-tocsin-key"]?.string == job.key)
    let text = mail["parts"]?[0]?["text"]?.string ?? ""
    let html = mail["parts"]?[1]?["text"]?.string ?? ""
    #expect(text.contains("\n.\nMAIL FROM:<evil@x.org>"))
    #expect(text.contains("Value: 245, expected 1,850\n"))
    #expect(text.contains("https://tocsin.example.org/alerts/A-1042"))
    #expect(html.contains("&lt;b&gt;bold&lt;/b&gt;"))
    #expect(!html.contains("<b>bold"))
    let raw = mail.data("raw")
    let lines = raw.split(separator: 10, omittingEmptySubsequences: false)
    #expect(lines.dropLast().allSatisfy { $0.last == 13 }, "every line ends in CRLF")
    #expect(lines.allSatisfy { $0.count <= 79 })
    #expect(raw.allSatisfy { $0 < 128 })
  }

  @Test("TLS: over STARTTLS, from the first byte, and refused when the server has none")
  func tls() async throws {
    let certificate = try Certificate()
    let job = Samples.job("email", to: "a@company.com")
    let starttls = try LocalServer.smtp("starttls", tls: certificate)
    let address = "smtp://127.0.0.1:\(starttls.port)"
    #expect(try await send(job, settings(address, tls: .required, ca: certificate)).outcome == .delivered)
    #expect(starttls.arrived.map { $0["tls"]?.bool } == [true])
    let unknown = try await send(job, settings(address, tls: .required))
    #expect(unknown.outcome == .retry, "nobody vouches for the certificate: \(unknown.message)")
    let without = try await send(job, settings(address, tls: .none))
    #expect(without.outcome == .failed, "the server demands TLS: \(without.message)")
    #expect(starttls.arrived.count == 1)

    let smtps = try LocalServer.smtp("smtps", tls: certificate)
    let secure = settings("smtps://127.0.0.1:\(smtps.port)", tls: .required, ca: certificate)
    #expect(try await send(job, secure).outcome == .delivered)
    #expect(smtps.arrived.map { $0["tls"]?.bool } == [true])

    let plain = try LocalServer.smtp("plain")
    let bare = "smtp://127.0.0.1:\(plain.port)"
    #expect(try await send(job, settings(bare, tls: .required)).outcome == .retry)
    #expect(plain.arrived.isEmpty)
    #expect(try await send(job, settings(bare, tls: .opportunistic)).outcome == .delivered)
    #expect(plain.arrived.map { $0["tls"]?.bool } == [false])
  }

  @Test("the account is used; a wrong password fails for good, and is never shown")
  func account() async throws {
    let certificate = try Certificate()
    let server = try LocalServer.smtp("starttls", tls: certificate, account: ["tocsin", "s3cret-word"])
    var settings = settings("smtp://127.0.0.1:\(server.port)", tls: .required, ca: certificate)
    settings.username = "tocsin"
    settings.password = "s3cret-word"
    let job = Samples.job("email", to: "a@company.com")
    #expect(try await send(job, settings).outcome == .delivered)
    #expect(server.arrived.map { $0["user"]?.string } == ["tocsin"])
    settings.password = "wrong-word"
    let verdict = try await send(job, settings)
    #expect(verdict.outcome == .failed)
    #expect(verdict.status == 535)
    #expect(!verdict.message.contains("wrong-word"))
    #expect(server.arrived.count == 1)
  }

  @Test(
    "what the server says decides",
    arguments: [
      ("refused@x.org", Receipt.Outcome.failed, 550, false), ("busy@x.org", .retry, 450, false),
      ("full@x.org", .failed, 552, false), ("later@x.org", .retry, 451, false),
      ("drop@x.org", .retry, nil, true), ("refused@x.org,busy@x.org", .retry, 450, false),
    ] as [(String, Receipt.Outcome, Int?, Bool)])
  func answers(to: String, outcome: Receipt.Outcome, status: Int?, unknown: Bool) async throws {
    let server = try LocalServer.smtp("plain")
    let verdict = try await send(Samples.job("email", to: to), settings("smtp://127.0.0.1:\(server.port)"))
    #expect(verdict.outcome == outcome, "\(verdict)")
    if let status { #expect(verdict.status == status) }
    #expect(verdict.outcomeUnknown == unknown)
    #expect(server.arrived.count == (["full@x.org", "later@x.org", "drop@x.org"].contains(to) ? 1 : 0))
  }

  @Test("a refused recipient among good ones: the good ones get it, and the receipt names the other")
  func oneRefused() async throws {
    let server = try LocalServer.smtp("plain")
    let job = Samples.job("email", to: "good@x.org,refused@x.org,fine@x.org")
    let verdict = try await send(job, settings("smtp://127.0.0.1:\(server.port)"))
    #expect(verdict.outcome == .delivered)
    #expect(verdict.message.contains("refused@x.org (550 5.1.1 no such person here)"))
    #expect(verdict.provider?["refused"]?.array == ["refused@x.org"])
    #expect(server.arrived.first?["to"]?.array == ["good@x.org", "fine@x.org"])
  }

  @Test("a greylisted recipient among good ones gets it at the second try, and the good ones do not get it twice")
  func oneGreylisted() async throws {
    let server = try LocalServer.smtp("plain")
    var job = Samples.job("email", to: "good@x.org,grey@x.org,refused@x.org,fine@x.org")
    let settings = settings("smtp://127.0.0.1:\(server.port)")
    let first = try await send(job, settings)
    #expect(first.outcome == .retry && !first.outcomeUnknown && first.status == 451, "\(first)")
    #expect(first.taken == ["good@x.org", "fine@x.org"])
    #expect(first.message.contains("grey@x.org (451 4.7.1 greylisted, come again)"))
    job.attempt = 2
    job.taken = first.taken
    let second = try await send(job, settings)
    #expect(second.outcome == .delivered, "\(second)")
    #expect(second.message.contains("refused@x.org"))
    #expect(server.arrived.map { $0["to"]?.array } == [["good@x.org", "fine@x.org"], ["grey@x.org"]])
    #expect(Set(server.arrived.map { $0["headers"]?["message-id"]?.string }).count == 1)
    // Both mails say to whom it went as a whole.
    #expect(server.arrived.allSatisfy { $0["headers"]?["to"]?.string?.contains("good@x.org") == true })
    job.taken += ["grey@x.org", "refused@x.org"]
    #expect(try await send(job, settings).outcome == .delivered)
    #expect(server.arrived.count == 2)
  }

  @Test("a greylisting server gets the same Message-ID at the second try")
  func greylisting() async throws {
    let server = try LocalServer.smtp("plain")
    let job = Samples.job("email", to: "grey@x.org")
    let settings = settings("smtp://127.0.0.1:\(server.port)")
    #expect(try await send(job, settings).outcome == .retry)
    #expect(try await send(job, settings).outcome == .delivered)
    #expect(server.arrived.count == 1)
    #expect(server.arrived.first?["headers"]?["message-id"]?.string == "<\(Mail.digest(job.key))@company.com>")
  }

  @Test("later messages stay in the thread: same root, the first one's subject")
  func thread() throws {
    let channel = EmailChannel(nil)
    let first = try channel.render(Samples.job("email", to: "a@x.org"), now: Samples.now)
    let resolved = Samples.job(
      "email", to: "a@x.org", purpose: .resolved, alert: Samples.alert(state: .resolved), thread: first.provider)
    let second = try channel.render(resolved, now: Samples.now)
    #expect(second.provider?["thread"] == first.provider?["thread"])
    #expect(second.provider?["message_id"] != first.provider?["message_id"])
    #expect(second.title == "Re: \(first.title)")
    var third = resolved
    third.thread = second.provider
    #expect(try channel.render(third, now: Samples.now).title == second.title)
    var other = Samples.job("email", to: "a@x.org")
    other.alert?.openedAt = Samples.openedAt + .seconds(1)
    #expect(try channel.render(other, now: Samples.now).provider?["thread"] != first.provider?["thread"])
  }

  @Test("a digest says that it is a list, and how to leave it; a page never does")
  func digest() async throws {
    let server = try LocalServer.smtp("plain")
    let content: JSON = ["subject": "Week 47: 3 alerts", "text": "All of it.\n", "html": "<p>All of <i>it</i>.</p>"]
    let job = Samples.job("email", to: "a@x.org", purpose: .digest, alert: nil, content: content)
    #expect(try await send(job, settings("smtp://127.0.0.1:\(server.port)")).outcome == .delivered)
    let headers = try #require(server.arrived.first?["headers"])
    #expect(headers["subject"]?.string == "Week 47: 3 alerts")
    #expect(headers["list-id"]?.string?.hasPrefix("Tocsin digest <digest-") == true)
    #expect(headers["list-unsubscribe"]?.string == "<mailto:tocsin@company.com?subject=unsubscribe%20digest>")
    #expect(headers["in-reply-to"] == nil)
    #expect(server.arrived.first?["parts"]?[1]?["text"]?.string?.contains("<i>it</i>") == true)
    let page = try EmailChannel(nil).render(Samples.job("email", to: "a@x.org"), now: Samples.now)
    #expect(!String(decoding: page.parts[0].body, as: UTF8.self).contains("List-"))
  }

  @Test(
    "what is no address is refused before it reaches a server",
    arguments: ["", "nobody", "a@b@c", "a b@x.org", "a@x.org\r\nRCPT TO:<evil@x.org>", "<a@x.org", "@x.org", "a@"])
  func addresses(text: String) throws {
    #expect(throws: RenderingError.self) {
      try EmailChannel(nil).render(Samples.job("email", to: text), now: Samples.now)
    }
  }
}

@Suite struct MailTextTests {
  @Test(
    "quoted-printable",
    arguments: [
      ("a=b", "a=3Db"), ("ü", "=C3=BC"), ("a\nb\r\nc\rd", "a\r\nb\r\nc\r\nd"), ("end \nnext", "end=20\r\nnext"),
      (".", "."), ("", ""), (String(repeating: "x", count: 80), String(repeating: "x", count: 75) + "=\r\nxxxxx"),
    ])
  func quotedPrintable(text: String, expected: String) {
    #expect(String(decoding: QuotedPrintable.encode(text), as: UTF8.self) == expected)
  }

  @Test("long and foreign subjects are folded into encoded words of at most 75 characters")
  func header() {
    var header = MailHeader()
    header.addText("Subject", String(repeating: "Größe 世界 ", count: 20))
    header.addText("X-Plain", "plain words only")
    header.add("X-Evil", "a\r\nBcc: x@y.org")
    let lines = header.text.components(separatedBy: "\r\n").dropLast()
    #expect(lines.allSatisfy { $0.utf8.count <= 78 && $0.utf8.allSatisfy { $0 < 128 } })
    #expect(lines.dropFirst().dropLast(2).allSatisfy { $0.hasPrefix(" =?UTF-8?B?") })
    #expect(lines.suffix(2) == ["X-Plain: plain words only", "X-Evil: a Bcc: x@y.org"])
  }

  @Test("base64 and dates as the RFCs have them")
  func forms() {
    for (text, expected) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")] {
      #expect(Base64.encode(Array(text.utf8)) == expected)
    }
    #expect(MailHeader.date(Timestamp(rfc3339: "2026-11-20T06:02:11Z") ?? .epoch) == "Fri, 20 Nov 2026 06:02:11 +0000")
    #expect(MailHeader.date(Timestamp(rfc3339: "1969-12-31T23:59:59Z") ?? .epoch) == "Wed, 31 Dec 1969 23:59:59 +0000")
  }
}
