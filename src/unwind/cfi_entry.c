/* CIE and FDE parsing; the last few CIEs are remembered by who asks for many FDEs. */
#include "unwind/cfi_entry.h"

enum {
	/* DW_EH_PE_*: LSB core, 10.5.1. */
	POINTER_FORMAT_MASK = 0x0f,
	POINTER_BASE_MASK = 0x70,
	POINTER_INDIRECT = 0x80,
	POINTER_BASE_PC = 0x10,
	POINTER_BASE_TEXT = 0x20,
	POINTER_BASE_DATA = 0x30,

	CFI_LENGTH_DWARF64 = -1, /* 0xffffffff in the length's 32 bits */
};

/* The fixed part of an entry. */
struct entry_header {
	struct bytes body; /* behind the CIE id or pointer */
	uint64_t id;	   /* CIE id or CIE pointer as written */
	uint64_t id_offset;
	uint64_t next;
	bool has_long_words;
};

static uint64_t sign_extended(uint64_t value, unsigned int n_bits)
{
	const uint64_t sign = UINT64_C(1) << (n_bits - 1);

	return (value ^ sign) - sign;
}

static uint64_t pointer_value(struct bytes *from, uint8_t format)
{
	switch (format) {
	case 0x00: /* absptr */
	case 0x04: /* udata8 */
	case 0x0c: /* sdata8 */
		return bytes_u64(from);
	case 0x01:
		return bytes_uleb(from);
	case 0x02:
		return bytes_u16(from);
	case 0x03:
		return bytes_u32(from);
	case 0x09:
		return (uint64_t)bytes_sleb(from);
	case 0x0a:
		return sign_extended(bytes_u16(from), 16);
	case 0x0b:
		return sign_extended(bytes_u32(from), 32);
	default:
		from->is_bad = true;
		return 0;
	}
}

size_t cfi_pointer_size(uint8_t encoding)
{
	switch (encoding & POINTER_FORMAT_MASK) {
	case 0x00:
	case 0x04:
	case 0x0c:
		return 8;
	case 0x03:
	case 0x0b:
		return 4;
	case 0x02:
	case 0x0a:
		return 2;
	default:
		return 0;
	}
}

uint64_t cfi_pointer(struct bytes *from, uint8_t encoding, const uint8_t *base_bytes, uint64_t base,
		     uint64_t data_base)
{
	const uint64_t here = base + (uint64_t)(from->at - base_bytes);
	const uint64_t value = pointer_value(from, encoding & POINTER_FORMAT_MASK);

	if (encoding & POINTER_INDIRECT)
		from->is_bad = true;
	switch (encoding & POINTER_BASE_MASK) {
	case 0:
		return value;
	case POINTER_BASE_PC:
		return here + value;
	case POINTER_BASE_DATA:
		return data_base + value;
	default:
		from->is_bad = true;
		return 0;
	}
}

/* `is_bad` in the body tells that the entry does not fit its section. */
static struct entry_header header_read(const struct cfi_section *section, uint64_t offset)
{
	struct entry_header header = { 0 };
	struct bytes rest;
	uint64_t length;

	if (offset > section->size_bytes)
		offset = section->size_bytes;
	rest = bytes_of(section->bytes + offset, section->size_bytes - offset);
	length = bytes_u32(&rest);
	if (length == (uint32_t)CFI_LENGTH_DWARF64) {
		header.has_long_words = true;
		length = bytes_u64(&rest);
	}
	header.body = bytes_sub(&rest, length);
	header.body.is_bad |= rest.is_bad;
	header.next = (uint64_t)(rest.at - section->bytes);
	header.id_offset = (uint64_t)(header.body.at - section->bytes);
	if (length == 0)
		return header;
	/* LSB: the field has four bytes in .eh_frame whatever the length's form is. */
	if (section->is_debug_frame && header.has_long_words)
		header.id = bytes_u64(&header.body);
	else
		header.id = bytes_u32(&header.body);
	return header;
}

static bool header_is_cie(const struct cfi_section *section, const struct entry_header *header)
{
	if (!section->is_debug_frame)
		return header->id == 0;
	return header->id == (header->has_long_words ? UINT64_MAX : UINT32_MAX);
}

