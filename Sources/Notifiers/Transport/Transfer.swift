package import Alerts

/// One exchange with a server: a request over HTTP, or a mail over SMTP.
package struct TransferRequest: Sendable {
  package enum Kind: Sendable {
    case http(method: String, headers: [Header])
    case mail(MailEnvelope)
  }
  package struct Header: Sendable, Equatable {
    package var name: String
    package var value: String
    package init(_ name: String, _ value: String) {
      self.name = name
      self.value = value
    }
  }
  package var kind: Kind
  package var url: String
  package var body: [UInt8]
  package var connectTimeout = Interval.seconds(10)
  /// From the first byte of the connection to the last of the answer.
  package var timeout = Interval.seconds(30)
  /// A PEM file with the certificates to trust, instead of the system's.
  package var caFile: String?
  package var username: String?
  package var password: String?
  /// What must never be shown: cut out of every message that comes back.
  package var secrets: [String] = []

  package init(_ kind: Kind, url: String, body: [UInt8]) {
    self.kind = kind
    self.url = url
    self.body = body
  }

  package static func post(_ url: String, contentType: String, body: [UInt8], headers: [Header] = []) -> TransferRequest
  {
    TransferRequest(
      .http(method: "POST", headers: [Header("Content-Type", contentType)] + headers), url: url, body: body)
  }
}

/// Who a mail is from and to, as the server is told; what the mail itself says is in its header.
package struct MailEnvelope: Sendable, Equatable {
  package var from: String
  package var to: [String]
  package var tls: EmailSettings.TLS
  package init(from: String, to: [String], tls: EmailSettings.TLS) {
    self.from = from
    self.to = to
    self.tls = tls
  }
}

/// A recipient that the mail server would not take.
package struct RefusedRecipient: Sendable, Equatable {
  package var address: String
  package var code: Int
  package var answer: String
  package init(address: String, code: Int, answer: String) {
    self.address = address
    self.code = code
    self.answer = answer
  }
}

package struct TransferResponse: Sendable {
  /// HTTP's, or SMTP's last one.
  package var status: Int
  /// Names in lower case.
  package var headers: [TransferRequest.Header]
  /// At most ``CurlTransport/responseLimit`` bytes of it.
  package var body: [UInt8]
  package var refused: [RefusedRecipient]
  package init(
    status: Int, headers: [TransferRequest.Header] = [], body: [UInt8] = [], refused: [RefusedRecipient] = []
  ) {
    self.status = status
    self.headers = headers
    self.body = body
    self.refused = refused
  }
  package func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }
  package var text: String { String(decoding: body, as: UTF8.self) }
}

/// No complete answer came.
package struct TransferFailure: Error, Sendable {
  /// libcurl's CURLcode.
  package var code: Int
  package var message: String
  /// The server's last code, if it had said anything.
  package var status: Int?
  /// Everything had been sent when it failed, so that the server may have taken it.
  package var outcomeUnknown: Bool
  package var refused: [RefusedRecipient]
  package init(
    code: Int, message: String, status: Int? = nil, outcomeUnknown: Bool = false, refused: [RefusedRecipient] = []
  ) {
    self.code = code
    self.message = message
    self.status = status
    self.outcomeUnknown = outcomeUnknown
    self.refused = refused
  }
}

package typealias TransferResult = Result<TransferResponse, TransferFailure>

/// Carries requests. The one that goes over the wire is ``CurlTransport``.
package protocol Transport: Sendable {
  func perform(_ request: TransferRequest) async -> TransferResult
  /// Breaks off what is in flight; each `perform` that waits gets an answer.
  func close()
}
