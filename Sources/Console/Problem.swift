import Alerts
import HTTPTypes
import Hummingbird

/// Why a request was not answered as asked: a page for people, `application/problem+json` (RFC 9457) for programs.
struct Problem: Error {
  var status: HTTPResponse.Status
  /// What is wrong, and why.
  var message: String
  /// What to do next.
  var mend: String?
  /// A short word for programs: `stale_version`, `unknown_alert`, ….
  var code: String?
  var headers: HTTPFields

  init(
    _ status: HTTPResponse.Status, _ message: String, mend: String? = nil, code: String? = nil,
    headers: HTTPFields = [:]
  ) {
    self.status = status
    self.message = message
    self.mend = mend
    self.code = code
    self.headers = headers
  }

  init(_ error: CommandError) {
    let status: HTTPResponse.Status =
      switch error.code {
      case .unknown_alert: .notFound
      case .stale_version, .not_allowed_in_state: .conflict
      case .invalid: .badRequest
      case .forbidden: .forbidden
      case .unavailable: .serviceUnavailable
      }
    self.init(status, error.message, code: error.code.rawValue)
  }

  var json: JSON {
    .compact([
      "type": .string(code.map { "urn:tocsin:problem:\($0)" } ?? "about:blank"),
      "title": .string(status.reasonPhrase), "status": .int(Int(status.code)), "detail": .string(message),
      "mend": .text(mend), "code": .text(code),
    ])
  }

  var response: Response {
    var headers = headers
    headers[.contentType] = "application/problem+json"
    return Response(status: status, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: json.bytes)))
  }
}
