package import Alerts
package import Console
package import Detectors
import Foundation
package import Lifecycle
package import Notifiers
package import Projections
package import Service

/// A directory of YAML, read and checked: every part's own settings.
package struct Configuration: Sendable, Equatable {
  /// Where it was read from.
  package var directory: String
  /// IANA name.
  package var timeZone = "UTC"
  /// The event log's file.
  package var logPath: String
  /// The projections' file: beside the log, unless it says otherwise.
  package var projectionsPath: String
  /// Where workers keep what must outlive them.
  package var dataDirectory: String
  /// Lives that ended this long ago leave the log for an archive beside it. Nil: never.
  package var archiveAfter: Interval? = Configuration.standardRetention
  package var bus = BusSettings()
  package var lifecycle = LifecycleSettings()
  package var onCall = OnCallSettings()
  package var detection = DetectionSettings()
  package var notifiers = NotifierSettings()
  package var digests: [DigestSettings] = []
  package var console = ConsoleSettings()
  /// Every step and route that tells receivers, see ``gaps(now:)``.
  package var told: [Told] = []
  package var audit = AuditSettings()

  /// Files larger than this are refused: a configuration is written by people.
  package static let fileLimit = 4 << 20
  package static let standardRetention = Interval.days(90)

  /// Reads `tocsin.yaml` and `metrics/*.yaml` in a directory. Throws every fault that is in them, all at once.
  package static func load(directory: String, environment: [String: String]) throws(ConfigurationFaults)
    -> Configuration
  {
    let folder = ConfigurationFolder(directory: directory)
    let reading = Reading(environment: environment) { path in ConfigurationFolder.text(path) }
    let loaded = read(folder, reading)
    guard let loaded, reading.faults.isEmpty else { throw ConfigurationFaults(reading.faults) }
    return loaded
  }

  private static func read(_ folder: ConfigurationFolder, _ reading: Reading) -> Configuration? {
    guard let text = folder.read(folder.main, reading) else { return nil }
    let trees = TreeReading.documents(text, file: folder.main, into: reading)
    let empty = Tree(value: .map([]), place: Place(file: folder.main, line: 1, column: 1))
    var tree = trees.first ?? empty
    if tree.isNull { tree = empty }
    if trees.count > 1 {
      reading.faults.append(Fault(trees[1].place, key: "", "a second document", mend: "keep one: remove the line ---"))
    }
    guard let root = Field(tree: tree, keyPlace: tree.place, path: "", reading: reading).section() else { return nil }
    let service = ServiceSection(root)
    let receivers = ReceiverSection(root.take("receivers"), timeZone: service.timeZone)
    let connections = ConnectionSection.read(root.take("connections"))
    var settings = LifecycleSettings()
    settings.timeZone = service.timeZone
    settings.reopenWithin = root.take("reopen_within")?.interval() ?? settings.reopenWithin
    QuietingSection.read(root, into: &settings)
    settings.receivers = receivers.receivers
    settings.policies = RoutingSection.policies(root.take("policies"), timeZone: service.timeZone)
    settings.consoleURL = service.console.publicURL
    let general = RoutingSection.routes(root.take("routes"))
    var digests = DigestSection.read(root.take("digests"), timeZone: service.timeZone)
    var answers = AnswerSecrets()
    var notifiers = ChannelSection.read(root.take("channels"), answers: &answers)
    var detection = DetectionSettings()
    DetectionSection.read(root.take("detection"), into: &detection)
    let onCall = OnCallSection(
      people: root.take("people"), schedules: root.take("schedules"), timeZone: service.timeZone,
      folder: folder.directory)
    let audit = AuditSection.read(root.take("audit"))
    root.finish()

    notifiers.receiverOptions = receivers.options
    detection.timeZone = service.timeZone
    detection.connections = connections
    for path in folder.metrics(reading) {
      guard let text = folder.read(path, reading) else { continue }
      for tree in TreeReading.documents(text, file: path, into: reading) where !tree.isNull {
        guard let file = EventFile.read(tree, connections: connections.map(\.name), reading: reading) else { continue }
        if let twin = detection.events.first(where: { $0.name == file.event.name && $0.tenant == file.event.tenant }) {
          reading.faults.append(
            Fault(
              file.event.place, key: "name", "there is an event type \"\(file.event.name)\" already",
              mend: twin.place.map { "it stands in \($0); rename one of them" }))
          continue
        }
        detection.events.append(file.event)
        settings.routes += file.routes
        if let rule = file.staleRule { settings.staleRules.append(rule) }
        for receiver in file.receivers {
          if settings.receiver(receiver.name) != nil {
            reading.faults.append(
              Fault(
                file.event.place, key: "recipients", "there is a receiver \"\(receiver.name)\" already",
                mend: "rename that receiver: this name is taken for the file's own recipients"))
          }
          settings.receivers.append(receiver)
        }
        notifiers.receiverOptions.merge(file.receiverOptions) { $1 }
        if let digest = file.digest, let period = DigestSettings.Period(rawValue: digest.period) {
          digests.append(DigestSettings(period: period, timeZone: service.timeZone, to: digest.to))
        }
      }
    }
    settings.routes += general

    reading.settle([
      .receiver: settings.receivers.map(\.name), .policy: settings.policies.map(\.name),
      .connection: connections.map(\.name), .schedule: onCall.settings.schedules.map(\.name),
      .person: onCall.settings.people.map(\.name),
    ])
    // What the detectors make of it; a dangling connection has its fault already.
    var plannable = detection
    plannable.events.removeAll { event in !connections.contains { $0.name == event.source.connection } }
    // A fault on a line that says the same already is the same.
    func line(_ fault: Fault) -> String { "\(fault.place?.file ?? ""):\(fault.place?.line ?? 0) \(fault.message)" }
    let known = Set(reading.faults.map(line))
    reading.faults += DetectionPlan(plannable).faults.filter { !known.contains(line($0)) }
    let personal = ReachCheck.personalChannels(notifiers)
    settings.onCall = onCall.settings
    for i in settings.onCall.people.indices where !onCall.saysChannels.contains(settings.onCall.people[i].name) {
      settings.onCall.people[i].channels = personal
    }
    ReachCheck.run(settings, notifiers, fields: receivers.fields, people: onCall.fields, reading: reading)

    var configuration = Configuration(
      directory: folder.directory, logPath: service.logPath,
      projectionsPath: service.projectionsPath ?? beside(service.logPath, "projections"),
      dataDirectory: service.dataDirectory ?? parent(service.logPath))
    configuration.timeZone = service.timeZone
    configuration.archiveAfter = service.archiveAfter
    configuration.bus = service.bus
    configuration.lifecycle = settings
    configuration.onCall = settings.onCall
    configuration.told = reading.told
    configuration.detection = detection
    configuration.notifiers = notifiers
    configuration.digests = digests
    configuration.console = service.console
    configuration.audit = audit
    configuration.console.outbox = notifiers.outbox
    configuration.console.answers.slackSigningSecret = answers.slackSigningSecret
    configuration.console.answers.pagerdutySecrets = answers.pagerdutySecrets
    for person in onCall.settings.people {
      if let id = person.slack { configuration.console.answers.slackPeople[id] = person.name }
      if let id = person.pagerduty { configuration.console.answers.pagerdutyPeople[id] = person.name }
    }
    return configuration
  }

  /// One line: how much of everything there is.
  package var summary: String {
    func count(_ n: Int, _ one: String, _ many: String) -> String { "\(n) \(n == 1 ? one : many)" }
    return [
      count(detection.events.count, "event type", "event types"),
      count(detection.events.reduce(0) { $0 + $1.checks.count }, "check", "checks"),
      count(lifecycle.receivers.count, "receiver", "receivers"),
      count(lifecycle.policies.count, "policy", "policies"), count(lifecycle.routes.count, "route", "routes"),
      count(digests.count, "digest", "digests"),
    ].joined(separator: ", ")
  }

  /// `data/tocsin.sqlite` → `data/tocsin-projections.sqlite`
  private static func beside(_ path: String, _ word: String) -> String {
    guard let dot = path.lastIndex(of: "."), path[dot...].firstIndex(of: "/") == nil, dot != path.startIndex else {
      return "\(path)-\(word)"
    }
    return "\(path[..<dot])-\(word)\(path[dot...])"
  }

  private static func parent(_ path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }
}
