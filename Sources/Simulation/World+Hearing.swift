import Alerts
import Bus

// What the service said.
extension World {
  /// Hands each message to whom it is for. Some are lost, and some come late.
  func hear() {
    let messages = gateway.outgoing
    gateway.outgoing = []
    // Before anybody asks for more.
    for case (let peer, .job) in messages { count(World.worker(peer)) }
    for case (_, .reply(let request, let json)) in messages where request.hasPrefix("q") { judge(request, json) }
    for (peer, message) in messages {
      if case .job = message {
        // Counted when it is given, whatever becomes of it on its way.
        hear(peer, message)
        continue
      }
      if isCalm {
        hear(peer, message)
        continue
      }
      switch draw.below(40) {
      case 0: break
      case 1: after(.seconds(Int64(draw.below(60)))) { $0.hear(peer, message) }
      default: hear(peer, message)
      }
    }
  }

  private static func worker(_ peer: Peer) -> String {
    String(String(decoding: peer.identity, as: UTF8.self).dropFirst("notifier/".count))
  }

  private func hear(_ peer: Peer, _ message: Outgoing) {
    let name = String(decoding: peer.identity, as: UTF8.self)
    switch message {
    case .stored(let sequence, let json): wasStored(name, sequence, json)
    case .reply(let request, let json):
      if request.hasPrefix("q") { wasTold(request, json) } else { wasAnswered(request, json) }
    case .job(let json):
      // As a notifier reads it: from its bytes.
      do { wasGiven(World.worker(peer), try Job(json: try JSON(parsing: json.bytes))) } catch {
        promises.fail(8, "a job that can't be read: \(error): \(json.text.prefix(200))")
      }
    case .error(let code, _):
      if code == "malformed" { badReceiptsRefused += 1 }
    }
  }
}
