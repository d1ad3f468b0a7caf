import Alerts
import ArgumentParser

/// `tocsin alerts`: what a responder does.
struct AlertsVerb: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "alerts", abstract: "Lists alerts, and acts on them.",
    subcommands: [
      AlertList.self, AlertShow.self, Act<Acknowledge>.self, Act<Unacknowledge>.self, Act<Resolve>.self, Snooze.self,
      Act<Unsnooze>.self, Assign.self, Comment.self, Label.self, Act<Escalate>.self,
    ])

  /// A command that needs nothing but the alerts.
  protocol Plain: Sendable {
    static var name: String { get }
    static var aliases: [String] { get }
    static var abstract: String { get }
    static var action: Command.Action { get }
  }

  struct Act<Kind: Plain>: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
      CommandConfiguration(commandName: Kind.name, abstract: Kind.abstract, aliases: Kind.aliases)
    }
    @OptionGroup var alerts: AlertIDs
    @OptionGroup var responder: Responder
    @OptionGroup var connection: BusConnection

    func run() async throws { try await send(Kind.action, alerts, responder, connection) }
  }

  enum Acknowledge: Plain {
    static let name = "ack"
    static let aliases = ["acknowledge"]
    static let abstract = "Says that you take it: nobody else is told."
    static let action = Command.Action.acknowledge
  }
  enum Unacknowledge: Plain {
    static let name = "unack"
    static let aliases = ["unacknowledge"]
    static let abstract = "Takes an acknowledgement back: the policy goes on."
    static let action = Command.Action.unacknowledge
  }
  enum Resolve: Plain {
    static let name = "resolve"
    static let aliases: [String] = []
    static let abstract = "Says that it is over."
    static let action = Command.Action.resolve
  }
  enum Unsnooze: Plain {
    static let name = "unsnooze"
    static let aliases: [String] = []
    static let abstract = "Ends a snooze now."
    static let action = Command.Action.unsnooze
  }
  enum Escalate: Plain {
    static let name = "escalate"
    static let aliases: [String] = []
    static let abstract = "Goes on to the next step of the policy, now."
    static let action = Command.Action.escalate
  }

  struct Snooze: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Tells nobody for a while, or until its value changes; then looks again.")
    @Option(name: .customLong("for"), help: "How long, such as 2h or 1d.") var length: String?
    @Option(help: "Until when, such as 2026-11-20T06:00:00Z.") var until: String?
    @Flag(
      name: .customLong("until-change"), help: "Until its value changes, and no longer than --for or --until, if given."
    )
    var untilChange = false
    @Option(help: "With --until-change: only a change by more than this fraction counts, such as 0.1.")
    var by: Double?
    @OptionGroup var alerts: AlertIDs
    @OptionGroup var responder: Responder
    @OptionGroup var connection: BusConnection

    func run() async throws {
      if let by, !untilChange || !(0...1000).contains(by) {
        throw ValidationError("--by is a fraction such as 0.1, and goes with --until-change")
      }
      try await send(
        .snooze(try interval(), unlessChanged: untilChange ? by ?? 0 : nil), alerts, responder, connection)
    }

    private func interval() throws -> Interval {
      switch (length, until) {
      case (let length?, nil):
        guard let interval = Interval(length), interval > .zero, interval <= Command.longest else {
          throw ValidationError("--for must be a length of time such as 2h, at most \(Command.longest)")
        }
        return interval
      case (nil, let until?):
        let now = wallClock()
        guard let end = Timestamp(rfc3339: until), end > now, end - now <= Command.longest else {
          throw ValidationError("--until must be a time to come, such as 2026-11-20T06:00:00Z, not \"\(until)\"")
        }
        return end - now
      case (nil, nil) where untilChange: return Command.longest
      default: throw ValidationError("say --for LENGTH, --until TIME or --until-change")
      }
    }
  }

  struct Assign: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Gives it to somebody.")
    @Option(help: "Who is to look after it.") var to: String
    @OptionGroup var alerts: AlertIDs
    @OptionGroup var responder: Responder
    @OptionGroup var connection: BusConnection

    func run() async throws { try await send(.assign(to: to), alerts, responder, connection) }
  }

  struct Comment: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Adds a remark to its history; the remark is --note.")
    @OptionGroup var alerts: AlertIDs
    @OptionGroup var responder: Responder
    @OptionGroup var connection: BusConnection

    func run() async throws {
      guard let note = alerts.note, !note.trimming().isEmpty else { throw ValidationError("say it with --note TEXT") }
      try await send(.comment(note), alerts, responder, connection)
    }
  }

  struct Label: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Says whether it was worth an alert: true_positive or false_positive.")
    @Option(name: .customLong("with"), help: "true_positive or false_positive (also true, false).") var label: String
    @OptionGroup var alerts: AlertIDs
    @OptionGroup var responder: Responder
    @OptionGroup var connection: BusConnection

    func run() async throws {
      let name = label == "true" || label == "false" ? "\(label)_positive" : label
      guard let label = Labelled.Label(rawValue: name) else {
        throw ValidationError("--with takes true_positive or false_positive")
      }
      try await send(.label(label), alerts, responder, connection)
    }
  }
}

private func send(
  _ action: Command.Action, _ alerts: AlertIDs, _ responder: Responder, _ connection: BusConnection
) async throws {
  let by = try responder.by()
  let commands = try alerts.alerts().map { id in
    (
      label: id.description,
      command: Command(action, alert: id, by: by, note: alerts.note, version: alerts.version)
    )
  }
  try await responder.send(commands, over: connection)
}
