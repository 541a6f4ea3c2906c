/*
 * CPU features and boot; see machine.h. The CPU's own part is in
 * include/arch/, which the code that compares it shares.
 */
#include "machine.h"

#include "cpu.h"
#include "err.h"
#include "file.h"

#include <string.h>
#include <sys/auxv.h>

#define BOOT_ID "/proc/sys/kernel/random/boot_id"

void machine_read(struct image_cpu *cpu)
{
	struct buffer text = {0};
	struct err err = {0};

	*cpu = (struct image_cpu){0};
	cpu_read(cpu);
	cpu->hwcap = getauxval(AT_HWCAP);
	cpu->hwcap2 = getauxval(AT_HWCAP2);
	if (file_read(BOOT_ID, &text, &err) == 0 && text.used >= IMAGE_BOOT_ID)
		memcpy(cpu->boot_id, text.data, IMAGE_BOOT_ID);
	err_clear(&err);
	buffer_free(&text);
}
