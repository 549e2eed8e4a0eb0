/* .gnu_debugdata ("MiniDebugInfo"): an ELF file in an XZ stream in an ELF section. */
#include "symbol/gnu_debugdata.h"

#include <errno.h>
#include <lzma.h>

#include "base/buffer.h"

/* xz -9 needs 65 MiB; a stream that asks for more is not one of these. */
#define GNU_DEBUGDATA_MEMORY_LIMIT_BYTES (UINT64_C(128) << 20)

static int unpack(struct buffer *out, const struct elf_section *packed)
{
	lzma_stream stream = LZMA_STREAM_INIT;
	uint8_t piece[32 * 1024];
	lzma_ret status = lzma_stream_decoder(&stream, GNU_DEBUGDATA_MEMORY_LIMIT_BYTES, 0);

	stream.next_in = packed->bytes;
	stream.avail_in = packed->size_bytes;
	while (status == LZMA_OK && out->size <= GNU_DEBUGDATA_MAX_BYTES && !out->is_failed) {
		stream.next_out = piece;
		stream.avail_out = sizeof(piece);
		status = lzma_code(&stream, LZMA_FINISH);
		buffer_add(out, piece, sizeof(piece) - stream.avail_out);
	}
	lzma_end(&stream);
	if (out->is_failed || status == LZMA_MEM_ERROR)
		return -ENOMEM;
	if (out->size > GNU_DEBUGDATA_MAX_BYTES)
		return -EFBIG;
	return status == LZMA_STREAM_END ? 0 : -EINVAL;
}

int gnu_debugdata_open(struct elf_image *ret_inner, const struct elf_image *image,
		       struct error *err)
{
	const struct elf_section packed = elf_image_section(image, ".gnu_debugdata");
	struct buffer unpacked = BUFFER_INIT;
	int r;

	if (!packed.bytes)
		return error_set(err, -ENOENT, "%s: has no .gnu_debugdata", image->path);
	r = unpack(&unpacked, &packed);
	if (r < 0)
		(void)error_set_errno(err, r, "%s: cannot unpack .gnu_debugdata", image->path);
	else
		r = elf_image_open_memory(ret_inner, unpacked.data, unpacked.size, image->path,
					  err);
	buffer_release(&unpacked);
	return r;
}
