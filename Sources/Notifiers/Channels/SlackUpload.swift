import Alerts
import Foundation

/// A picture into a Slack thread: ask where to put it, put it there, say where it belongs.
/// Source: https://docs.slack.dev/messaging/working-with-files#uploading_files. Needs the scope `files:write`.
struct SlackUpload {
  static let action = "files.upload"
  let settings: SlackSettings
  let transport: any Transport

  /// Nil if it is there; otherwise what went wrong, for the receipt.
  func send(_ part: RenderedMessage.Part, to thread: JSON?, now: Timestamp) async -> String? {
    guard let json = try? JSON(parsing: part.body), let name = json["filename"]?.string,
      let png = json["png"]?.string.flatMap({ Data(base64Encoded: $0) }), let channel = thread?["channel"]?.string
    else { return nil }
    let form = [
      "filename=\(SMSChannel.formEncoded(name))", "length=\(png.count)",
      "alt_txt=\(SMSChannel.formEncoded(json["alt_txt"]?.string ?? name))",
    ].joined(separator: "&")
    let asked = await call(
      "files.getUploadURLExternal", "application/x-www-form-urlencoded", Array(form.utf8), now: now)
    guard case .success(let place) = asked, let url = place["upload_url"]?.string, let file = place["file_id"]?.string
    else { return problem("where to put the picture", asked) }
    var put = TransferRequest.post(url, contentType: "application/octet-stream", body: Array(png))
    put.caFile = settings.caFile
    // The address is good for whoever has it.
    put.secrets = [url]
    switch await transport.perform(put) {
    case .failure(let failure): return "the picture was not taken: \(failure.message)"
    case .success(let response) where !(200..<300).contains(response.status):
      return "the picture was not taken: answered \(response.status)"
    case .success: break
    }
    let completion: JSON = .compact([
      "files": [["id": .string(file), "title": json["title"] ?? .string(name)]], "channel_id": .string(channel),
      "thread_ts": thread?["ts"] ?? .null,
    ])
    let completed = await call(
      "files.completeUploadExternal", "application/json; charset=utf-8", completion.bytes, now: now)
    if case .failure = completed { return problem("to show the picture", completed) }
    return nil
  }

  private struct Refused: Error { var message: String }

  private func problem(_ what: String, _ result: Result<JSON, Refused>) -> String {
    if case .failure(let refused) = result { return "no answer to the question \(what): \(refused.message)" }
    return "no answer to the question \(what)"
  }

  private func call(_ method: String, _ type: String, _ body: [UInt8], now: Timestamp) async -> Result<JSON, Refused> {
    let token = settings.token ?? ""
    var request = TransferRequest.post(
      "\(MessageFacts.base(settings.apiURL))/\(method)", contentType: type, body: body,
      headers: [.init("Authorization", "Bearer \(token)")])
    request.caFile = settings.caFile
    request.secrets = [token]
    switch await transport.perform(request) {
    case .failure(let failure): return .failure(Refused(message: failure.message))
    case .success(let response):
      let verdict = Classification.slack(response, secrets: [token], now: now)
      guard verdict.outcome == .delivered else { return .failure(Refused(message: verdict.message)) }
      return .success((try? JSON(parsing: response.body)) ?? .null)
    }
  }
}
