import Alerts
import ArgumentParser
import Foundation
import Lifecycle
import Notifiers
import Projections
import TocsinConfiguration

/// `tocsin render`: what a message would look like.
struct RenderVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "render", abstract: "Shows the message about an alert as a channel would carry it. Sends nothing.",
    discussion: """
      Templates in the configuration's templates/ folder are used where there are any; what is wrong with one is said on \
      standard error. The names of all templates: \(TemplateSet.names.joined(separator: ", ")).
      """)
  @OptionGroup var folder: ConfigVerb.Folder
  @Option(help: "The alert, such as A-12.", transform: RenderVerb.alertID) var alert: AlertID?
  @Option(help: "One of \(ChannelTable.names.joined(separator: ", ")).") var channel = "email"
  @Option(help: "The receiver whose options count.") var receiver = "preview"
  @Option(help: "Where the message would go.") var to: String?
  @Option(
    help: "firing, acknowledged, resolved or reminder. Default: what fits the alert's state.",
    transform: RenderVerb.purpose)
  var purpose: Purpose?
  @Option(help: "Print a built-in template instead, as a beginning for your own, such as alert.slack.") var template:
    String?

  static func alertID(_ text: String) throws -> AlertID {
    guard let id = AlertID(text) else { throw ValidationError("not an alert's id such as A-12: \(text)") }
    return id
  }

  static func purpose(_ text: String) throws -> Purpose {
    guard let purpose = Purpose(rawValue: text), [.firing, .acknowledged, .resolved, .reminder].contains(purpose) else {
      throw ValidationError("not firing, acknowledged, resolved or reminder: \(text)")
    }
    return purpose
  }

  func validate() throws {
    guard ChannelTable.names.contains(channel) else {
      throw ValidationError(
        "there is no channel \"\(channel)\"; there are: \(ChannelTable.names.joined(separator: ", "))")
    }
    if let template, TemplateSet.builtIn(template) == nil {
      throw ValidationError(
        "there is no template \"\(template)\"; there are: \(TemplateSet.names.joined(separator: ", "))")
    }
    if template == nil, alert == nil {
      throw ValidationError("name an alert with --alert, or a template with --template")
    }
  }

  func run() throws {
    if let template {
      print(TemplateSet.builtIn(template) ?? "", terminator: "")
      return
    }
    guard let id = alert else { return }
    let configuration = try folder.load()
    let templates = TemplateFolder.load(configuration: configuration.directory)
    for fault in templates.faults { FileHandle.standardError.write(Data("tocsin: \(fault)\n".utf8)) }
    try ProjectionsVerb.failing {
      guard let alert = try ProjectionReader(path: configuration.projectionsPath).alert(id) else {
        throw CommandError(.unknown_alert, "there is no \(id)")
      }
      let job = Preview.job(
        alert, channel: channel, destination: to ?? Preview.sampleDestination(channel), receiver: receiver,
        purpose: purpose, consoleURL: configuration.lifecycle.consoleURL, now: wallClock())
      let channels = ChannelTable.channels(configuration.notifiers, templates: templates)
      guard let channel = channels.first(where: { $0.name == channel }) else { return }
      print(Preview.text(try channel.render(job, now: job.requestedAt)), terminator: "")
    }
  }
}
