import Alerts
import CCurl
import Foundation
import Synchronization

/// libcurl's multi interface on one thread of its own: many transfers in flight, connections kept alive between them.
///
/// The thread sleeps in `curl_multi_poll` until a socket, a timeout of libcurl's, or `curl_multi_wakeup` has something for it.
package final class CurlTransport: Transport {
  /// What is kept of an answer, in bytes: enough for every provider's error text.
  package static let responseLimit = 64 * 1024
  /// An answer longer than this is broken off; up to here it is read and dropped, so that its connection can be used again.
  package static let drainLimit = 1024 * 1024
  /// Open connections, to all servers together: well under the usual limit of 1024 open files. More requests wait in libcurl.
  package static let connectionLimit = 512
  /// Open connections to one server.
  package static let hostConnectionLimit = 256

  private struct Inbox {
    var waiting: [CurlTransfer] = []
    var isClosed = false
  }
  private struct Multi: @unchecked Sendable {
    // A multi handle may be woken from any thread (curl_multi_wakeup is documented as thread-safe); all else is done by the one thread.
    let handle: UnsafeMutableRawPointer
  }
  private let inbox = Mutex(Inbox())
  private let multi: Multi

  private static let initialised: Bool = tocsin_curl_global_init() == CURLE_OK

  /// Throws if libcurl can't be set up.
  package init() throws {
    guard CurlTransport.initialised, let handle = curl_multi_init() else {
      throw TransferFailure(
        code: Int(CURLE_FAILED_INIT.rawValue), message: "libcurl could not be set up: out of memory?")
    }
    multi = Multi(handle: handle)
    _ = tocsin_curl_multi_set_long(handle, CURLMOPT_MAX_TOTAL_CONNECTIONS, CurlTransport.connectionLimit)
    _ = tocsin_curl_multi_set_long(handle, CURLMOPT_MAX_HOST_CONNECTIONS, CurlTransport.hostConnectionLimit)
    _ = tocsin_curl_multi_set_long(handle, CURLMOPT_MAXCONNECTS, CurlTransport.connectionLimit)
    let thread = Thread { [self] in run() }
    thread.name = "tocsin-curl"
    thread.start()
  }

  package func perform(_ request: TransferRequest) async -> TransferResult {
    await withCheckedContinuation { continuation in
      let transfer = CurlTransfer(request) { continuation.resume(returning: $0) }
      guard let transfer else {
        let failure = TransferFailure(code: Int(CURLE_OUT_OF_MEMORY.rawValue), message: "out of memory")
        continuation.resume(returning: .failure(failure))
        return
      }
      // The wake-up stands inside the lock: once the thread has seen that it is closed, nobody touches the multi handle any more.
      let isClosed = inbox.withLock { inbox in
        guard !inbox.isClosed else { return true }
        inbox.waiting.append(transfer)
        curl_multi_wakeup(multi.handle)
        return false
      }
      if isClosed {
        transfer.fail("the notifier has stopped")
        transfer.cleanUp()
      }
    }
  }

  /// Breaks off what is in flight and ends the thread. Every `perform` that waits gets an answer.
  package func close() {
    inbox.withLock { inbox in
      if !inbox.isClosed { curl_multi_wakeup(multi.handle) }
      inbox.isClosed = true
    }
  }

  private func run() {
    var active: [UnsafeMutableRawPointer: CurlTransfer] = [:]
    while true {
      let (new, isClosed) = inbox.withLock { inbox in
        defer { inbox.waiting = [] }
        return (inbox.waiting, inbox.isClosed)
      }
      for transfer in new {
        let code = transfer.prepare()
        guard code == CURLE_OK, curl_multi_add_handle(multi.handle, transfer.handle) == CURLM_OK else {
          transfer.finish(code == CURLE_OK ? CURLE_FAILED_INIT : code)
          transfer.cleanUp()
          continue
        }
        active[transfer.handle] = transfer
      }
      if isClosed { break }
      var running: Int32 = 0
      curl_multi_perform(multi.handle, &running)
      collect(&active)
      // The longest sleep is only a backstop: sockets, libcurl's own timers and wake-ups end it.
      curl_multi_poll(multi.handle, nil, 0, 60_000, nil)
    }
    for (handle, transfer) in active {
      curl_multi_remove_handle(multi.handle, handle)
      transfer.fail("the notifier has stopped")
      transfer.cleanUp()
    }
    curl_multi_cleanup(multi.handle)
  }

  private func collect(_ active: inout [UnsafeMutableRawPointer: CurlTransfer]) {
    var left: Int32 = 0
    while let message = curl_multi_info_read(multi.handle, &left) {
      guard message.pointee.msg == CURLMSG_DONE, let handle = message.pointee.easy_handle else { continue }
      let code = tocsin_curl_message_result(message)
      curl_multi_remove_handle(multi.handle, handle)
      guard let transfer = active.removeValue(forKey: handle) else { continue }
      transfer.finish(code)
      transfer.cleanUp()
    }
  }
}
