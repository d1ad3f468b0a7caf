// What glibc, SQLite and the processor can be told about memory, and Swift has no words for.
#include <malloc.h>
#include <sqlite3.h>
#include <sys/mman.h>

// This will be looked at soon. Any address will do, also one that is nobody's.
static inline void tocsin_prefetch(const void *address) { __builtin_prefetch(address); }

// Before SQLite's first use. It takes a lock with each allocation to count it, and nobody asks for the count; and what it keeps for each connection's small
// allocations is used up by a dozen prepared statements, so that every step of each asks the system.
static inline void tocsin_sqlite_memory(int size, int count) {
  sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  sqlite3_config(SQLITE_CONFIG_LOOKASIDE, size, count);
}
