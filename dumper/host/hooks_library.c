/*
 * C libraries by name. None of them tells a restored process from the one that was
 * frozen: the pid may even be the same.
 */
#include "hooks_library.h"
#include "gc_view.h"
#include "patches.h"
#include "talk.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <malloc.h>
#include <stdint.h>
#include <string.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

/* ------------------------------------------------------------ OpenSSL, SQLite */

/* libcrypto has exit() call OPENSSL_cleanup, which frees its tables, hundreds of
 * blocks all over the frozen heap, to no effect outside the process. In the
 * image the function only returns. */
static void skip_cleanup(void *handle)
{
	static const unsigned char ret[1] = { 0xc3 };
	void *cleanup = dlsym(handle, "OPENSSL_cleanup");

	if (cleanup)
		patches_add((uint64_t)cleanup, ret, sizeof ret);
}

/* OpenSSL 3 tells a forked process by getpid() alone (crypto/threads_pthread.c,
 * openssl_get_fork_id), and a restored one may have the very pid that was
 * frozen. A generator that is not instantiated is seeded from the system at
 * its next use (providers/implementations/rands/drbg.c, rand_drbg_restart).
 * All three are fetched first, since fetching one may instantiate others. */
static void reset_crypto(void *handle)
{
	static const char *const names[] = {
		"RAND_get0_private", "RAND_get0_public", "RAND_get0_primary"
	};
	int (*uninstantiate)(void *) =
		(int (*)(void *))dlsym(handle, "EVP_RAND_uninstantiate");
	void *generators[3];

	for (int i = 0; i < 3; i++) {
		void *(*get)(void *) = (void *(*)(void *))dlsym(handle, names[i]);

		generators[i] = get ? get(NULL) : NULL;
	}
	for (int i = 0; i < 3; i++)
		if (uninstantiate && generators[i])
			uninstantiate(generators[i]);
	skip_cleanup(handle);
}

/* Wheels bring their own, under names such as libcrypto-d3adb33f.so.3. */
static int reset_if_crypto(struct dl_phdr_info *info, size_t size, void *unused)
{
	const char *slash = strrchr(info->dlpi_name, '/');
	const char *name = slash ? slash + 1 : info->dlpi_name;
	void *handle;

	(void)size;
	(void)unused;
	if (strncmp(name, "libcrypto", strlen("libcrypto")))
		return 0;
	handle = dlopen(info->dlpi_name, RTLD_NOLOAD | RTLD_LAZY);
	if (handle) {
		reset_crypto(handle);
		dlclose(handle);
	}
	return 0;
}

/* sqlite3_randomness(0, NULL): its generator is seeded again at its next use. */
static void reset_sqlite(void)
{
	void *handle = dlopen("libsqlite3.so.0", RTLD_NOLOAD | RTLD_LAZY);
	void (*randomness)(int, void *);

	if (!handle)
		return;
	randomness = (void (*)(int, void *))dlsym(handle, "sqlite3_randomness");
	if (randomness)
		randomness(0, NULL);
	dlclose(handle);
}

void hooks_library_uninstantiate(void)
{
	dl_iterate_phdr(reset_if_crypto, NULL);
	reset_sqlite();
}

/* A context for servers has keys for session tickets of its own, made with it: who
 * can read the image could read what clients resume. Modules/_ssl.c: an SSLContext
 * is its object's head, then the SSL_CTX. */
struct ssl_context {
	PyObject_HEAD
	void *context;
};

#define SET_TICKET_KEYS 59	/* SSL_CTRL_SET_TLSEXT_TICKET_KEYS */
#define TICKET_KEYS 80		/* bytes: name, HMAC and AES keys */

static long (*control)(void *context, int command, long length, void *data);

static int is_client(PyObject *context, PyObject *client)
{
	PyObject *protocol = PyObject_GetAttrString(context, "protocol");
	int is = protocol ? PyObject_RichCompareBool(protocol, client, Py_EQ) : -1;

	Py_XDECREF(protocol);
	return is;
}

/* What is prepared is a list of those that are no clients'. */
PyObject *hooks_library_before_ssl(PyObject *module)
{
	PyObject *type = PyObject_GetAttrString(module, "_SSLContext");
	PyObject *client = PyObject_GetAttrString(module, "PROTOCOL_TLS_CLIENT");
	PyObject *all = gc_view_young(), *list = PyList_New(0);
	void *library = dlopen("libssl.so.3", RTLD_NOLOAD | RTLD_LAZY);

	control = library ? (long (*)(void *, int, long, void *))dlsym(library,
		"SSL_CTX_ctrl") : NULL;
	for (Py_ssize_t i = 0; control && type && client && all && list &&
	     i < PyList_GET_SIZE(all); i++) {
		PyObject *object = PyList_GET_ITEM(all, i);

		if (PyObject_TypeCheck(object, (PyTypeObject *)type) &&
		    !is_client(object, client) && PyList_Append(list, object))
			Py_CLEAR(list);
	}
	Py_XDECREF(all);
	Py_XDECREF(client);
	Py_XDECREF(type);
	return PyErr_Occurred() ? NULL : list;
}

