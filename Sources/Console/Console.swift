import Alerts
package import Hummingbird
package import Logging
import Projections
import Synchronization

/// The pages, the HTTP API and the front doors, as one server.
package struct Console: Sendable {
  package let dependencies: ConsoleDependencies
  private let logger: Logger

  package init(_ dependencies: ConsoleDependencies, logger: Logger) {
    self.dependencies = dependencies
    self.logger = logger
  }

  /// A connection that says nothing for this long is closed. Live streams say something every 15 seconds.
  static let idleSeconds: Int64 = 60

  /// Runs until it is shut down.
  ///
  /// - Throws: ``ConsoleError`` with the address, when it can't listen there.
  package func run() async throws {
    let listens = Atomic(false)
    do {
      try await ConsoleServer(console: self, logger: logger).run { listens.store(true, ordering: .relaxed) }
    } catch {
      if listens.load(ordering: .relaxed) { throw error }
      throw ConsoleError(settings: dependencies.settings, why: error)
    }
  }

  /// Every path that is answered. Kept apart from the server, so that the API's description can be held against it.
  package func router() -> Router<ConsoleContext> {
    let router = Router(context: ConsoleContext.self, options: .autoGenerateHeadEndpoints)
    let access = AccessPolicy(dependencies.settings)
    router.add(middleware: ErrorPages(site: Site(dependencies)))
    router.add(middleware: SecurityHeaders())
    router.add(middleware: SameOrigin(access))
    router.add(middleware: Access(access))
    AssetRoutes.add(to: router)
    HealthRoutes(dependencies).add(to: router)
    PageRoutes(dependencies).add(to: router)
    APIRoutes(dependencies).add(to: router)
    CheckRoute(dependencies: dependencies).add(to: router)
    AlertmanagerRoutes(dependencies).add(to: router)
    AnswerRoutes(dependencies).add(to: router)
    LinkRoutes(site: Site(dependencies)).add(to: router)
    PagerDutyIngest(dependencies).add(to: router)
    return router
  }
}

/// The console can't listen where it should.
struct ConsoleError: Error, CustomStringConvertible {
  let settings: ConsoleSettings
  let why: any Error

  var description: String {
    let place = "\(settings.host):\(settings.port)"
    return """
      the console can't listen on \(place): \(why)
        end the program that has it, or choose another address with console.listen in tocsin.yaml
      """
  }
}

/// What is known of a request beside its bytes.
package struct ConsoleContext: RequestContext {
  package var coreContext: CoreRequestContextStorage
  /// Who asks. Set by ``Access`` before any handler runs.
  var identity = Identity.nobody
  /// For forms, see ``FormToken``.
  var formToken = ""

  package init(source: Source) { coreContext = .init(source: source) }
}