static void cie_read_data(struct cfi_fde *fde, const struct cfi_section *section,
			  const char *letters, struct bytes data)
{
	for (; *letters && !data.is_bad; letters++) {
		uint8_t encoding;

		switch (*letters) {
		case 'R':
			fde->pointer_encoding = bytes_u8(&data);
			break;
		case 'L':
			(void)bytes_u8(&data);
			break;
		case 'P':
			/* Only its size matters; its value may be indirect. */
			encoding = bytes_u8(&data);
			(void)cfi_pointer(&data, encoding & POINTER_FORMAT_MASK, section->bytes,
					  section->vaddr, 0);
			break;
		case 'S':
			fde->is_signal = true;
			break;
		case 'B': /* aarch64: return addresses are signed with key B; stripped alike */
		case 'G': /* aarch64: tagged stack */
			break;
		default:
			return; /* its data cannot be known, the program still can */
		}
	}
}

static bool cie_read(struct cfi_fde *fde, const struct cfi_section *section, uint64_t offset)
{
	const struct entry_header header = header_read(section, offset);
	struct bytes body = header.body;
	const char *letters;
	uint8_t version;

	if (body.is_bad || !header_is_cie(section, &header))
		return false;
	version = bytes_u8(&body);
	letters = bytes_string(&body);
	if (!letters || (version != 1 && version != 3 && version != 4))
		return false;
	if (letters[0] == 'e' && letters[1] == 'h') {
		(void)bytes_u64(&body); /* gcc 2's exception table */
		letters += 2;
	}
	if (version == 4) {
		const uint8_t address_size = bytes_u8(&body);
		const uint8_t segment_size = bytes_u8(&body);

		if (address_size != 8 || segment_size != 0)
			return false;
	}
	fde->code_alignment = bytes_uleb(&body);
	fde->data_alignment = bytes_sleb(&body);
	fde->return_register = version == 1 ? bytes_u8(&body) : bytes_uleb(&body);
	if (letters[0] == 'z') {
		fde->has_data = true;
		cie_read_data(fde, section, letters + 1, bytes_sub(&body, bytes_uleb(&body)));
	} else if (letters[0] != '\0') {
		return false;
	}
	fde->initial_program = body.at;
	fde->initial_program_size = bytes_left(&body);
	return !body.is_bad;
}

/* `cies` may be NULL. */
static bool cie_get(struct cfi_fde *fde, const struct cfi_section *section, uint64_t cie,
		    struct cfi_cies *cies)
{
	struct cfi_fde *known = cies ? cfi_cies_slot(cies, cie) : NULL;

	if (known && known->section == section && known->cie == cie) {
		*fde = *known;
		return true;
	}
	*fde = (struct cfi_fde){ .section = section, .cie = cie };
	if (cie >= section->size_bytes || !cie_read(fde, section, cie))
		return false;
	if (known)
		*known = *fde;
	return true;
}

static bool fde_read(struct cfi_fde *fde, const struct cfi_section *section,
		     const struct entry_header *header, struct cfi_cies *cies)
{
	struct bytes body = header->body;
	const uint64_t cie = section->is_debug_frame ? header->id : header->id_offset - header->id;
	uint64_t size;

	if (!cie_get(fde, section, cie, cies))
		return false;
	fde->has_long_words = header->has_long_words;
	fde->start = cfi_pointer(&body, fde->pointer_encoding, section->bytes, section->vaddr, 0);
	size = pointer_value(&body, fde->pointer_encoding & POINTER_FORMAT_MASK);
	if (fde->has_data)
		(void)bytes_take(&body, bytes_uleb(&body));
	fde->end = fde->start + size;
	fde->program = body.at;
	fde->program_size = bytes_left(&body);
	return !body.is_bad && fde->end > fde->start;
}

enum cfi_entry_kind cfi_entry_parse(const struct cfi_section *section, uint64_t offset,
				    struct cfi_fde *ret_fde, uint64_t *ret_next)
{
	struct entry_header header;

	if (!section->bytes || offset >= section->size_bytes)
		return CFI_ENTRY_END;
	header = header_read(section, offset);
	*ret_next = header.next;
	if (header.body.is_bad)
		return CFI_ENTRY_BAD;
	/* A terminator; crt files may leave one in the middle, so that reading goes on. */
	if (header.next == header.id_offset)
		return CFI_ENTRY_CIE;
	if (header_is_cie(section, &header))
		return CFI_ENTRY_CIE;
	return fde_read(ret_fde, section, &header, NULL) ? CFI_ENTRY_FDE : CFI_ENTRY_BAD;
}

bool cfi_entry_fde(const struct cfi_section *section, uint64_t offset, struct cfi_cies *cies,
		   struct cfi_fde *ret_fde)
{
	struct entry_header header;

	if (!section->bytes || offset >= section->size_bytes)
		return false;
	header = header_read(section, offset);
	return !header.body.is_bad && header.next != header.id_offset &&
	       !header_is_cie(section, &header) && fde_read(ret_fde, section, &header, cies);
}
