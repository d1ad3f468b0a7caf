import Foundation
import Alerts
import HTTPTypes
import Hummingbird
import Projections

/// The digest of any period, as its receivers read it.
struct DigestPage: Sendable {
  let site: Site

  private func request(_ form: Form, _ context: ConsoleContext) throws -> DigestRequest {
    let period = DigestSettings.Period(rawValue: form["period"] ?? "weekly") ?? .weekly
    if let ending = form["ending"], ending.utf8.count != 10 || Timestamp(rfc3339: ending) == nil {
      throw Problem(.badRequest, "ending must be a date such as 2026-11-22")
    }
    return DigestRequest(period: period, ending: form["ending"], tenants: context.identity.tenants)
  }

  func show(_ request: Request, _ context: ConsoleContext) async throws -> Response {
    let wanted = try self.request(Form(query: request), context)
    let digest = try await site.dependencies.digest(wanted)
    let period = wanted.period
    let query = "period=\(period.rawValue)&ending=\(Form.encode(digest.ending))"
    let content = Templates.shared.render(
      "digest",
      view([
        "subject": digest.subject, "ending": digest.ending,
        "periods": DigestSettings.Period.allCases.map {
          view(["value": $0.rawValue, "name": $0.rawValue.capitalized, "on": $0 == period])
        }, "htmlHref": "/digest/html?\(query)", "textHref": "/digest/text?\(query)",
        "markdownHref": "/digest/markdown?\(query)", "jsonHref": "/digest/json?\(query)",
        "earlier": shifted(digest.ending, period, by: -1).map { "/digest?period=\(period.rawValue)&ending=\($0)" },
        "later": shifted(digest.ending, period, by: 1).map { "/digest?period=\(period.rawValue)&ending=\($0)" },
      ]))
    return site.page(.init(title: digest.subject, section: "Digest", content: content), context)
  }

  /// The digest alone, in one of its forms.
  func content(_ request: Request, _ context: ConsoleContext) async throws -> Response {
    let form = context.parameters.get("form") ?? ""
    guard ["html", "text", "markdown", "json"].contains(form) else {
      throw Problem(.notFound, "a digest comes as html, text, markdown or json")
    }
    let digest = try await site.dependencies.digest(self.request(Form(query: request), context))
    switch form {
    case "html": return DigestPage.framed(digest.html)
    case "json": return DigestPage.plain(digest.json.pretty + "\n", "application/json")
    case "markdown": return DigestPage.plain(digest.markdown, "text/markdown; charset=utf-8")
    default: return DigestPage.plain(digest.text, "text/plain; charset=utf-8")
    }
  }

  static func plain(_ text: String, _ type: String) -> Response {
    Response(status: .ok, headers: [.contentType: type], body: .init(byteBuffer: ByteBuffer(string: text)))
  }

  /// A mail's HTML, shut into itself: no script, nothing from outside, shown in a frame of ours alone.
  static func framed(_ html: String) -> Response {
    var response = Site.html(html)
    let headers = [
      (
        "Content-Security-Policy",
        "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"
      ), ("X-Frame-Options", "SAMEORIGIN"),
    ]
    for (name, value) in headers { if let name = HTTPField.Name(name) { response.headers[name] = value } }
    return response
  }

  private func shifted(_ date: String, _ period: DigestSettings.Period, by n: Int64) -> String? {
    guard let day = Timestamp(rfc3339: date)?.utcDay.days else { return nil }
    switch period {
    case .daily: return Timestamp(seconds: (day + n) * 86_400).utcDate
    case .weekly: return Timestamp(seconds: (day + 7 * n) * 86_400).utcDate
    case .monthly:
      // The last day of a month is the one before the first of the next.
      let c = Timestamp.civil(days: day + 1)
      let month = c.year * 12 + c.month - 1 + n
      return LocalTime(day: Timestamp.days(year: month / 12, month: month % 12 + 1, day: 1) - 1, minute: 0).dateText
    }
  }
}
