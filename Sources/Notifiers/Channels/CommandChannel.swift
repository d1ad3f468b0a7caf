package import Alerts

/// A program of the user's own, with the message as JSON on its standard input: for whatever Tocsin does not speak.
///
/// The program's exit code decides: 0 delivered, 75 (`EX_TEMPFAIL` of sysexits.h) again later, anything else failed for good.
package struct CommandChannel: Channel {
  package let name = "command"
  package let pace = Pace(inFlight: 2)
  private let receiverOptions: [String: [String: JSON]]
  private let templates: TemplateSet

  static let temporaryFailure: Int32 = 75
  /// How long the program may take; its whole process group is killed then.
  static let timeout = Interval.seconds(30)

  package init(receiverOptions: [String: [String: JSON]], templates: TemplateSet = TemplateSet()) {
    self.receiverOptions = receiverOptions
    self.templates = templates
  }

  private func program(_ job: Job) -> [String]? {
    let option = receiverOptions[job.receiver]?["command"]
    if let line = option?.string, !line.isEmpty { return ["/bin/sh", "-c", line] }
    let words = (option?.array ?? []).compactMap(\.string)
    return words.isEmpty ? nil : words
  }

  package func missing(for job: Job) -> String? {
    program(job) == nil ? "receivers.\(job.receiver).command is not configured" : nil
  }

  package func render(_ job: Job, now: Timestamp) throws(RenderingError) -> RenderedMessage {
    let facts = MessageFacts(job)
    let title = templates.render(facts, .line)
    let members = (job.json.members ?? []).filter { $0.name != "lease_until" && $0.name != "thread" }
    let body = JSON.object(
      members + [
        .init("title", .string(title)), .init("text", .string(templates.text(job, facts))),
      ])
    return RenderedMessage(form: .json, title: title, parts: [.init("stdin", body.bytes)])
  }

  package func send(
    _ message: RenderedMessage, for job: Job, over transport: any Transport, now: Timestamp
  ) async -> Verdict {
    guard let program = program(job), let part = message.parts.first else {
      return Verdict(.failed, missing(for: job) ?? "nothing to send")
    }
    let environment = [
      "TOCSIN_KEY": job.key, "TOCSIN_PURPOSE": job.purpose.rawValue, "TOCSIN_RECEIVER": job.receiver,
      "TOCSIN_SUBJECT": job.subject.description, "TOCSIN_ATTEMPT": "\(job.attempt)",
    ]
    let result = await ChildProcess.run(
      program, input: part.body, environment: environment, timeout: CommandChannel.timeout)
    return CommandChannel.verdict(result, program: program[0])
  }

  static func verdict(_ result: ChildProcess.Ending, program: String) -> Verdict {
    switch result {
    case .notStarted(let why):
      return Verdict(.failed, "can't start \(program): \(why)")
    case .exited(0, _):
      return Verdict(.delivered, status: 0)
    case .exited(let code, let output):
      let words = Secrets.excerpt(output, without: [])
      let said = words.isEmpty ? "" : ": \(words)"
      return Verdict(
        code == temporaryFailure ? .retry : .failed, status: Int(code), "\(program) exited with \(code)\(said)")
    case .killed(let signal):
      return Verdict(.retry, "\(program) was ended by signal \(signal)", outcomeUnknown: true)
    case .timedOut:
      return Verdict(.retry, "\(program) took longer than \(timeout) and was ended", outcomeUnknown: true)
    }
  }
}
