/*
 * C's audit hooks are a list of the runtime's; 3.12 put it into a struct with a
 * lock, 3.14 declares the entries in another header. They are the same in all.
 */
#define Py_BUILD_CORE 1
#include "cpython.h"

#include <internal/pycore_runtime.h>
#if PY_VERSION_HEX >= 0x030e0000
#include <internal/pycore_audit.h>
#endif

#include "versions/audit.h"

#include <string.h>

void *audit_list(void)
{
#if PY_VERSION_HEX >= 0x030c0000
	return &_PyRuntime.audit_hooks.head;
#else
	return &_PyRuntime.audit_hook_head;
#endif
}

static _Py_AuditHookEntry hearing;

void cpython_hear(Py_AuditHookFunction hook)
{
	hearing.hookCFunction = hook;
	memcpy(&hearing.next, audit_list(), sizeof hearing.next);
	*(_Py_AuditHookEntry **)audit_list() = &hearing;
}

/* Others may have been added behind it (PySys_AddAuditHook goes to the end). */
void cpython_unhear(void)
{
	_Py_AuditHookEntry **at = audit_list();

	while (*at && *at != &hearing)
		at = &(*at)->next;
	if (*at)
		*at = hearing.next;
}
