package import Alerts

/// A way to reach people: rendering, which is pure, and sending, which is one try.
///
/// To add one: a file with a type that conforms, and one line in ``ChannelTable``.
package protocol Channel: Sendable {
  /// What it is called in a receiver's configuration and in a job.
  var name: String { get }
  /// How a destination of this channel may be used.
  var pace: Pace { get }
  /// Nil if it can reach this job's destination; otherwise what has to be configured.
  func missing(for job: Job) -> String?
  /// The exact bytes that go out. Pure: `now` is the time of composing.
  func render(_ job: Job, now: Timestamp) throws(RenderingError) -> RenderedMessage
  /// One try. Never throws: whatever happens is a verdict.
  func send(_ message: RenderedMessage, for job: Job, over transport: any Transport, now: Timestamp) async -> Verdict
}

/// How fast, and how much at once, one destination is told.
package struct Pace: Sendable, Equatable {
  /// Transfers in flight to one destination; messages about one subject never overtake each other whatever this says.
  package var inFlight: Int
  /// Messages a second in the long run; nil: as fast as it answers.
  package var perSecond: Double?
  /// Messages that may go at once after a quiet time.
  package var burst: Int
  package init(inFlight: Int, perSecond: Double? = nil, burst: Int = 1) {
    self.inFlight = inFlight
    self.perSecond = perSecond
    self.burst = burst
  }
  /// `one message a second`
  var words: String {
    guard let perSecond else { return "messages as fast as it answers" }
    return perSecond == 1 ? "one message a second" : "\(Format.number(perSecond)) messages a second"
  }
}

/// A message as the wire will carry it.
package struct RenderedMessage: Sendable, Equatable {
  package enum Form: String, Sendable { case mail, json, form }
  /// One exchange; most messages are one, a few are two (update what is there, then reply to it).
  package struct Part: Sendable, Equatable {
    /// What it does: `chat.postMessage`, `enqueue`, `mail`.
    package var action: String
    package var body: [UInt8]
    /// Whether the message counts as delivered even if this part is refused.
    package var isOptional: Bool
    package init(_ action: String, _ body: [UInt8], isOptional: Bool = false) {
      self.action = action
      self.body = body
      self.isOptional = isOptional
    }
  }
  package var form: Form
  /// One line for lists.
  package var title: String
  package var parts: [Part]
  /// What a delivery hands to later ones, beside what the provider answers.
  package var provider: JSON?
  package init(form: Form, title: String, parts: [Part], provider: JSON? = nil) {
    self.form = form
    self.title = title
    self.parts = parts
    self.provider = provider
  }
}

/// A job that can't be put into bytes: no second try will change that.
package struct RenderingError: Error, Sendable, CustomStringConvertible {
  package var description: String
  package init(_ description: String) { self.description = description }
}
