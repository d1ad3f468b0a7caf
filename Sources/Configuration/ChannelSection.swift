import Alerts
import Notifiers

/// What proves that an answer comes from the tool that it names.
struct AnswerSecrets {
  var slackSigningSecret: String?
  var pagerdutySecrets: [String] = []
}

/// `channels:`, how to reach the world. Everything in here may be a secret.
enum ChannelSection {
  static func read(_ field: Field?, answers: inout AnswerSecrets) -> NotifierSettings {
    var settings = NotifierSettings()
    guard let section = field?.section() else { return settings }
    if let email = section.take("email")?.section() { settings.email = self.email(email) }
    if let slack = section.take("slack")?.section() {
      answers.slackSigningSecret = slack.take("signing_secret")?.text("Slack's signing secret")
      settings.slack = self.slack(slack)
    }
    if let pagerduty = section.take("pagerduty")?.section() {
      if let url = pagerduty.take("url")?.url(["https", "http"]) { settings.pagerduty.url = trimmed(url) }
      answers.pagerdutySecrets = pagerduty.take("webhook_secret")?.texts("PagerDuty's webhook secret") ?? []
      settings.pagerduty.caFile = pagerduty.take("ca_file")?.text("a path")
      pagerduty.finish()
    }
    if let outbox = section.take("outbox")?.section() {
      settings.outbox = outbox.need("directory", "a folder such as data/outbox")?.text("a folder")
      settings.outboxStandsIn = outbox.take("stands_in")?.bool() ?? true
      outbox.finish()
    }
    section.finish()
    return settings
  }

  private static func email(_ section: Section) -> EmailSettings? {
    let server = section.need("server", "smtps://smtp.company.com:465")?.url(["smtps", "smtp"])
    let from = section.need("from", "the sender's address")?.text("an email address")
    var email = EmailSettings(server: server ?? "", from: from ?? "")
    email.username = section.take("username")?.text()
    email.password = section.take("password")?.text()
    if let tls = section.take("tls") {
      switch tls.text("required, opportunistic or none") {
      case "required": email.tls = .required
      case "opportunistic": email.tls = .opportunistic
      case "none": email.tls = .none
      case nil: break
      default: tls.fault("must be one of required, opportunistic, none")
      }
    }
    email.caFile = section.take("ca_file")?.text("a path")
    if (email.username == nil) != (email.password == nil) {
      section.fault("has only one of username and password", mend: "give both, or neither")
    }
    section.finish()
    return server == nil || from == nil ? nil : email
  }

  private static func slack(_ section: Section) -> SlackSettings {
    var slack = SlackSettings()
    slack.token = section.take("token")?.text("a bot token")
    if let url = section.take("api_url")?.url(["https", "http"]) { slack.apiURL = trimmed(url) }
    for (channel, url) in section.take("webhooks")?.section()?.fields ?? [] {
      if let url = url.url(["https", "http"]) { slack.webhooks[channel] = url }
    }
    slack.caFile = section.take("ca_file")?.text("a path")
    section.finish()
    return slack
  }

  private static func trimmed(_ url: String) -> String {
    var url = url
    while url.hasSuffix("/") { url.removeLast() }
    return url
  }
}
