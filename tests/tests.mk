# Unit tests: every tests/unit/NAME.c is a Check program. It is linked with
# all of dumper/ (less main.c) and with the pure parts of restorer/, built
# hosted, both under ASan and UBSan.
SAN = -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
CHECK_CFLAGS := $(shell $(PKG_CONFIG) --cflags check)
CHECK_LIBS := $(shell $(PKG_CONFIG) --libs check)
U_SRC := $(wildcard tests/unit/*.c)
U_BIN := $(patsubst tests/unit/%.c,build/unit/%,$(U_SRC))
# The parts of restorer/ that make no system call, or only read.
U_PURE := $(wildcard $(addprefix restorer/,check.c vdso.c guard.c cmdline.c mode.c environ.c names.c))
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

unit: $(U_BIN)
	$(Q)set -e; for t in $(U_BIN); do echo "# $$t"; $$t; done

.PHONY: unit
-include $(U_LIB:.o=.d)
