// Swift sees libzmq through this one header.
#include <errno.h>
#include <zmq.h>
