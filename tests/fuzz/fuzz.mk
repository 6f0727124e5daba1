# SPDX-License-Identifier: Apache-2.0
#
# Fuzz targets (tests/fuzz/README.md). Two builds of each: with libFuzzer by clang into build/libfuzzer, for `make fuzz`; and with a
# main() of its own, by the compiler and flags of VARIANT=asan, for `make test`, which sends the kept files through it.

FUZZ_TARGETS := $(sort $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c)))
FUZZ_SOURCES := $(sort $(wildcard tests/fuzz/*.c))
FUZZ_SECONDS ?= 60
FUZZ_CFLAGS := -O1 -g -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined
FUZZ_OBJ := build/libfuzzer/obj

# What a target names beside the library in the comments of its first ten lines.
fuzz_links = $(wildcard $(shell sed -n '1,10{/links:/,/\*\//p}' tests/fuzz/fuzz_$(1).c | tr ' ' '\n' | grep '\.c$$'))

.PHONY: fuzz
fuzz: ## feed every parser with made-up input: FUZZ_SECONDS=60 each, FUZZ_TARGETS="json basic" chooses
	@deploy/setup.sh build fuzz
	@+$(SUBMAKE) fuzz-programs
	@tests/fuzz/run.sh $(FUZZ_SECONDS) $(FUZZ_TARGETS)

.PHONY: fuzz-programs fuzz-replay
fuzz-programs: $(FUZZ_TARGETS:%=build/libfuzzer/%)
fuzz-replay: $(FUZZ_TARGETS:%=$(BUILD)/fuzz/%)

$(FUZZ_OBJ)/flags: FORCE
	$(call changed,$@,$(CLANG) $(LANGUAGE) $(WARNINGS) -Werror $(FUZZ_CFLAGS))

$(FUZZ_OBJ)/%.o: %.c $(FUZZ_OBJ)/flags
	@echo "CLANG $<"
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(LANGUAGE) $(WARNINGS) -Werror $(FUZZ_CFLAGS) -MMD -MP -c -o $@ $<

$(FUZZ_OBJ)/lua_library.o: $(BUILD)/lua_library.c $(FUZZ_OBJ)/flags
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(LANGUAGE) $(WARNINGS) -Werror $(FUZZ_CFLAGS) -c -o $@ $<

build/libfuzzer/libonepool.a: $(SHARED:%.c=$(FUZZ_OBJ)/%.o) $(FUZZ_OBJ)/lua_library.o
	@echo "AR $@"
	$(Q)rm -f $@; $(AR) rcs $@ $^

# fake.c stands before the library, and its bigcommerce_get and redis_command take the place of the library's.
fuzz_replaces = $(if $(findstring fake.c,$(call fuzz_links,$(1))),-Wl$(comma)--allow-multiple-definition)
comma := ,

define fuzz_target
build/libfuzzer/$(1): $(patsubst %.c,$(FUZZ_OBJ)/%.o,tests/fuzz/fuzz_$(1).c tests/fuzz/fuzz.c $(call fuzz_links,$(1))) build/libfuzzer/libonepool.a
	@echo "LD $$@"
	$$(Q)$$(CLANG) -fsanitize=fuzzer,address,undefined $(call fuzz_replaces,$(1)) -o $$@ $$(filter %.o,$$^) build/libfuzzer/libonepool.a $$(LIBRARIES)

$(BUILD)/fuzz/$(1): $(patsubst %.c,$(OBJ)/%.o,tests/fuzz/fuzz_$(1).c tests/fuzz/fuzz.c tests/fuzz/replay.c $(call fuzz_links,$(1))) $(LIB)
	@echo "LD $$@"
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(VARIANT_LDFLAGS) $$(LDFLAGS) $(call fuzz_replaces,$(1)) -o $$@ $$(filter %.o,$$^) $(LIB) $$(LIBRARIES)
endef
$(foreach t,$(FUZZ_TARGETS),$(eval $(call fuzz_target,$(t))))

-include $(patsubst %.c,$(FUZZ_OBJ)/%.d,$(SHARED) $(FUNCTION_SOURCES) $(FUZZ_SOURCES)) $(patsubst %.c,$(OBJ)/%.d,$(FUZZ_SOURCES))
