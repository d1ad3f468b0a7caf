// What glibc and the processor can be told about memory, and Swift has no words for.
#include <malloc.h>
#include <sys/mman.h>

// This will be looked at soon. Any address will do, also one that is nobody's.
static inline void tocsin_prefetch(const void *address) { __builtin_prefetch(address); }
