import Alerts
import CCurl
import Foundation

/// One transfer in libcurl's hands: its easy handle's options, and what arrives.
///
/// `@unchecked Sendable`: made on a caller's thread, handed over through the transport's lock, and from then on touched only by the
/// transport's own thread, whose callbacks libcurl runs; the caller gets it back through `finish`, once.
final class CurlTransfer: @unchecked Sendable {
  let request: TransferRequest
  private let completion: @Sendable (TransferResult) -> Void
  private let easy: UnsafeMutableRawPointer
  private var lists: [UnsafeMutablePointer<curl_slist>] = []
  private let errorText = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))

  private var sent = 0
  private var headers: [TransferRequest.Header] = []
  private var response: [UInt8] = []
  private var received = 0
  private var overflowed = false
  private var pendingRecipient: String?
  private var refused: [RefusedRecipient] = []

  /// Nil if libcurl is out of memory.
  init?(_ request: TransferRequest, completion: @escaping @Sendable (TransferResult) -> Void) {
    guard let easy = curl_easy_init() else { return nil }
    self.easy = easy
    self.request = request
    self.completion = completion
    errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
  }

  deinit {
    for list in lists { curl_slist_free_all(list) }
    errorText.deallocate()
  }

  var handle: UnsafeMutableRawPointer { easy }

  /// Gives the handle back. libcurl may call back once more while it does (an SMTP server's goodbye), so this object outlives it.
  func cleanUp() {
    curl_easy_cleanup(easy)
    withExtendedLifetime(self) {}
  }

  /// Sets every option. An error is libcurl's code for the first one that it refused.
  func prepare() -> CURLcode {
    let me = Unmanaged.passUnretained(self).toOpaque()
    var result = CURLE_OK
    func check(_ code: CURLcode) { if result == CURLE_OK { result = code } }
    func long(_ option: CURLoption, _ value: Int) { check(tocsin_curl_set_long(easy, option, value)) }
    func text(_ option: CURLoption, _ value: String) { check(tocsin_curl_set_string(easy, option, value)) }

    check(tocsin_curl_set_pointer(easy, CURLOPT_PRIVATE, me))
    check(tocsin_curl_set_pointer(easy, CURLOPT_ERRORBUFFER, errorText))
    text(CURLOPT_URL, request.url)
    long(CURLOPT_NOSIGNAL, 1)
    long(CURLOPT_FOLLOWLOCATION, 0)
    long(CURLOPT_CONNECTTIMEOUT_MS, Int(request.connectTimeout.microseconds / 1000))
    long(CURLOPT_TIMEOUT_MS, Int(request.timeout.microseconds / 1000))
    // Many servers close what has been idle for a minute; a connection older than this is not tried again.
    long(CURLOPT_MAXAGE_CONN, 50)
    if let caFile = request.caFile { text(CURLOPT_CAINFO, caFile) }
    if let username = request.username { text(CURLOPT_USERNAME, username) }
    if let password = request.password { text(CURLOPT_PASSWORD, password) }

    // The body goes through a callback that can't be rewound. libcurl would otherwise repeat a request by itself when a
    // kept-alive connection breaks after the last byte, and that second send would be seen by nobody but the receiver.
    check(tocsin_curl_set_write(easy, CURLOPT_READFUNCTION, readBody))
    check(tocsin_curl_set_pointer(easy, CURLOPT_READDATA, me))
    check(tocsin_curl_set_write(easy, CURLOPT_WRITEFUNCTION, writeResponse))
    check(tocsin_curl_set_pointer(easy, CURLOPT_WRITEDATA, me))

    switch request.kind {
    case .http(let method, let fields):
      text(CURLOPT_PROTOCOLS_STR, "http,https")
      check(tocsin_curl_set_write(easy, CURLOPT_HEADERFUNCTION, readHeader))
      check(tocsin_curl_set_pointer(easy, CURLOPT_HEADERDATA, me))
      // HTTP/2 is offered in the TLS handshake (ALPN) and spoken where the server takes it; HTTP/1.1 anywhere else.
      long(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_2TLS))
      // Whoever comes while the first connection is being made waits for its handshake: over HTTP/2 one connection carries them all.
      if request.url.lowercased().hasPrefix("https:") { long(CURLOPT_PIPEWAIT, 1) }
      long(CURLOPT_POST, 1)
      check(tocsin_curl_set_size(easy, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(request.body.count)))
      if method != "POST" { text(CURLOPT_CUSTOMREQUEST, method) }
      // "Expect:" keeps libcurl from waiting a second for leave to send a large body.
      let lines = fields.map { "\($0.name): \($0.value)" } + ["User-Agent: tocsin", "Expect:"]
      check(list(CURLOPT_HTTPHEADER, lines.filter { !$0.contains { $0 == "\r" || $0 == "\n" || $0 == "\r\n" } }))
    case .mail(let envelope):
      text(CURLOPT_PROTOCOLS_STR, "smtp,smtps")
      let ssl =
        switch envelope.tls {
        case .required: CURLUSESSL_ALL
        case .opportunistic: CURLUSESSL_TRY
        case .none: CURLUSESSL_NONE
        }
      long(CURLOPT_USE_SSL, Int(ssl.rawValue))
      text(CURLOPT_MAIL_FROM, "<\(envelope.from)>")
      check(list(CURLOPT_MAIL_RCPT, envelope.to.map { "<\($0)>" }))
      long(CURLOPT_MAIL_RCPT_ALLLOWFAILS, 1)
      long(CURLOPT_UPLOAD, 1)
      check(tocsin_curl_set_size(easy, CURLOPT_INFILESIZE_LARGE, curl_off_t(request.body.count)))
      // Only what libcurl traces tells which recipient an answer belongs to.
      long(CURLOPT_VERBOSE, 1)
      check(tocsin_curl_set_debug(easy, readDialogue))
      check(tocsin_curl_set_pointer(easy, CURLOPT_DEBUGDATA, me))
    }
    return result
  }

  private func list(_ option: CURLoption, _ lines: [String]) -> CURLcode {
    var head: UnsafeMutablePointer<curl_slist>?
    for line in lines {
      guard let longer = curl_slist_append(head, line) else {
        curl_slist_free_all(head)
        return CURLE_OUT_OF_MEMORY
      }
      head = longer
    }
    if let head { lists.append(head) }
    return tocsin_curl_set_list(easy, option, head)
  }

  /// Turns libcurl's verdict into ours and hands it over. Called once, after the handle has left the multi handle.
  func finish(_ code: CURLcode) {
    var status = 0
    _ = tocsin_curl_get_long(easy, CURLINFO_RESPONSE_CODE, &status)
    if code == CURLE_OK || (overflowed && status > 0) {
      completion(.success(TransferResponse(status: status, headers: headers, body: response, refused: refused)))
      return
    }
    var detail = String(cString: errorText)
    if detail.isEmpty { detail = String(cString: curl_easy_strerror(code)) }
    completion(
      .failure(
        TransferFailure(
          code: Int(code.rawValue), message: Secrets.cut(request.secrets, from: detail),
          status: status > 0 ? status : nil, outcomeUnknown: outcomeIsUnknown(code, status: status), refused: refused)))
  }

  /// Gives the request up before or instead of sending it.
  func fail(_ message: String, code: CURLcode = CURLE_ABORTED_BY_CALLBACK) {
    completion(
      .failure(
        TransferFailure(
          code: Int(code.rawValue), message: message, outcomeUnknown: outcomeIsUnknown(code, status: 0),
          refused: refused)))
  }

  private func outcomeIsUnknown(_ code: CURLcode, status: Int) -> Bool {
    switch request.kind {
    case .http:
      var uploaded: curl_off_t = 0
      _ = tocsin_curl_get_size(easy, CURLINFO_SIZE_UPLOAD_T, &uploaded)
      // When a kept-alive connection breaks libcurl wants to begin again, counts from nought, and stumbles over the body that can't be rewound.
      let isOut = code == CURLE_SEND_FAIL_REWIND || Int(uploaded) >= request.body.count
      return status == 0 && isOut && sent >= request.body.count
    case .mail:
      // 354 is "go on, send it": everything went out after it, and no verdict came back.
      return status == 354 && sent >= request.body.count
    }
  }
}

