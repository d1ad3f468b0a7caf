import Alerts
import Bus
import Console
import EventLog
import Foundation
import Lifecycle
import Logging
import Notifiers
import Projections
import Service
import ServiceLifecycle
import Synchronization
import TocsinConfiguration

/// The parts of a running Tocsin, put together: which ones, `up` and `serve` decide.
final class Running: Sendable {
  let logger = Logger(label: "tocsin")
  let configuration: Mutex<Configuration>
  /// What it was started with.
  private let started: Configuration
  let connection: ConnectionSettings
  let gateway: GatewaySettings
  let host: ServiceHost
  /// The key of this process's own parts, which no configuration knows.
  private let own: GatewaySettings.Client?
  /// What other parts do with an edited configuration.
  private let reloads = Mutex<[@Sendable (Configuration) -> Void]>([])
  /// What became of the heartbeats to somebody outside.
  let outbound = OutboundCounter()
  /// A wake-up for the projections after each commit.
  private let commits = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))

  /// - Parameter isService: whether this process runs the service; a worker by itself reaches one over the bus.
  init(_ configuration: Configuration, isService: Bool) throws {
    var gateway = try configuration.gatewaySettings()
    var connection = try ConnectionSettings(configuration.bus)
    var ownClient: GatewaySettings.Client?
    if isService, let keys = gateway.keys {
      // The parts of this process hear the feed with a key of their own that lives as long as it does.
      let own = try CurveKeyPair.generate()
      let client = GatewaySettings.Client(name: "tocsin", publicKey: own.publicKey, permissions: .all)
      gateway.clients.append(client)
      ownClient = client
      connection.curve = .init(serverKey: keys.publicKey, keys: own)
    }
    own = ownClient
    // One context for all clients of this process, so that they share a thread; within the service's own process, its gateway too.
    let context = try Context(sockets: Running.sockets)
    connection.context = context
    if isService {
      gateway.context = context
      gateway.inside = "inproc://tocsin.gateway"
      connection.gateway = "inproc://tocsin.gateway"
    }
    self.gateway = gateway
    self.connection = connection
    let wake = commits.continuation
    host = ServiceHost(logger: Logger(label: "tocsin.service")) { _ in wake.yield() }
    started = configuration
    self.configuration = Mutex(configuration)
  }

  var current: Configuration { configuration.withLock { $0 } }

  /// The folder in which this process keeps what it has not delivered to the service yet.
  static func spool(_ configuration: Configuration) -> String { configuration.dataDirectory + "/spool" }

  /// Sockets of this process: the gateway's, two for each client, and two for each page that follows what happens.
  private static let sockets: Int32 = 16_384

  // MARK: - Parts

  /// The lifecycle service with what hangs on its log: projections, digests, console.
  func serviceParts(configurationFolder: String) async throws -> [any ServiceLifecycle.Service] {
    let configuration = current
    try await host.start(
      log: configuration.logPath, gateway: gateway, lifecycle: configuration.lifecycle, audit: configuration.audit)
    let log = try EventLogReader(path: configuration.logPath)
    let reader = ProjectionReader(path: configuration.projectionsPath)
    let projector = Projector(
      path: configuration.projectionsPath, log: log, logger: Logger(label: "tocsin.projections"))
    host.watch(tables: { max(0, projector.position) })
    let commands = try CommandClient(connection)
    let anomalies = try Publisher(connection, producer: "console", outbox: Running.spool(configuration))
    return [
      Part("service") { [host] in
        try await Part.untilStopped({ host.stop() }) { try await host.wait() }
      },
      Part("bus clients") {
        try await Part.untilStopped({
          commands.close()
          anomalies.close()
        }) { try await gracefulShutdown() }
      },
      projectorPart(projector),
      archivePart(log: configuration.logPath),
      digests(configuration, log: log, reader: reader, projector: projector, commands: commands),
      try console(configuration, log: log, reader: reader, commands: commands, anomalies: anomalies),
      gapsPart(), try outboundHeartbeat(),
      watch(over: configurationFolder),
    ]
  }

  /// Takes up edits of the configuration, in whatever parts this process runs.
  func watch(over configurationFolder: String) -> some ServiceLifecycle.Service {
    ConfigurationWatcher(directory: configurationFolder) { [self] fresh in adopt(fresh) }
  }

  func onEdit(_ reload: @escaping @Sendable (Configuration) -> Void) { reloads.withLock { $0.append(reload) } }

  private func adopt(_ fresh: Configuration) {
    configuration.withLock { $0 = fresh }
    let fixed = fresh.fixedParts(otherThan: started)
    if !fixed.isEmpty {
      logger.warning(
        "some of the edit is used from the next start on", metadata: ["what": "\(fixed.joined(separator: ", "))"])
    }
    host.adopt(fresh.lifecycle)
    host.adopt(fresh.audit)
    if let own, let settings = try? fresh.gatewaySettings() { host.adopt(clients: settings.clients + [own]) }
    for reload in reloads.withLock({ $0 }) { reload(fresh) }
    logger.info("the configuration was taken up")
  }

  private func projectorPart(_ projector: Projector) -> Part {
    Part("projections") { [commits] in
      let task = Task { await projector.run(wake: commits.stream) }
      try await Part.untilStopped({ task.cancel() }) { await task.value }
    }
  }

  private func digests(
    _ configuration: Configuration, log: EventLogReader, reader: ProjectionReader, projector: Projector,
    commands: CommandClient
  ) -> Part {
    let scheduler = DigestScheduler(
      settings: configuration.digests, consoleURL: configuration.lifecycle.consoleURL, reader: reader,
      surroundings: .init(
        now: wallClock, sleep: { try await Task.sleep(for: .microseconds($0.microseconds)) },
        caughtUp: { _ = await projector.caughtUp(to: try log.head()) }, send: { try await commands.send($0) }),
      logger: Logger(label: "tocsin.digests"))
    return Part("digests") {
      let task = Task {
        await scheduler.run()
        // Without any digest configured there is nothing to do, and no reason to end the program.
        while !Task.isCancelled { try? await Task.sleep(for: .seconds(86_400)) }
      }
      try await Part.untilStopped({ task.cancel() }) { await task.value }
    }
  }

  private func console(
    _ configuration: Configuration, log: EventLogReader, reader: ProjectionReader, commands: CommandClient,
    anomalies: Publisher
  ) throws -> Part {
    let feed = FeedClient(connection)
    let status = host.status
    let zone = LocalZone(configuration.timeZone) ?? .utc
    let consoleURL = configuration.lifecycle.consoleURL
    // Weeks begin where the configured digest's begin, so that the page and the mail say the same.
    let weekday = configuration.digests.first { $0.period == .weekly && $0.tenant == nil }?.weekday ?? 1
    let dependencies = ConsoleDependencies(
      settings: configuration.console, reader: reader, log: log, commands: commands, anomalies: anomalies,
      live: { Running.live(feed) },
      unready: { status.snapshot.isReady ? nil : status.snapshot.trouble ?? "not ready" },
      workers: {
        status.heartbeats.map { WorkerReport(name: $0.key, at: $0.value.at, json: $0.value.json) }
          .sorted { $0.name < $1.name }
      },
      digest: { request in
        try Running.digest(
          request, reader: reader, weekday: weekday, zone: zone, consoleURL: consoleURL, now: wallClock())
      },
      windows: { [self] in
        current.lifecycle.maintenance.map { window in
          WindowReport(
            name: window.name, rhythm: window.rhythm, matchers: window.matchers,
            next: window.next(after: wallClock()).map { .init(start: $0.start, end: $0.end) })
        }
      },
      check: { [self] query, tenants in try await Running.check(current, query, tenants) },
      onCall: onCallSource(), link: { [self] in readLink($0) }, answers: { [self] in current.console.answers },
      warnings: { [self] in current.gaps(now: wallClock()).map { "\($0.key) \($0.message)" } },
      moreMetrics: { [outbound] in Running.metrics(status.snapshot, outbound.counts) },
      audit: { [outbound] in Running.audit(status.snapshot.audit, outbound.counts) }, now: wallClock, zone: zone,
      version: Tocsin.version)
    let logger = Logger(label: "tocsin.console")
    let console = Console(dependencies, logger: logger)
    return Part("console") { try await console.run() }
  }

  /// One notifier worker in this process.
  func notifierPart(name: String, channels: [String]?) throws -> Part {
    let configuration = current
    let logger = Logger(label: "tocsin.notifier")
    let templates = TemplateFolder.load(configuration: configuration.directory)
    let known = Mutex<[Fault]>([])
    // Each fault once, however often the rest of the configuration is edited.
    @Sendable func report(_ faults: [Fault]) {
      for fault in known.withLock({ known in
        defer { known = faults }
        return faults.filter { !known.contains($0) }
      }) { logger.error("a template of yours is not used", metadata: ["why": "\(fault)"]) }
    }
    report(templates.faults)
    let port = try WorkerClient(connection, worker: name)
    let transport = try CurlTransport()
    let worker = NotifierWorker(
      name: name, settings: configuration.notifiers, only: channels, templates: templates, port: port,
      transport: transport, logger: logger)
    onEdit { fresh in
      let templates = TemplateFolder.load(configuration: fresh.directory)
      report(templates.faults)
      Task { await worker.use(fresh.notifiers, templates: templates) }
    }
    return Part("notifier") {
      try await Part.untilStopped({ Task { await worker.stop() } }) { await worker.run() }
      port.close()
      transport.close()
    }
  }

  // MARK: - What the console asks

  /// A digest as a page shows it.
  static func digest(
    _ request: DigestRequest, reader: ProjectionReader, weekday: Int, zone: LocalZone, consoleURL: String?,
    now: Timestamp
  ) throws -> DigestView {
    var day = zone.local(now).day - 1
    if let ending = request.ending {
      guard let date = Timestamp(rfc3339: ending) else {
        throw DigestError("\"\(ending.prefix(40))\" is no date such as 2026-11-22")
      }
      day = date.utcDay.days
    }
    let period = DigestPeriod.ending(request.period, onOrBefore: day, weekday: weekday, zone: zone)
    let figures = try reader.digest(period, tenant: request.tenants?.first)
    let digest = Digest(figures, consoleURL: consoleURL)
    return DigestView(
      subject: digest.subject, ending: period.endingDate, text: digest.text, html: digest.htmlFragment,
      markdown: digest.markdown, json: digest.json)
  }

  /// Events as they are committed. One subscription for each page that looks.
  static func live(_ feed: FeedClient) -> AsyncStream<RecordedEvent> {
    AsyncStream(bufferingPolicy: .bufferingNewest(1000)) { continuation in
      let task = Task {
        guard let messages = try? feed.events() else { return continuation.finish() }
        for await message in messages {
          guard let json = try? JSON(parsing: message.json), let event = try? RecordedEvent(cloudEvent: json) else {
            continue
          }
          continuation.yield(event)
        }
        continuation.finish()
      }
      continuation.onTermination = { _ in task.cancel() }
    }
  }
}
