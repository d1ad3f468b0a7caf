import Alerts

/// Cuts every request's time to what is left of the job's lease: after it another worker may be given the job, and two would send at once.
struct LeasedTransport: Transport {
  let base: any Transport
  let leaseUntil: Timestamp
  let now: @Sendable () -> Timestamp

  /// Left for the receipt to reach the service.
  static let margin = Interval.seconds(1)

  func perform(_ request: TransferRequest) async -> TransferResult {
    var request = request
    let left = leaseUntil - LeasedTransport.margin - now()
    guard left > .milliseconds(1) else {
      // 28 is libcurl's code for a timeout.
      return .failure(TransferFailure(code: 28, message: "the job's lease ended before it could be sent"))
    }
    request.timeout = min(request.timeout, left)
    request.connectTimeout = min(request.connectTimeout, left)
    return await base.perform(request)
  }

  func close() { base.close() }
}