// MARK: - What libcurl calls

extension CurlTransfer {
  /// Fills libcurl's buffer with the next piece of the body.
  fileprivate func read(into buffer: UnsafeMutablePointer<CChar>, capacity: Int) -> Int {
    let count = min(capacity, request.body.count - sent)
    guard count > 0 else { return 0 }
    request.body.withUnsafeBytes { body in
      UnsafeMutableRawBufferPointer(start: buffer, count: capacity).copyMemory(
        from: UnsafeRawBufferPointer(rebasing: body[sent..<sent + count]))
    }
    sent += count
    return count
  }

  /// Keeps the beginning of an answer. Returns less than `count` to break off one that does not end.
  fileprivate func write(_ bytes: UnsafeRawBufferPointer) -> Int {
    received += bytes.count
    let room = CurlTransport.responseLimit - response.count
    if room > 0 { response.append(contentsOf: bytes.prefix(room)) }
    guard received <= CurlTransport.drainLimit else {
      overflowed = true
      return 0
    }
    return bytes.count
  }

  fileprivate func header(_ bytes: UnsafeRawBufferPointer) {
    let line = String(decoding: bytes, as: UTF8.self)
    if line.hasPrefix("HTTP/") {
      headers.removeAll()
      return
    }
    guard headers.count < 100, let colon = line.firstIndex(of: ":") else { return }
    headers.append(.init(line[..<colon].lowercased(), line[line.index(after: colon)...].trimming()))
  }

