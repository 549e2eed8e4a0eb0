#ifndef TSPROF_BASE_CRC32_H
#define TSPROF_BASE_CRC32_H

#include <stddef.h>
#include <stdint.h>

/*
 * CRC-32 as in ISO-HDLC (zlib, gzip, .gnu_debuglink): polynomial 0xedb88320
 * reflected, initial and final xor 0xffffffff.  `crc` is 0 for the first piece
 * and the previous result for the next ones.
 */
uint32_t crc32_of(uint32_t crc, const void *data, size_t size);

#endif
