/* liblzma's, which takes the bytes eight and more at a time; .gnu_debugdata needs it anyway. */
#include "base/crc32.h"

#include <lzma.h>

uint32_t crc32_of(uint32_t crc, const void *data, size_t size)
{
	return lzma_crc32(data, size, crc);
}
