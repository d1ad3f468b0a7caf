package import Alerts

/// Reads what older versions of Tocsin wrote. An event is never rewritten: its data is brought into today's form each time it is read.
///
/// Data of the first form of a type carries no mark. Later forms carry `"v": 2` and so on. For each type there is a row of steps: the
/// first brings form 1 to form 2, the next form 2 to form 3.
package struct Upcasting: Sendable {
  package typealias Step = @Sendable (JSON) -> JSON

  /// The member of `data` that says which form it has.
  package static let mark = "v"
  /// What this Tocsin reads and writes. No type has changed its form yet.
  package static let standard = Upcasting([:])

  private var steps: [EventType: [Step]]

  package init(_ steps: [EventType: [Step]]) { self.steps = steps }

  /// The form that this Tocsin writes, from 1.
  package func form(of type: EventType) -> Int { (steps[type]?.count ?? 0) + 1 }

  /// The data of a row, in the newest form.
  ///
  /// - Throws: ``EventLogError/Kind/unreadable`` if a newer Tocsin wrote it.
  package func current(_ data: JSON, of type: EventType) throws(EventLogError) -> JSON {
    let written = data[Upcasting.mark]?.int ?? 1
    let newest = form(of: type)
    if written == newest { return data }
    guard written >= 1, written < newest, let steps = steps[type] else {
      throw EventLogError(
        .unreadable, "\(type.rawValue) has form \(written), and this Tocsin reads up to form \(newest)",
        mend: "use the Tocsin that wrote it, or a newer one")
    }
    return steps[Int(written - 1)...].reduce(data) { $1($0) }
  }

  /// Data that is about to be written, with its form's mark.
  package func marked(_ data: JSON, as type: EventType) -> JSON {
    let form = form(of: type)
    guard form > 1, case .object(let members) = data else { return data }
    return .object([JSON.Member(Upcasting.mark, .int(form))] + members.filter { $0.name != Upcasting.mark })
  }

  /// The data of an event as this Tocsin writes it.
  func write(_ event: AlertEvent, as type: EventType, to out: inout [UInt8]) {
    if form(of: type) == 1 { return event.write(to: &out) }
    marked(event.data, as: type).write(to: &out)
  }
}