PyObject *hooks_library_after_ssl(PyObject *prepared)
{
	unsigned char keys[TICKET_KEYS];

	for (Py_ssize_t i = 0; i < PyList_GET_SIZE(prepared); i++) {
		struct ssl_context *one = (struct ssl_context *)PyList_GET_ITEM(prepared, i);

		if (getrandom(keys, sizeof keys, 0) != sizeof keys)
			return PyErr_SetFromErrno(PyExc_OSError);
		control(one->context, SET_TICKET_KEYS, sizeof keys, keys);
	}
	Py_RETURN_NONE;
}

/* ------------------------------------------------------------ GLib */

/* glib/grand.c: the functions without a GRand share one, made and seeded by the first
 * that is called; UUIDs come from it, too. Nothing tells whether it is there but the
 * memory that such a call would take, which a child process finds out. */
static struct glib {
	void (*seed)(uint32_t seed);
	void (*seed_array)(void *generator, const uint32_t *seed, unsigned length);
	void *generator;		/* the shared one, NULL: not found */
} glib;

static int is_made(uint32_t (*draw)(void))
{
	/* neither fork handlers nor SIGCHLD: nothing of it is the workload's */
	pid_t child = (pid_t)syscall(SYS_clone, 0, NULL, NULL, NULL, NULL);
	int status;

	if (child == 0) {
		size_t before = mallinfo2().uordblks;

		draw();
		_exit(mallinfo2().uordblks != before);
	}
	return child < 0 || waitpid(child, &status, __WCLONE) != child || status == 0;
}

#define GRAND 2500	/* bytes of struct GRand: 624 words and an index */

struct search {
	const void *inside;		/* of the library that is searched */
	const void *like;
	void *found;
};

/* Any word may be no address at all. */
static int is_like(void *address, const void *like)
{
	char bytes[GRAND];
	struct iovec here = { bytes, sizeof bytes }, there = { address, sizeof bytes };

	return process_vm_readv(getpid(), &here, 1, &there, 1, 0) == (ssize_t)sizeof bytes &&
		memcmp(bytes, like, sizeof bytes) == 0;
}

static int search_library(struct dl_phdr_info *info, size_t size, void *data)
{
	struct search *search = data;
	Dl_info found;

	(void)size;
	if (!dladdr(search->inside, &found) || (uintptr_t)found.dli_fbase != info->dlpi_addr)
		return 0;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
		void **word = (void **)(info->dlpi_addr + segment->p_vaddr), **end;

		if (segment->p_type != PT_LOAD || !(segment->p_flags & PF_W))
			continue;
		end = word + segment->p_memsz / sizeof *word;
		for (; word < end && !search->found; word++)
			if (*word && is_like(*word, search->like))
				search->found = *word;
	}
	return 1;
}

/* Only the library knows where it is: at a word of its data that points to a
 * generator which draws what one of our own would after the same seed. The functions
 * take 32 bits as a seed, which many processes would use up. */
static void *find_shared(void *library)
{
	void *(*new)(uint32_t) = (void *(*)(uint32_t))dlsym(library, "g_rand_new_with_seed");
	void (*release)(void *) = (void (*)(void *))dlsym(library, "g_rand_free");
	struct search search = { (const void *)(uintptr_t)glib.seed, NULL, NULL };
	void *ours;

	if (!new || !release || !glib.seed)
		return NULL;
	ours = new(1);
	glib.seed(1);
	search.like = ours;
	dl_iterate_phdr(search_library, &search);
	release(ours);
	return search.found;
}

void hooks_library_before(void)
{
	void *library = dlopen("libglib-2.0.so.0", RTLD_NOLOAD | RTLD_LAZY);
	uint32_t (*draw)(void) = library ? (uint32_t (*)(void))dlsym(library, "g_random_int") :
		NULL;

	if (draw && is_made(draw)) {
		glib.seed = (void (*)(uint32_t))dlsym(library, "g_random_set_seed");
		glib.seed_array = (void (*)(void *, const uint32_t *, unsigned))dlsym(library,
			"g_rand_set_seed_array");
		glib.generator = glib.seed_array ? find_shared(library) : NULL;
	}
	if (library)
		dlclose(library);
}

int hooks_library_after(void)
{
	uint32_t seed[8];

	if (!glib.seed)
		return 0;
	if (getrandom(seed, sizeof seed, 0) != sizeof seed) {
		PyErr_SetFromErrno(PyExc_OSError);
		return -1;
	}
	if (glib.generator)
		glib.seed_array(glib.generator, seed, sizeof seed / sizeof *seed);
	else
		glib.seed(seed[0]);
	return 0;
}
