import ArgumentParser

@main
struct Tocsin: AsyncParsableCommand {
  static let version = "0.1.0"

  static let configuration = CommandConfiguration(
    commandName: "tocsin",
    abstract: "Gives every anomaly a life, and makes sure that somebody who can help hears of it.",
    groupedSubcommands: [
      CommandGroup(name: "Run", subcommands: [UpVerb.self, ServeVerb.self, DetectVerb.self, NotifyVerb.self]),
      CommandGroup(
        name: "Work with alerts", subcommands: [PublishVerb.self, AlertsVerb.self, SilencesVerb.self, OnCallVerb.self]),
      CommandGroup(
        name: "Look back",
        subcommands: [EventsVerb.self, DeliveriesVerb.self, DigestVerb.self, CheckVerb.self, BaselinesVerb.self]),
      CommandGroup(
        name: "Look after it",
        subcommands: [
          DoctorVerb.self, ConfigVerb.self, LogVerb.self, RenderVerb.self, ProjectionsVerb.self, KeysVerb.self,
          SampleVerb.self,
          SimulateVerb.self, BenchVerb.self,
        ]),
    ])

  // Its own, and not the library's: that one answers `tocsin alerts ack A-1 --version 7` with its version, acknowledges nothing, and calls that a success.
  @Flag(name: .customLong("version"), help: "Show the version.") var showsVersion = false

  func run() async throws {
    guard showsVersion else { throw CleanExit.helpRequest(self) }
    print(Tocsin.version)
  }
}
