import Alerts
import Foundation

/// The wall clock, for the shells. To the microsecond.
func wallClock() -> Timestamp {
  Timestamp(microseconds: Int64((Date().timeIntervalSince1970 * 1_000_000).rounded()))
}