  fileprivate func dialogue(_ type: curl_infotype, _ bytes: UnsafeRawBufferPointer) {
    if type == CURLINFO_HEADER_OUT {
      let line = String(decoding: bytes, as: UTF8.self)
      guard line.hasPrefix("RCPT TO:<"), let end = line.firstIndex(of: ">") else { return }
      pendingRecipient = String(line[line.index(line.startIndex, offsetBy: 9)..<end])
    } else if type == CURLINFO_HEADER_IN, let recipient = pendingRecipient {
      let line = String(decoding: bytes, as: UTF8.self)
      // `550-` begins an answer of several lines; `550 ` ends it.
      guard line.utf8.count >= 3, let code = Int(line.prefix(3)), line.dropFirst(3).first != "-" else { return }
      pendingRecipient = nil
      guard code / 100 != 2, refused.count < 1000 else { return }
      let answer = Secrets.cut(request.secrets, from: line.trimming())
      refused.append(RefusedRecipient(address: recipient, code: code, answer: String(answer.prefix(300))))
    }
  }
}

private func transfer(_ data: UnsafeMutableRawPointer?) -> CurlTransfer? {
  data.map { Unmanaged<CurlTransfer>.fromOpaque($0).takeUnretainedValue() }
}

private func readBody(_ p: UnsafeMutablePointer<CChar>?, _ size: Int, _ n: Int, _ data: UnsafeMutableRawPointer?) -> Int
{
  guard let p else { return 0 }
  return transfer(data)?.read(into: p, capacity: size * n) ?? 0
}

private func writeResponse(
  _ p: UnsafeMutablePointer<CChar>?, _ size: Int, _ n: Int, _ data: UnsafeMutableRawPointer?
) -> Int {
  transfer(data)?.write(UnsafeRawBufferPointer(start: p, count: size * n)) ?? 0
}

private func readHeader(
  _ p: UnsafeMutablePointer<CChar>?, _ size: Int, _ n: Int, _ data: UnsafeMutableRawPointer?
) -> Int {
  transfer(data)?.header(UnsafeRawBufferPointer(start: p, count: size * n))
  return size * n
}

private func readDialogue(
  _ easy: UnsafeMutableRawPointer?, _ type: curl_infotype, _ p: UnsafeMutablePointer<CChar>?, _ n: Int,
  _ data: UnsafeMutableRawPointer?
) -> Int32 {
  transfer(data)?.dialogue(type, UnsafeRawBufferPointer(start: p, count: n))
  return 0
}
