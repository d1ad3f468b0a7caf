import ArgumentParser

@main
struct Tocsin: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tocsin", abstract: "Gives every anomaly a life, and tells people.",
    subcommands: [
      PublishVerb.self, AlertsVerb.self, EventsVerb.self, SilencesVerb.self, KeysVerb.self, ConfigVerb.self,
    ])
}
