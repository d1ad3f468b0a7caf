import Alerts
import ArgumentParser
import Bus
import EventLog
import Foundation
import TocsinConfiguration

/// `tocsin events`: the log as JSON lines.
struct EventsVerb: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "events", abstract: "Prints the log as JSON lines, from the start or from a moment, and follows it.",
    discussion: """
      Each line is a CloudEvent, as the feed carries it. Without a configuration, --follow --feed ENDPOINT prints the \
      feed alone, from now on.
      """)
  @Option(help: "A position (what came after it), a time such as 2026-11-20T06:00:00Z, or an age such as 2h.")
  var since: String?
  @Option(help: "Only of this alert (or silence, group, …), such as A-1042.") var alert: String?
  @Option(parsing: .upToNextOption, help: "Only of these types, such as detected resolved.") var type: [String] = []
  @Option(help: "Stop after so many.") var limit: Int?
  @Flag(name: .shortAndLong, help: "Go on with what is committed from now on.") var follow = false
  @Flag(help: "As JSON lines, which is the only form there is.") var json = false
  @OptionGroup var connection: BusConnection

  func run() async throws {
    var filter = try EventFilter(since: since, alert: alert, types: type, now: wallClock())
    filter.limit = limit ?? .max
    let configuration = try connection.configuration()
    let settings = try connection.settings(configuration)
    // The feed first, so that nothing is committed between the two unseen.
    let feed = follow ? try FeedClient(settings).events() : nil
    guard let configuration else {
      guard let feed else {
        throw BusError(
          .refused, "the log is a file on the service's machine: give --config DIR there, or --follow for the feed")
      }
      for await message in feed {
        guard let json = try? JSON(parsing: message.json), let event = try? RecordedEvent(cloudEvent: json) else {
          continue
        }
        filter.print(event)
        if filter.isDone { return }
      }
      return
    }
    var tail = LogTail(log: try EventLogReader(path: configuration.logPath), filter: filter)
    try tail.readOn()
    guard let feed else { return }
    // The feed says that there is something; the log says what. So nothing that the feed lost is missing here.
    for await message in feed where message.position > tail.position {
      try tail.readOn()
      if tail.filter.isDone { return }
    }
  }
}

/// Prints the log from where it stopped.
private struct LogTail {
  /// Rows read at a time.
  static let page = 1000

  let log: any EventReading
  var filter: EventFilter
  var position: Int64

  init(log: any EventReading, filter: EventFilter) {
    self.log = log
    self.filter = filter
    position = filter.after
  }

  mutating func readOn() throws {
    while !filter.isDone {
      let events = try log.events(after: position, limit: LogTail.page)
      for event in events {
        position = event.position
        filter.print(event)
        if filter.isDone { return }
      }
      if events.count < LogTail.page { return }
    }
  }
}

/// Which events are printed.
struct EventFilter {
  private(set) var after: Int64 = 0
  private var from: Timestamp?
  private var subject: Subject?
  private var types: Set<EventType> = []
  var limit = Int.max

  init(since: String?, alert: String?, types: [String], now: Timestamp) throws {
    if let since {
      if let position = Int64(since), position >= 0 {
        after = position
      } else if let age = Interval(since) {
        from = now - age
      } else if let time = Timestamp(rfc3339: since) {
        from = time
      } else {
        throw ValidationError("--since takes a position, a time such as 2026-11-20T06:00:00Z or an age such as 2h")
      }
    }
    if let alert {
      guard let subject = Subject(alert) ?? AlertID(alert)?.subject else {
        throw ValidationError("\"\(alert)\" is no alert such as A-1042")
      }
      self.subject = subject
    }
    for name in types {
      guard let type = EventType(rawValue: name) else {
        throw ValidationError(
          "\"\(name)\" is no type of event; there are \(EventType.allCases.map(\.rawValue).joined(separator: ", "))")
      }
      self.types.insert(type)
    }
  }

  var isDone: Bool { limit <= 0 }

  func takes(_ event: RecordedEvent) -> Bool {
    if let from, event.recordedAt < from { return false }
    if let subject, event.subject != subject { return false }
    return types.isEmpty || types.contains(event.type)
  }

  mutating func print(_ event: RecordedEvent) {
    guard takes(event), !isDone else { return }
    limit -= 1
    FileHandle.standardOutput.write(Data(event.cloudEvent.bytes + [0x0A]))
  }
}
