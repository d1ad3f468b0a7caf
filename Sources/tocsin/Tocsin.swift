import ArgumentParser

@main
struct Tocsin: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tocsin", abstract: "Gives every anomaly a life, and tells people.", subcommands: [DetectVerb.self, ConfigVerb.self, SampleVerb.self])
}
