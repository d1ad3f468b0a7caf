import Alerts
import CCurl
import Foundation

/// One HTTP exchange with a source: a POST, and the whole answer.
///
/// Over libcurl's easy interface on a thread of its own: a worker has few sources, each asked once a window, so there is nothing to keep alive between.
struct HTTPFetch: Sendable {
  /// The largest answer, in bytes: beyond it the window or the dimensions are wrong, and the memory would go.
  static let answerLimit = 256 << 20

  var url: String
  var body: [UInt8]
  var headers: [(name: String, value: String)] = []
  var username: String?
  var password: String?
  /// A PEM file with the certificates to trust, instead of the system's.
  var caFile: String?
  var timeout: Interval

  struct Answer: Sendable {
    var status: Int
    var body: [UInt8]
    /// The beginning, for an error.
    var text: String { String(String(decoding: body.prefix(600), as: UTF8.self).trimmed.prefix(300)) }
  }

  private static let initialised: Bool = tocsin_curl_global_init() == CURLE_OK

  private final class Sink {
    var bytes: [UInt8] = []
    var overflowed = false
    let watch: BlockingWork.Watch
    init(_ watch: BlockingWork.Watch) { self.watch = watch }
  }

  /// Throws ``SourceError`` of kind `unreachable` or `timeout` where no answer came.
  func perform() async throws -> Answer {
    try await BlockingWork.run(host, timeout: timeout) { watch in try blocking(watch) }
  }

  /// The address without what may be secret in it.
  var host: String {
    let rest = url.firstRange(of: "://").map { url[$0.upperBound...] } ?? url[...]
    return String(rest.prefix { $0 != "/" && $0 != "?" }.split(separator: "@").last ?? "")
  }

  private func blocking(_ watch: BlockingWork.Watch) throws -> Answer {
    guard HTTPFetch.initialised, let easy = curl_easy_init() else {
      throw SourceError(.unreachable, "libcurl can't be set up: out of memory?")
    }
    defer { curl_easy_cleanup(easy) }
    let sink = Sink(watch)
    var code = CURLE_OK
    func check(_ c: CURLcode) { if code == CURLE_OK { code = c } }
    func text(_ o: CURLoption, _ v: String?) { if let v { check(tocsin_curl_set_string(easy, o, v)) } }
    func long(_ o: CURLoption, _ v: Int) { check(tocsin_curl_set_long(easy, o, v)) }
    text(CURLOPT_URL, url)
    text(CURLOPT_PROTOCOLS_STR, "http,https")
    text(CURLOPT_USERNAME, username)
    text(CURLOPT_PASSWORD, password)
    text(CURLOPT_CAINFO, caFile)
    text(CURLOPT_ACCEPT_ENCODING, "")
    long(CURLOPT_NOSIGNAL, 1)
    long(CURLOPT_FOLLOWLOCATION, 0)
    long(CURLOPT_TIMEOUT_MS, max(1, Int(timeout.microseconds / 1000)))
    long(CURLOPT_CONNECTTIMEOUT_MS, max(1, min(10_000, Int(timeout.microseconds / 1000))))
    var list: UnsafeMutablePointer<curl_slist>?
    defer { curl_slist_free_all(list) }
    for header in headers + [("User-Agent", "tocsin"), ("Expect", "")]
    where !"\(header.name)\(header.value)".contains(where: \.isNewline) {
      list = curl_slist_append(list, "\(header.name): \(header.value)") ?? list
    }
    check(tocsin_curl_set_list(easy, CURLOPT_HTTPHEADER, list))
    check(tocsin_curl_set_write(easy, CURLOPT_WRITEFUNCTION, HTTPFetch.take))
    check(tocsin_curl_set_pointer(easy, CURLOPT_WRITEDATA, Unmanaged.passUnretained(sink).toOpaque()))
    var body = body
    long(CURLOPT_POST, 1)
    check(tocsin_curl_set_size(easy, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(body.count)))
    if code == CURLE_OK {
      code = body.withUnsafeMutableBytes { bytes in
        let set = tocsin_curl_set_pointer(easy, CURLOPT_POSTFIELDS, bytes.baseAddress)
        return set == CURLE_OK ? curl_easy_perform(easy) : set
      }
    }
    withExtendedLifetime(sink) {}
    guard code == CURLE_OK else {
      if sink.overflowed {
        throw SourceError(.too_many_rows, "the answer is larger than \(HTTPFetch.answerLimit >> 20) MiB")
      }
      if code == CURLE_OPERATION_TIMEDOUT || watch.rest() == nil {
        throw SourceError(.timeout, "\(host) took longer than \(timeout)")
      }
      throw SourceError(.unreachable, "\(host) can't be reached: \(String(cString: curl_easy_strerror(code)))")
    }
    var status = 0
    _ = tocsin_curl_get_long(easy, CURLINFO_RESPONSE_CODE, &status)
    return Answer(status: status, body: sink.bytes)
  }

  private static let take: @convention(c) (UnsafeMutablePointer<CChar>?, Int, Int, UnsafeMutableRawPointer?) -> Int = {
    bytes, size, count, data in
    guard let data, let bytes else { return 0 }
    let sink = Unmanaged<Sink>.fromOpaque(data).takeUnretainedValue()
    guard sink.bytes.count + size * count <= HTTPFetch.answerLimit else {
      sink.overflowed = true
      return 0
    }
    guard !sink.watch.isCancelled else { return 0 }
    sink.bytes.append(contentsOf: UnsafeRawBufferPointer(start: bytes, count: size * count))
    return size * count
  }

  /// `name=value&…`, as forms and addresses write it.
  static func form(_ fields: [(name: String, value: String)]) -> String {
    fields.map { "\(encoded($0.name))=\(encoded($0.value))" }.joined(separator: "&")
  }

  private static func encoded(_ text: String) -> String {
    var out = ""
    for b in text.utf8 {
      let c = UnicodeScalar(b)
      let plain =
        (48...57).contains(b) || (65...90).contains(b) || (97...122).contains(b) || "-._~".unicodeScalars.contains(c)
      if plain {
        out.unicodeScalars.append(c)
      } else {
        out += "%" + (b < 16 ? "0" : "") + String(b, radix: 16, uppercase: true)
      }
    }
    return out
  }

  /// What a status says where the server gave no better word.
  static func kind(ofStatus status: Int) -> SourceError.Kind {
    switch status {
    case 401, 403: .refused
    case 408, 504: .timeout
    case 429, 500...: .unreachable
    default: .query
    }
  }
}

/// What every connection over HTTP takes.
struct HTTPOptions: Sendable {
  var url: String
  var user: String?
  var password: String?
  var token: String?
  var caFile: String?
  var secrets: [String] { [password, token].compactMap { $0 } }

  init?(_ o: inout ConnectionOptions) {
    let given = o.text("url", needed: true)
    user = o.text("user")
    password = o.text("password")
    token = o.text("token")
    caFile = o.text("ca_file")
    guard let given else { return nil }
    guard given.hasPrefix("http://") || given.hasPrefix("https://"), !given.contains(where: \.isWhitespace) else {
      o.fault("url", "the url must begin with http:// or https://", mend: "such as http://127.0.0.1:9090")
      return nil
    }
    guard !given.contains("@") else {
      o.fault("url", "the url must not hold a password", mend: "give user and password beside it")
      return nil
    }
    url = given.hasSuffix("/") ? String(given.dropLast()) : given
  }

  init(url: String) { self.url = url }
}
