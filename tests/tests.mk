# Unit tests: every tests/unit/NAME.c is a Check program. It is linked with
# all of dumper/ (less main.c) and with the pure parts of restorer/, built
# hosted, both under ASan and UBSan.
SAN = -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
CHECK_CFLAGS := $(shell $(PKG_CONFIG) --cflags check)
CHECK_LIBS := $(shell $(PKG_CONFIG) --libs check)
U_SRC := $(wildcard tests/unit/*.c)
U_BIN := $(patsubst tests/unit/%.c,build/unit/%,$(U_SRC))
# The parts of restorer/ that make no system call, or only read.
U_PURE := $(patsubst %,restorer/%.c,cmdline environ files guard mode place processor say site stack text trust variable vdso)
U_LIB := $(patsubst %.c,build/san/%.o,$(filter-out dumper/main.c,$(D_SRC)) $(U_PURE))

build/san/dumper/%.o: dumper/%.c
	@mkdir -p $(@D)
	$(call say,CC,$< [san])$(CC) $(SAN) $(WARN) -D_GNU_SOURCE -Iinclude -Iinclude/arch/$(ARCH) \
		-DVERSION='"$(VERSION)"' -Idumper -DLIBDIR='"$(libdir)"' -DBINDIR='"$(bindir)"' \
		$(ELF_CFLAGS) $(DEP) -c -o $@ $<

build/san/restorer/%.o: restorer/%.c
	@mkdir -p $(@D)
	$(call say,CC,$< [san])$(CC) $(SAN) $(WARN) -D_GNU_SOURCE -Iinclude -Iinclude/arch/$(ARCH) \
		-Irestorer -Irestorer/arch/$(ARCH) -DVERSION='"$(VERSION)"' $(DEP) -c -o $@ $<

build/unit/%: tests/unit/%.c $(U_LIB)
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(SAN) $(WARN) -D_GNU_SOURCE -Iinclude -Iinclude/arch/$(ARCH) \
		-Idumper -Irestorer -Irestorer/arch/$(ARCH) $(CHECK_CFLAGS) -o $@ $< $(U_LIB) \
		$(CHECK_LIBS) $(ELF_LIBS)

build/unit/guard_pages: dumper/host/guard_pages.c

unit: $(U_BIN)
	$(Q)set -e; for t in $(U_BIN); do echo "# $$t"; $$t; done

.PHONY: unit
-include $(U_LIB:.o=.d)

# ---------------------------------------------------------------- helpers
# Small libraries and programs that the tests and scripts/bench use.
T_CFLAGS = -O2 -g $(WARN) -Wno-missing-prototypes -D_GNU_SOURCE
CXX ?= g++
T_BIN := $(addprefix build/tests/,probe.so tls_early.so tls_late.so \
	throw_early.so throw_late.so deny vdso_run vdso.so fini.so fini_top.so fini_closer.so)
B_BIN := build/bench/spawn build/bench/exit0

build/tests/probe.so: tests/py/probe.c
	@mkdir -p $(@D)
	$(call say,CC,$@)$(CC) $(T_CFLAGS) -fPIC -shared -o $@ $<

# Without optimisation nothing of a variable's model or a throw goes away.
build/tests/tls_early.so build/tests/tls_late.so: tests/py/tls.c
	@mkdir -p $(@D)
	$(call say,CC,$@)$(CC) $(T_CFLAGS) -O0 -fPIC -shared -o $@ $<

build/tests/throw_early.so build/tests/throw_late.so: tests/py/throw.cc
	@mkdir -p $(@D)
	$(call say,CXX,$@)$(CXX) -O0 -g -Wall -Wextra $(if $(WERROR),-Werror) -fPIC -shared -o $@ $<

build/tests/fini.so: tests/py/fini.c
	@mkdir -p $(@D)
	$(call say,CC,$@)$(CC) $(T_CFLAGS) -fPIC -shared -o $@ $<

build/tests/fini_closer.so: T_CFLAGS += -DCLOSES='"fini_low.so"'
build/tests/fini_closer.so: | build/tests/fini_low.so
build/tests/fini_top.so: build/tests/fini_middle.so
build/tests/fini_middle.so: build/tests/fini_low.so
build/tests/fini_%.so: tests/py/fini.c
	@mkdir -p $(@D)
	$(call say,CC,$@)$(CC) $(T_CFLAGS) -DNAME='"$* "' -fPIC -shared -Wl,-soname,$(@F) \
		-Wl,--no-as-needed -Wl,-rpath,'$$ORIGIN' -o $@ $^

build/tests/vdso_run: tests/e2e/vdso_run.c
	@mkdir -p $(@D)
	$(call say,CC,$@)$(CC) $(T_CFLAGS) -o $@ $<

build/tests/vdso.so: tests/e2e/vdso.S tests/e2e/vdso.lds
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) -nostdlib -shared -Wl,--build-id=none,-T,tests/e2e/vdso.lds,--hash-style=both,-z,noexecstack -o $@ $<

build/tests/deny: tests/e2e/deny.c
	@mkdir -p $(@D)
	$(call say,CC,$@)$(CC) $(T_CFLAGS) -o $@ $<

build/bench/spawn: tests/bench/spawn.c
	@mkdir -p $(@D)
	$(call say,CC,$@)$(CC) $(T_CFLAGS) -o $@ $<

build/bench/exit0: tests/bench/exit0.S
	@mkdir -p $(@D)
	$(call say,AS,$@)$(CC) -nostdlib -static -no-pie -o $@ $<

# pydump under ASan and UBSan, for the hostile files of tests/e2e/hostile.py.
build/tests/pydump-san: build/san/dumper/main.o $(U_LIB)
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(SAN) -o $@ $^ $(ELF_LIBS)

bench-tools: $(B_BIN)
test-tools: all $(U_BIN) $(T_BIN) $(B_BIN) build/tests/pydump-san

# ---------------------------------------------------------------- check
# The long ones stand first, so that they run beside the others.
TEST_JOBS ?= $(shell nproc)
TAP = scripts/tap -j $(TEST_JOBS) $(if $(V),-v)
E2E := $(sort $(filter-out $(patsubst %,tests/e2e/%.py,applications lib imagefile terminal twins),$(wildcard tests/e2e/*.py)))
# CHECK_WITHOUT="NAME...": leave out tests/e2e/NAME.py.
CHECK_WITHOUT ?=
E2E := $(filter-out $(patsubst %,tests/e2e/%.py,$(CHECK_WITHOUT)),$(E2E))
LONG = $(filter $(E2E),$(patsubst %,tests/e2e/%.py,differential exits options))
E2E := $(LONG) $(filter-out $(LONG),$(E2E))
PY := $(foreach s,stdlib lasting numpy pandas gi,"tests/py/run $(s)")
WORKLOADS = $(patsubst tests/workloads/%.py,"tests/e2e/applications.py %",$(filter-out tests/workloads/_%.py,$(wildcard tests/workloads/*.py)))
# CPython's own tests, of which each is run twice. In parts, each far from the limit
# of scripts/tap under load, too; -j 2 is two files at a time.
PARTS = 1 2 3 4
CPYTHON = $(foreach k,$(PARTS),"scripts/check-cpython --subset --part $k/$(words $(PARTS)) -j 2")
HOST_VERSION = $(patsubst build/host-%.so,%,$(firstword $(HOSTS)))
# What scripts/check-layers compiles headers with; through the environment,
# since the flags themselves hold quotes.
check gates: export CC := $(CC)
check gates: export GATE_FREE = $(FREE)
check gates: export GATE_HOSTED = $(HOSTED) -Idumper
check gates: export GATE_HOST = $(HOST) $(H_$(HOST_VERSION)_INC)

check: test-tools
	$(if $(strip $(CHECK_WITHOUT)),@echo 'LEFT OUT of tests/e2e as asked: $(CHECK_WITHOUT)')
	$(Q)$(TAP) --summary build/tests/summary $(CPYTHON) $(WORKLOADS) $(E2E) $(PY) scripts/check-layers $(U_BIN)

gates: all
	$(Q)$(TAP) scripts/check-layers

e2e: test-tools
	$(Q)$(TAP) $(WORKLOADS) $(E2E)

py: test-tools
	$(Q)$(TAP) $(PY)

# All of CPython's tests; writes docs/conformance.md. Goes on where it stopped.
check-cpython: all
	$(Q)scripts/check-cpython --full -j $(TEST_JOBS)

# What is committed, as root, in chroots of the suites that are younger than
# Debian 12; each all of scripts/check. Behind a / another Python than python3.
SUITES ?= trixie sid sid/3.15
check-suites:
	$(Q)status=0; for s in $(SUITES); do \
		python=; case $$s in */*) python="--python $${s#*/}";; esac; \
		scripts/chroot $$python $${s%/*} || status=1; \
	done; exit $$status

bench: all bench-tools
	$(Q)scripts/bench

.PHONY: check check-cpython check-suites gates e2e py bench bench-tools test-tools
