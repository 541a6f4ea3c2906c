/*
 * pyimage IMAGE [ARG...]: checks an image, maps it and enters it, or runs the
 * plain interpreter that the image names. Checks that need the image mapped are
 * made inside it, by enter.c.
 */
#include "enter.h"
#include "environ.h"
#include "fallback.h"
#include "image_check.h"
#include "map.h"
#include "place.h"
#include "say.h"
#include "stack.h"
#include "start.h"
#include "sys.h"
#include "text.h"
#include "trust.h"

/* Address space that a program needs besides the image's segments: its stack,
 * the vDSO, a first arena. Below this a restore is of no use. */
#define MAIN_SLACK (16ull << 20)

static const char main_usage[] =
	"usage: pyimage IMAGE [python3's own options] [-c CMD | -m MODULE | FILE | -] [ARG...]\n"
	"       pyimage IMAGE-WITH-ENTRY [ARG...]\n"
	"       pyimage --help | --version\n";

static const char main_help[] =
	"\n"
	"Runs IMAGE, a Python process that `pydump build` froze, as python3 would run.\n"
	"Where the image can't be used, plain python3 runs instead. An image that was\n"
	"built with an entry passes all arguments to it.\n"
	"\n"
	"Environment:\n"
	"  PYIMAGE=auto|on|off  auto: as above; on: say why and exit 70; off: plain python3\n"
	"  PYIMAGE_VERBOSE=1    say what was restored, or why python3 runs\n"
	"  PYIMAGE_FINALIZE=fast|full\n"
	"                       full: destroy what was frozen, too, at the end\n"
	"  PYIMAGE_KSM=1        let the kernel merge its pages with equal ones of others\n"
	"  PYIMAGE_ENTRY=on|off off: not the image's entry, but the interpreter\n"
	"\n"
	"Exit status: the program's; 2 usage, 70 refused, 74 the image can't be read.\n";

_Noreturn static void usage(void)
{
	say_text(2, (const char *const[]){ main_usage, NULL });
	sys_exit(EXIT_USAGE);
}

/* Options that are pyimage's own stand before IMAGE; "-" begins no image. */
static void own_options(const struct stack *stack)
{
	if (stack->argc < 2)
		usage();
	if (text_equal(stack->argv[1], "--help"))
		say_text(1, (const char *const[]){ main_usage, main_help, NULL });
	else if (text_equal(stack->argv[1], "--version"))
		say_text(1, (const char *const[]){ "pyimage ", VERSION, "\n", NULL });
	else if (*stack->argv[1] == '-')
		usage();
	else
		return;
	sys_exit(0);
}

static void read_environment(const struct stack *stack, struct program *program)
{
	struct environ_values values;
	struct reason reason;

	environ_read(stack->envp, &values);
	program->mode = mode_read(MODE, values.mode);
	program->verbose = values.verbose && *values.verbose;
	program->entry_off = mode_read(MODE_ENTRY, values.entry) == MODE_ENTRY_OFF;
	if (!mode_check(&values, &reason))
		return;
	say_refusal(NULL, &reason, NULL);
	sys_exit(EXIT_USAGE);
}

/* Opens the image, if it may be believed, and reads its first page. Returns
 * the descriptor; *length is what there was to read, *size the file's. */
static int open_image(const struct program *program, uint32_t euid, void *page,
	uint64_t *length, uint64_t *size)
{
	struct reason reason;
	struct sys_stat stat;
	/* a FIFO must not make it wait */
	long fd = sys_open(program->image,
		SYS_O_RDONLY | SYS_O_NONBLOCK | SYS_O_CLOEXEC);
	long result;

	if (fd < 0) {
		say_reason(&reason, "can't open", NULL, fd);
		fallback_die(program, &reason, EXIT_REFUSED);
	}
	result = sys_statx((int)fd, "", SYS_AT_EMPTY_PATH, TRUST_STATX, &stat);
	if (result < 0) {
		say_reason(&reason, "statx", NULL, result);
		fallback_die(program, &reason, EXIT_INPUT);
	}
	if (trust_check(&stat, euid, &reason))
		fallback_die(program, &reason, EXIT_REFUSED);
	result = sys_pread((int)fd, page, IMAGE_PAGE, 0);
	if (result < 0) {
		say_reason(&reason, "can't read", NULL, result);
		fallback_die(program, &reason, EXIT_INPUT);
	}
	*length = (uint64_t)result;
	*size = stat.size;
	return (int)fd;
}

_Noreturn static void refuse_fault(const struct program *program, enum image_fault fault)
{
	struct reason reason;

	say_reason(&reason, image_fault_text(fault), NULL, 0);
	if (fault != IMAGE_FAULT_NOT_ELF && fault != IMAGE_FAULT_NOT_IMAGE)
		reason.advice = "build it anew with pydump build";
	fallback_refuse(program, &reason);
}

static void check_limit(const struct program *program, const struct image_header *header)
{
	struct sys_limit limit;
	struct reason reason;

	if (sys_get_limit(SYS_RLIMIT_AS, &limit))
		return;
	if (limit.soft >= MAIN_SLACK && header->mapped <= limit.soft - MAIN_SLACK)
		return;
	say_reason(&reason, "refused", "the address space is limited below its size", 0);
	reason.advice = "raise ulimit -v";
	fallback_refuse(program, &reason);
}

/* Maps the image; `page` is its first page, in which the prefix is whole. */
static void map_image(const struct program *program, int fd, const void *page,
	uint64_t length, uint64_t size)
{
	const void *meta = (const void *)IMAGE_META_BASE;
	enum image_fault fault = image_check_header(page, length, size);
	const struct image_header *header;
	struct reason reason;

	if (fault)
		refuse_fault(program, fault);
	header = image_header(page, length);
	check_limit(program, header);
	if (map_meta(fd, header->meta_size, &reason))
		fallback_refuse(program, &reason);
	fault = image_check_segments(meta, header->meta_size, size);
	if (!fault)
		fault = image_check_tables(meta, header->meta_size);
	if (fault)
		refuse_fault(program, fault);
	if (map_segments(fd, &reason))
		fallback_refuse(program, &reason);
}

_Noreturn void start_main(uint64_t *start)
{
	_Alignas(8) unsigned char page[IMAGE_PAGE];
	struct program program = { 0 };
	struct stack stack;
	uint64_t length, size;
	enum image_fault fault;
	struct reason reason;
	struct place place;
	int fd;

	stack_read(start, &stack);
	if (stack_aux(&stack, SYS_AT_SECURE)) {
		say_line("refused", "a program that runs with another user's rights");
		sys_exit(EXIT_REFUSED);
	}
	own_options(&stack);
	program.image = stack.argv[1];
	program.argv = stack.argv + 1;
	program.envp = stack.envp;
	read_environment(&stack, &program);
	fd = open_image(&program, (uint32_t)stack_aux(&stack, SYS_AT_EUID), page,
		&length, &size);
	fault = image_check_prefix(page, length);
	if (!image_knows_python(fault))
		refuse_fault(&program, fault);
	program.prefix = image_prefix(page);
	program.python = program.prefix->python;
	place_find(&program, 0, &place, &reason);
	if (program.mode == MODE_OFF)
		fallback_run(&program);
	if (fault)
		refuse_fault(&program, fault);
	map_image(&program, fd, page, length, size);
	sys_close(fd);
	start_jump(image_prefix(page)->entry, start, IMAGE_ENTER_SKIP + 2);
}
