/*
 * The CPU. On the machine it was built on and since the same boot, an image
 * needs no cpuid: five of them cost 30 us and more on a virtual machine, the
 * kernel's boot id costs 5. The boot id stands for AT_HWCAP too, which one
 * kernel never changes (and for which glibc's getauxval() has a value of its
 * own on x86).
 */
#include "processor.h"

#include "cpu.h"
#include "image.h"
#include "say.h"
#include "sys.h"
#include "text.h"

static int same_boot(const struct image_cpu *built)
{
	char id[IMAGE_BOOT_ID];
	long fd, size;

	if (!built->boot_id[0])
		return 0;
	fd = sys_open("/proc/sys/kernel/random/boot_id", SYS_O_RDONLY | SYS_O_CLOEXEC);
	if (fd < 0)
		return 0;
	size = sys_read((int)fd, id, sizeof(id));
	sys_close((int)fd);
	return size == sizeof(id) && !text_compare(id, sizeof(id), built->boot_id);
}

int processor_check(const struct image_cpu *built, uint64_t hwcap2, struct reason *reason)
{
	struct image_cpu here;
	const char *why;

	/* xgetbv is safe here: it was there when this kernel built the image. */
	if (built->xcr0 && same_boot(built) && cpu_xcr0() == built->xcr0)
		return 0;
	cpu_read(&here);
	why = cpu_compare(built, &here);
	/* What the kernel allows besides: wrfsbase and the like. */
	if (!why && (built->hwcap2 & ~hwcap2))
		why = "the kernel lacks features that it uses (AT_HWCAP2)";
	if (!why)
		return 0;
	say_reason(reason, "refused", why, 0);
	reason->advice = "build it on this machine";
	return -1;
}
