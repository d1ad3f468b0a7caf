import Alerts
import HTTPTypes
import Hummingbird

/// `GET /v1/anomalies/check`, and the same under `/api/v1`: is a metric unusual now? Answered from its source at once; nothing is published.
struct CheckRoute: Sendable {
  let dependencies: ConsoleDependencies

  func add(to router: Router<ConsoleContext>) {
    for path in ["/v1/anomalies/check", "/api/v1/anomalies/check"] {
      router.get(RouterPath(path)) { request, context in
        do {
          return APIRoutes.json(try await dependencies.check(Form(query: request).pairs, context.identity.tenants))
        } catch let refusal as CheckRefusal {
          throw Problem(refusal.status, refusal.message, code: refusal.kind.rawValue)
        }
      }
    }
  }
}

/// Why a metric could not be looked at.
package struct CheckRefusal: Error, Sendable, CustomStringConvertible {
  package enum Kind: String, Sendable {
    /// There is no such metric, or series.
    case unknown
    case invalid
    /// The source did not answer.
    case unavailable
  }
  package var kind: Kind
  package var message: String
  package init(_ kind: Kind, _ message: String) {
    self.kind = kind
    self.message = message
  }
  package var description: String { message }

  var status: HTTPResponse.Status {
    switch kind {
    case .unknown: .notFound
    case .invalid: .badRequest
    case .unavailable: .serviceUnavailable
    }
  }
}
