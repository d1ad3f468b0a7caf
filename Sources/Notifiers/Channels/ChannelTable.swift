import Alerts

/// Every channel there is. A new one takes its own file and one line here.
package enum ChannelTable {
  package static func channels(_ settings: NotifierSettings, templates: TemplateSet = TemplateSet()) -> [any Channel] {
    let links = settings.linkSecret.flatMap { LinkMaker(secret: $0) }
    return [
      EmailChannel(settings.email, templates: templates, links: links),
      SlackChannel(settings.slack, templates: templates),
      PagerDutyChannel(settings.pagerduty, receiverOptions: settings.receiverOptions, templates: templates),
      WebhookChannel(receiverOptions: settings.receiverOptions, templates: templates),
      SMSChannel(settings.sms, templates: templates, links: links),
      CommandChannel(receiverOptions: settings.receiverOptions, templates: templates),
      OutboxChannel(templates: templates),
    ]
  }

  package static let names = channels(NotifierSettings()).map(\.name)
}
