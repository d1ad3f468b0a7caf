// Swift sees libzmq through this one header.
#include <errno.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <zmq.h>

// The flags of eventfd(2) are an enumeration that Swift can't join with `|`.
static inline int tocsin_eventfd(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

// The same is true of timerfd_create(2). It follows the wall clock, and so knows of suspended machines and of clocks that are set.
static inline int tocsin_timerfd(void) { return timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK); }

// Readable when the wall clock is so much further, or when somebody sets it. Nought disarms it.
static inline int tocsin_timerfd_arm(int descriptor, int64_t microseconds) {
  struct itimerspec due = {{0, 0}, {0, 0}};
  if (microseconds > 0) {
    clock_gettime(CLOCK_REALTIME, &due.it_value);
    int64_t nanoseconds = due.it_value.tv_nsec + microseconds % 1000000 * 1000;
    due.it_value.tv_sec += microseconds / 1000000 + nanoseconds / 1000000000;
    due.it_value.tv_nsec = nanoseconds % 1000000000;
  }
  return timerfd_settime(descriptor, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &due, 0);
}
