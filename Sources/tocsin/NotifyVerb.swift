import ArgumentParser
import Foundation
import Notifiers
import TocsinConfiguration

/// `tocsin notify`: one notifier worker.
struct NotifyVerb: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "notify", abstract: "Runs one notifier worker: takes messages from the service and delivers them.",
    discussion: """
      Any number of workers may run, on any machine that reaches the bus. SIGTERM lets what is in flight finish \
      and hands the rest back.
      """)
  @OptionGroup var folder: ConfigVerb.Folder

  @Option(
    help: "Which channels to take, separated by commas: \(ChannelTable.names.joined(separator: ", ")). Default: all.",
    transform: NotifyVerb.channels)
  var channels: [String]?

  @Option(help: "The worker's name in receipts and heartbeats. Each worker needs its own.")
  var name: String = "notifier/\(ProcessInfo.processInfo.processIdentifier)"

  static func channels(_ text: String) throws -> [String] {
    let names = text.split(separator: ",").map { String($0.filter { !$0.isWhitespace }) }
    guard !names.isEmpty else { throw ValidationError("name at least one channel") }
    for name in names where !ChannelTable.names.contains(name) {
      throw ValidationError("there is no channel \"\(name)\"; there are: \(ChannelTable.names.joined(separator: ", "))")
    }
    return names
  }

  func run() async throws {
    Log.start()
    let configuration = try folder.load()
    let running = try Running(configuration, isService: false)
    try await Exit.explained {
      try await Exit.runGroup(
        [try running.notifierPart(name: name, channels: channels), running.watch(over: configuration.directory)],
        logger: running.logger)
    }
  }
}
