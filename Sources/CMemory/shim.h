// What glibc, SQLite and the processor can be told about memory, and Swift has no words for.
#include <malloc.h>
#include <sqlite3.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

// This will be looked at soon. Any address will do, also one that is nobody's.
static inline void tocsin_prefetch(const void *address) { __builtin_prefetch(address); }

// Before SQLite's first use. It takes a lock with each allocation to count it, and nobody asks for the count; and what it keeps for each connection's small
// allocations is used up by a dozen prepared statements, so that every step of each asks the system.
static inline void tocsin_sqlite_memory(int size, int count) {
  sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  sqlite3_config(SQLITE_CONFIG_LOOKASIDE, size, count);
}

// How many of the sixteen bytes at `p` come before the first that is a quote, a backslash, a control character or not ASCII; 16 where none is.
static inline int tocsin_plain_bytes(const uint8_t *p) {
#if defined(__SSE2__)
  __m128i x = _mm_loadu_si128((const __m128i *)p);
  __m128i quote = _mm_cmpeq_epi8(x, _mm_set1_epi8('"'));
  __m128i slash = _mm_cmpeq_epi8(x, _mm_set1_epi8('\\'));
  // Signed, so that what is not ASCII is below a space, too.
  __m128i below = _mm_cmplt_epi8(x, _mm_set1_epi8(' '));
  unsigned found = (unsigned)_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quote, slash), below));
  return found ? __builtin_ctz(found) : 16;
#else
  for (int i = 0; i < 16; i++)
    if (p[i] < ' ' || p[i] >= 0x80 || p[i] == '"' || p[i] == '\\') return i;
  return 16;
#endif
}

static inline int tocsin_is_same(const void *a, const void *b, size_t count) { return memcmp(a, b, count) == 0; }
