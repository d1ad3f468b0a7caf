import Alerts
import Bus

/// What a command that was carried out is remembered by: in the commit that holds its facts, beside the anomalies of that commit, and in the same
/// bounded tables (``Intake``). So a client that sends it again, because a crash swallowed the answer, changes nothing.
///
/// A command with an id of its own is known for as long as the anomalies of its time are. One without is recognised by its request id, its
/// sender's key and its text, for fifteen minutes at least and thirty at most: whoever counts requests from 1 may say the same again tomorrow.
struct CommandMark {
  let hash: StableHash
  /// What it would have been in the quarter of an hour before.
  private let before: StableHash

  /// Nil for what changes nothing, and for what has a key of its own.
  init?(_ command: Command, _ requestID: String, _ peer: Peer, _ json: [UInt8], _ now: Timestamp) {
    switch command.action {
    case .wanted, .previewSilence, .digest, .status: return nil
    default: break
    }
    let sender = peer.name ?? ""
    if let id = command.id {
      let parts = ["command", sender, command.by, command.name, command.alert?.description ?? "", id]
      hash = StableHash(parts.joined(separator: "\u{1F}"))
      before = hash
      return
    }
    let said = json.withUnsafeBytes { StableHash($0) }
    let quarter = now.microseconds / AnsweredCommands.memory.microseconds
    func mark(_ quarter: Int64) -> StableHash {
      StableHash(
        ["request", sender, requestID, "\(said.high)", "\(said.low)", "\(quarter)"].joined(separator: "\u{1F}"))
    }
    hash = mark(quarter)
    before = mark(quarter - 1)
  }

  func isKnown(to intake: Intake) -> Bool { intake.contains(hash) || intake.contains(before) }
}
