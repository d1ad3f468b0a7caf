/// Where the console listens.
package struct ConsoleSettings: Sendable, Equatable {
  package var host = "127.0.0.1"
  package var port = 7800
  /// How people reach it, for links in messages; nil where only this machine does.
  package var publicURL: String?
  /// The outbox folder to show, if the embedded default is in use.
  package var outbox: String?
  package init() {}
}
