package import Alerts

/// What one try came to.
package struct Verdict: Sendable, Equatable {
  package var outcome: Receipt.Outcome
  package var status: Int?
  package var message: String
  package var retryAfter: Interval?
  package var outcomeUnknown: Bool
  package var provider: JSON?
  /// Of several addresses, those that took it although it is to be sent again, to the others.
  package var taken: [String] = []
  package init(
    _ outcome: Receipt.Outcome, status: Int? = nil, _ message: String = "", retryAfter: Interval? = nil,
    outcomeUnknown: Bool = false, provider: JSON? = nil
  ) {
    self.outcome = outcome
    self.status = status
    self.message = message
    self.retryAfter = retryAfter
    self.outcomeUnknown = outcomeUnknown
    self.provider = provider
  }
}

/// Whether an answer means delivered, again later, or never: apart from sending, so that every case stands in a table.
package enum Classification {
  /// An answer over HTTP. `words` is what the provider said, already without secrets.
  package static func http(status: Int, words: String = "", retryAfter: String? = nil, now: Timestamp) -> Verdict {
    let said = words.isEmpty ? "" : ": \(words)"
    switch status {
    case 200..<300:
      return Verdict(.delivered, status: status, words)
    case 408, 429, 500...599:
      // 504: a gateway gave up on the provider, which may have taken the message all the same.
      return Verdict(
        .retry, status: status, "answered \(status)\(said)",
        retryAfter: retryAfter.flatMap { RetryAfter.parse($0, now: now) }, outcomeUnknown: status == 504)
    case 300..<400:
      return Verdict(
        .failed, status: status,
        "answered \(status), a redirect, which is not followed: configure the new address\(said)")
    case 401, 403:
      return Verdict(.failed, status: status, "answered \(status): check the token, key or address configured\(said)")
    default:
      return Verdict(.failed, status: status, "answered \(status)\(said)")
    }
  }

  /// An SMTP server's last word (RFC 5321, section 4.2.1): 2 taken, 4 not now, 5 never.
  package static func smtp(code: Int, words: String = "") -> Verdict {
    let said = words.isEmpty ? "the mail server answered \(code)" : "the mail server answered \(words)"
    switch code {
    case 200..<300: return Verdict(.delivered, status: code, words)
    case 400..<500: return Verdict(.retry, status: code, said)
    case 535: return Verdict(.failed, status: code, "\(said): check the username and password configured")
    case 500..<600: return Verdict(.failed, status: code, said)
    default: return Verdict(.retry, status: code, said)
    }
  }

  /// Several recipients were refused, and nobody took the mail: again if any of them may take it later.
  package static func allRefused(_ refused: [RefusedRecipient]) -> Verdict {
    let later = refused.first { $0.code / 100 == 4 }
    let words = list(refused)
    return Verdict(
      later == nil ? .failed : .retry, status: (later ?? refused.first)?.code, "no recipient was taken: \(words)")
  }

  package static func list(_ refused: [RefusedRecipient]) -> String {
    let shown = refused.prefix(5).map { "\($0.address) (\($0.answer))" }.joined(separator: ", ")
    return refused.count > 5 ? "\(shown) and \(refused.count - 5) more" : shown
  }

  /// libcurl's codes that no second try can mend: the request itself, or this machine's configuration, is wrong.
  /// Source: https://curl.se/libcurl/c/libcurl-errors.html
  package static let hopeless: [Int: String] = [
    1: "the address's protocol is not supported: use http, https, smtp or smtps",
    3: "the address is malformed",
    4: "libcurl was built without what this needs",
    43: "libcurl was called wrongly",
    48: "libcurl does not know an option that this needs",
    53: "the TLS engine was not found", 54: "the TLS engine can't be used",
    58: "the client's certificate can't be used", 59: "the TLS ciphers can't be used",
    77: "the file with the certificates to trust (ca_file) can't be read",
  ]

  /// The network, or the server's side of it, failed before there was an answer. All but ``hopeless`` ones may pass.
  package static func failure(_ failure: TransferFailure) -> Verdict {
    if let why = hopeless[failure.code] {
      return Verdict(.failed, status: failure.status, "\(why): \(failure.message)")
    }
    return Verdict(
      .retry, status: failure.status, failure.message, outcomeUnknown: failure.outcomeUnknown)
  }

  /// Slack's errors that pass by themselves; all others are about the message, the channel or the token, and stay.
  /// Source: https://docs.slack.dev/reference/methods/chat.postMessage#errors
  package static let slackPassing: Set<String> = [
    "ratelimited", "rate_limited", "message_limit_exceeded", "internal_error", "fatal_error", "service_unavailable",
    "request_timeout", "team_added_to_org", "accesslimited",
  ]

  /// Slack answers 200 even for errors: what counts is `ok`.
  package static func slack(_ response: TransferResponse, secrets: [String], now: Timestamp) -> Verdict {
    let retryAfter = response.header("retry-after")
    guard (200..<300).contains(response.status) else {
      let words = Secrets.excerpt(response.text, without: secrets)
      return http(status: response.status, words: words, retryAfter: retryAfter, now: now)
    }
    guard let json = try? JSON(parsing: response.body), let ok = json["ok"]?.bool else {
      return Verdict(
        .retry, status: response.status,
        "answered \(response.status) with something that is not Slack's: check api_url", outcomeUnknown: true)
    }
    if ok {
      return Verdict(
        .delivered, status: response.status,
        provider: .compact(["channel": json["channel"] ?? .null, "ts": json["ts"] ?? .null]))
    }
    let error = Secrets.excerpt(json["error"]?.string ?? "unknown_error", without: secrets)
    if slackPassing.contains(error) {
      return Verdict(
        .retry, status: response.status, "Slack says \(error)",
        retryAfter: retryAfter.flatMap { RetryAfter.parse($0, now: now) })
    }
    return Verdict(.failed, status: response.status, "Slack says \(error)\(slackMend[error].map { ": \($0)" } ?? "")")
  }

  private static let slackMend = [
    "not_in_channel": "invite the app to the channel",
    "channel_not_found": "check the channel's name, and invite the app",
    "invalid_auth": "check the token", "not_authed": "configure a token", "token_revoked": "configure a new token",
    "token_expired": "configure a new token", "account_inactive": "configure a new token",
    "missing_scope": "give the app the scope chat:write", "is_archived": "the channel is archived: name another",
  ]
}
