import Logging
import Alerts
import Bus
import HTTPTypes
import Hummingbird
import Projections

/// Turns whatever goes wrong into an answer that says what, why and what to do next, in the form that the asker reads.
struct ErrorPages: RouterMiddleware {
  typealias Context = ConsoleContext
  let site: Site

  func handle(
    _ request: Request, context: ConsoleContext,
    next: (Request, ConsoleContext) async throws -> Response
  ) async throws -> Response {
    do {
      return try await next(request, context)
    } catch is CancellationError {
      throw CancellationError()
    } catch {
      let problem = ErrorPages.problem(error)
      if problem.status.code >= 500 { context.logger.warning("\(request.uri.path): \(problem.message)") }
      return finish(Site.isForPrograms(request) ? problem.response : site.errorPage(problem, request, context))
    }
  }

  /// An error skips the middleware inside: the headers must not be missing then.
  private func finish(_ response: Response) -> Response {
    var response = response
    for (name, value) in [
      ("Content-Security-Policy", SecurityHeaders.policy), ("X-Content-Type-Options", "nosniff"),
      ("Cache-Control", "no-store"), ("X-Frame-Options", "DENY"),
    ] {
      if let name = HTTPField.Name(name) { response.headers[name] = value }
    }
    return response
  }

  static func problem(_ error: any Error) -> Problem {
    switch error {
    case let problem as Problem: return problem
    case let error as CommandError: return Problem(error)
    case let error as BusError:
      return Problem(
        .serviceUnavailable, "the lifecycle service did not answer: \(error.message)",
        mend: "nothing was lost; try again when it runs (tocsin doctor)", code: "unavailable")
    case let error as ProjectionError:
      switch error.kind {
      case .invalid: return Problem(.badRequest, error.message, mend: error.mend)
      default: return Problem(.serviceUnavailable, error.message, mend: error.mend)
      }
    case let error as DigestError: return Problem(.badRequest, error.description)
    case let error as HTTPError:
      switch error.status {
      case .notFound: return Problem(.notFound, "there is nothing at this address")
      case .contentTooLarge: return Problem(.contentTooLarge, "the body is larger than this address takes")
      default: return Problem(error.status, error.body ?? error.status.reasonPhrase, headers: error.headers)
      }
    case let error as any HTTPResponseError:
      // A body that is too large, above all.
      return error.status == .contentTooLarge
        ? Problem(.contentTooLarge, "the body is larger than this address takes")
        : Problem(error.status, error.status.reasonPhrase)
    default: return Problem(.internalServerError, "something went wrong in the console itself; its log says what")
    }
  }
}
