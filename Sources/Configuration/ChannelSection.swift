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
    if let sms = section.take("sms")?.section() { settings.sms = self.sms(sms) }
    if let links = section.take("links")?.section() {
      let field = links.need("secret", "a secret that signs the links by which a mail's reader acknowledges")
      if let secret = field?.text() {
        if secret.utf8.count < SignedLink.keyLength {
          field?.fault("is shorter than \(SignedLink.keyLength) bytes", mend: "make one with: openssl rand -hex 32")
        }
        settings.linkSecret = secret
      }
      links.finish()
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

  private static func sms(_ section: Section) -> SMSSettings? {
    let account = section.need("account_sid", "Twilio's account SID")?.text()
    let token = section.need("auth_token", "Twilio's auth token")?.text()
    let from = section.need("from", "a number of yours, or a messaging service's SID")?.text()
    var sms = SMSSettings(accountSID: account ?? "", authToken: token ?? "", from: from ?? "")
    if let url = section.take("url")?.url(["https", "http"]) { sms.url = trimmed(url) }
    sms.caFile = section.take("ca_file")?.text("a path")
    section.finish()
    return account == nil || token == nil || from == nil ? nil : sms
  }

  private static func trimmed(_ url: String) -> String {
    var url = url
    while url.hasSuffix("/") { url.removeLast() }
    return url
  }
}
