/* CRC-32C by the instruction that SSE 4.2 has for it; on other processors there is none here. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>

static inline int cvr_crc32c_has_instruction(void) {
    unsigned a, b, c, d;
    return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_SSE4_2);
}

/* Only where there is the instruction. */
__attribute__((target("sse4.2"))) static inline uint32_t cvr_crc32c(uint32_t state, const void *bytes, size_t count) {
    const unsigned char *next = (const unsigned char *)bytes;
    uint64_t wide = state, word;
    for (; count >= 8; count -= 8, next += 8) {
        memcpy(&word, next, 8);
        wide = __builtin_ia32_crc32di(wide, word);
    }
    state = (uint32_t)wide;
    for (; count > 0; count--) state = __builtin_ia32_crc32qi(state, *next++);
    return state;
}
#else
static inline int cvr_crc32c_has_instruction(void) { return 0; }
static inline uint32_t cvr_crc32c(uint32_t state, const void *bytes, size_t count) {
    (void)bytes;
    (void)count;
    return state;
}
#endif
