/// What may follow what, written from the rules of an alert's life and not from the engine: a state and an input give facts and the next
/// state, or a refusal.
///
/// States: `none` no life, or one that ended too long ago to reopen; `new` open; `ack` open and acknowledged; `over` ended.
/// Facts: a word, with its reason in brackets. `z?` only while snoozed, `c?` only if a snooze was to last until the value changes and it did,
/// `o?` only for another owner. `hold`: silenced and inhibited, by what applies. `regard`: silences that no longer apply, then hold.
/// `tell(why)`: the policy begins, unless something holds. `flap`: flapping, if it is. `advance(why)`: the policy's next step.
enum ModelTable {
  struct Row {
    var facts: [String]
    var next: String
    var isRefused: Bool
  }

  static let rows: [String: Row] = {
    var rows: [String: Row] = [:]
    for line in text.split(separator: "\n") {
      let cells = line.split(separator: "|", omittingEmptySubsequences: false).map { cell in
        cell.split(separator: " ").joined(separator: " ")
      }
      guard cells.count == 4 else { continue }
      let row = Row(
        facts: cells[2] == "refused" ? [] : cells[2].split(separator: " ").map(String.init), next: cells[3],
        isRefused: cells[2] == "refused")
      for state in cells[0].split(separator: " ") { rows["\(state)|\(cells[1])"] = row }
    }
    return rows
  }()

  /// `next` of `=`: the state stays.
  static let text = """
    none     | fires                 | detected hold tell(opened)                                              | new
    none     | clears                |                                                                         | =
    new ack  | fires                 | deduplicated c?unsnoozed(value_changed) c?tell(resumed)                 | =
    new      | fires worse           | deduplicated severity_raised z?unsnoozed(severity_raised) regard tell(severity_raised) | new
    ack      | fires worse           | deduplicated severity_raised unacknowledged(severity_raised) z?unsnoozed(severity_raised) regard tell(severity_raised) | new
    over     | fires                 | reopened hold tell(reopened) flap                                       | new
    over     | fires worse           | reopened severity_raised hold tell(reopened) flap                       | new
    new ack  | clears                | cleared resolved(cleared)                                               | over
    over     | clears                |                                                                         | =
    new ack  | nothing is heard      | resolved(stale)                                                         | over

    new      | acknowledge           | acknowledged                                                            | ack
    ack      | acknowledge           |                                                                         | =
    over     | acknowledge           | refused                                                                 | =
    new      | unacknowledge         |                                                                         | =
    ack      | unacknowledge         | unacknowledged(responder) tell(resumed)                                 | new
    over     | unacknowledge         | refused                                                                 | =
    ack      | the time is over      | unacknowledged(timeout) tell(resumed)                                   | new
    new ack  | resolve               | resolved(responder)                                                     | over
    over     | resolve               |                                                                         | =
    new ack  | snooze                | snoozed                                                                 | =
    over     | snooze                | refused                                                                 | =
    new ack  | unsnooze              | z?unsnoozed(responder) z?tell(resumed)                                  | =
    over     | unsnooze              |                                                                         | =
    new ack  | the snooze is over    | unsnoozed(elapsed) tell(resumed)                                        | =
    new ack over | assign            | o?assigned                                                              | =
    new ack over | comment           | commented                                                               | =
    new ack over | label             | labelled                                                                | =
    new      | escalate              | z?unsnoozed(responder) advance(by_hand)                                 | =
    ack      | escalate              | unacknowledged(responder) z?unsnoozed(responder) advance(by_hand)       | new
    over     | escalate              | refused                                                                 | =
    new      | a step is due         | advance(delay)                                                          | =

    new ack  | a silence begins      | silenced                                                                | =
    new ack  | a silence ends        | unsilenced tell(resumed)                                                | =
    new ack  | explained             | inhibited                                                               | =
    new ack  | no longer explained   | uninhibited tell(resumed)                                               | =
    new ack over | steady            | steady                                                                  | =
    """

  /// Facts that change what a command means: whoever saw less than the last of them is refused.
  static let decisive: Set<String> = [
    "detected", "severity_raised", "cleared", "reopened", "resolved", "acknowledged", "unacknowledged", "snoozed",
    "unsnoozed", "assigned",
  ]
}
