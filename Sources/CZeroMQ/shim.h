// Swift sees libzmq through this one header.
#include <errno.h>
#include <sys/eventfd.h>
#include <zmq.h>

// The flags of eventfd(2) are an enumeration that Swift can't join with `|`.
static inline int tocsin_eventfd(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }
