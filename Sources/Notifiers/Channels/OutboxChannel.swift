package import Alerts

/// A receiver of its own kind: the message as a file, for programs that watch a folder. The worker's ``Outbox`` writes it.
package struct OutboxChannel: Channel {
  package let name = "outbox"
  package let pace = Pace(inFlight: 1)
  private let templates: TemplateSet

  package init(templates: TemplateSet = TemplateSet()) { self.templates = templates }

  package func missing(for job: Job) -> String? { "channels.outbox.directory is not configured" }

  package func render(_ job: Job, now: Timestamp) throws(RenderingError) -> RenderedMessage {
    let facts = MessageFacts(job)
    let title = templates.render(facts, .line)
    let body: JSON = .compact([
      "subject": .string(title), "text": .string(templates.text(job, facts)),
      "alert": job.alert?.json ?? .null, "content": job.content ?? .null,
      "members": job.members.isEmpty ? .null : .array(job.members.map(\.json)),
    ])
    return RenderedMessage(form: .json, title: title, parts: [.init("message", body.bytes)])
  }

  package func send(
    _ message: RenderedMessage, for job: Job, over transport: any Transport, now: Timestamp
  ) async -> Verdict {
    Verdict(.failed, "channels.outbox.directory is not configured")
  }
}
