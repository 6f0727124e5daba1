# SPDX-License-Identifier: Apache-2.0
#
# GNU make 4.3 or newer. `make help` lists the targets; V=1 prints the commands; VARIANT=asan builds into build/asan
# with AddressSanitizer and UndefinedBehaviorSanitizer, VARIANT=faults into build/faults with fault points alone.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules --no-builtin-variables --no-print-directory
.DEFAULT_GOAL := help

# make's own defaults (cc) give way to these; the environment and the command line win.
ifneq ($(filter default undefined,$(origin CC)),)
CC := gcc
endif
ifneq ($(filter default undefined,$(origin AR)),)
AR := ar
endif
CLANG ?= clang
PYTHON ?= /usr/bin/python3
V ?= 0
Q := $(if $(filter 1,$(V)),,@)

VARIANT ?= release
ifeq ($(VARIANT),release)
BUILD := build
# _FORTIFY_SOURCE checks the bounds of libc calls; relro and now make the import table read-only at start.
VARIANT_CFLAGS := -O2 -g -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE
VARIANT_LDFLAGS := -pie -Wl,-z,relro,-z,now
else ifeq ($(VARIANT),asan)
BUILD := build/asan
# gcc warns falsely about null and uninitialised values in instrumented code; the release variant keeps both warnings.
VARIANT_CFLAGS := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer \
    -DONEPOOL_FAULTS -Wno-null-dereference -Wno-maybe-uninitialized
VARIANT_LDFLAGS := -fsanitize=address,undefined
else ifeq ($(VARIANT),faults)
BUILD := build/faults
# Quick, with fault points (shared/faultpoint.h): what `make faults` runs.
VARIANT_CFLAGS := -O1 -g -DONEPOOL_FAULTS
VARIANT_LDFLAGS :=
else
$(error VARIANT must be release, asan or faults, not "$(VARIANT)")
endif

WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes \
    -Wmissing-prototypes -Wcast-qual -Wwrite-strings -Wformat=2 -Wundef -Wvla -Wswitch-enum -Wnull-dereference \
    -Wdouble-promotion
LANGUAGE := -std=c11 -D_POSIX_C_SOURCE=200809L -D_DEFAULT_SOURCE -iquote shared -iquote .
ALL_CFLAGS = $(LANGUAGE) $(WARNINGS) -Werror $(VARIANT_CFLAGS) $(CFLAGS)
LIBRARIES := -lfcgi -lcurl -lcjson -lhiredis -lcrypto -lz -lm

SHARED := $(sort $(wildcard shared/*.c))
LUA := $(sort $(wildcard shared/lua/*.lua))
FUNCTIONS := $(sort $(patsubst functions/%/,%,$(dir $(wildcard functions/*/main.c))))
FUNCTION_SOURCES := $(sort $(wildcard functions/*/*.c))
TESTS := $(sort $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/test_*.c)))
TEST_SOURCES := $(sort $(wildcard tests/unit/*.c tests/bench/*.c))
SOURCES := $(SHARED) $(FUNCTION_SOURCES) $(TEST_SOURCES)

OBJ := $(BUILD)/obj
LIB := $(BUILD)/libonepool.a
LIB_OBJECTS := $(SHARED:%.c=$(OBJ)/%.o) $(OBJ)/lua_library.o
PROGRAMS := $(FUNCTIONS:%=$(BUILD)/%)
UNIT := $(TESTS:%=$(BUILD)/unit/%)

# A sub-make uses all processors unless the caller chose with -j.
JOBS := $(shell nproc 2>/dev/null || echo 2)
SUBMAKE = $(MAKE) $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(JOBS))

# ---------------------------------------------------------------- what people call

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile

.PHONY: demo
demo: ## install, build, start everything with simulated platforms, and show a day in the shop
	@deploy/setup.sh build run
	@+$(SUBMAKE) VARIANT=release all
	@deploy/stack.sh up
	@rc=0; $(PYTHON) -B tests/demo/demo.py || rc=$$?; \
	echo "The stack is still running (see var/onepool.env); stop it with: make down"; exit $$rc

.PHONY: test
test: ## install, build with sanitizers, run the unit and flow tests, and the kept fuzz inputs
	@deploy/setup.sh build run test
	@+$(SUBMAKE) VARIANT=asan all tests fuzz-replay
	@.ci/test unit fuzz flow

.PHONY: unit
unit: ## the unit tests only
	@deploy/setup.sh build test
	@+$(SUBMAKE) VARIANT=asan tests
	@.ci/test unit

.PHONY: flow
flow: ## the flow tests only (real nginx and Redis); PYTEST="-k name" chooses
	@deploy/setup.sh build run test
	@+$(SUBMAKE) VARIANT=asan all
	@.ci/test flow

.PHONY: up
up: ## install, build and start everything on this machine; the settings in use go to var/onepool.env
	@deploy/setup.sh build run
	@+$(SUBMAKE) VARIANT=release all
	@deploy/stack.sh up

.PHONY: down
down: ## stop what `make up` started
	@deploy/stack.sh down

.PHONY: image
image: ## the image with all functions; prints its size and layers (docs/operations.md, "With docker compose")
	@deploy/compose.sh image

.PHONY: compose-up
compose-up: ## everything with docker compose: secrets that are missing, images, start; simulated platforms unless ONEPOOL_INSTANCE says otherwise
	@deploy/compose.sh up

.PHONY: compose-down
compose-down: ## stop what `make compose-up` started; the data of simulated platforms go with it, those of a shop stay
	@deploy/compose.sh down

.PHONY: compose-test
compose-test: ## the compose file on the engine that is here, replicas that die included; skipped, loudly, without one
	@deploy/setup.sh test
	@.ci/test compose

# Only the program's own lines may reach standard output: they are JSON.
.PHONY: invoke
invoke: ## one function on one payload: FUNCTION=sale PAYLOAD=file.json [DRY_RUN=1]
	@test -n "$(FUNCTION)" -a -n "$(PAYLOAD)" || { echo 'usage: make invoke FUNCTION=sale PAYLOAD=file.json [DRY_RUN=1]' >&2; exit 2; }
	@test -f "functions/$(FUNCTION)/main.c" || { echo 'FUNCTION=$(FUNCTION): no such function; there are: $(filter-out onepool,$(FUNCTIONS))' >&2; exit 2; }
	@test -r "$(PAYLOAD)" || { echo 'PAYLOAD=$(PAYLOAD): cannot be read' >&2; exit 2; }
	@deploy/setup.sh build >&2
	@+$(SUBMAKE) VARIANT=release build/$(FUNCTION) >&2
	@set -a; if [ -r var/onepool.env ]; then . var/onepool.env; fi; set +a; \
	exec build/$(FUNCTION) --invoke "$(PAYLOAD)" $(if $(filter 1 yes true,$(DRY_RUN)),--dry-run)

.PHONY: bench
bench: ## figures, as a table and in build/bench/result.json; BENCH="rush quiet" chooses (tests/bench/README.md)
	@deploy/setup.sh build run bench
	@+$(SUBMAKE) VARIANT=release all build/bench/bare
	@$(PYTHON) -B tests/bench/bench.py

# SEED=k is that one alone. SINGLES=1 adds every single fault (the default from 100 seeds on), SINGLES="text" those named so.
SEEDS ?= 20
SINGLES ?= $(shell [ "$(SEEDS)" -lt 100 ] || echo 1)
FAULTS := $(if $(PLANT),--plant "$(PLANT)",$(if $(SEED),--seed "$(SEED)",--seeds "$(SEEDS)" \
    $(if $(filter-out 0,$(SINGLES)),--single "$(filter-out 1,$(SINGLES))")))
.PHONY: faults
faults: ## days under faults: SEEDS=200 [SINGLES=0|1], SEED=k, or PLANT=journal|fence|refund|pending (tests/faults/README.md)
	@deploy/setup.sh build run test
	@+$(SUBMAKE) VARIANT=faults all
	@ONEPOOL_TEST_BUILD=$(CURDIR)/build/faults $(PYTHON) -B tests/faults/makefaults.py $(FAULTS)

.PHONY: lint
lint: ## formatting and static analysis of C, shell and Python
	@deploy/setup.sh build test lint
	@+$(SUBMAKE) $(BUILD)/lua_library.c
	@.ci/lint

.PHONY: format
format: ## rewrite the C files in the house format
	$(Q)clang-format -i $(SOURCES) $(FUZZ_SOURCES) $(wildcard shared/*.h functions/*/*.h tests/unit/*.h tests/fuzz/*.h)

.PHONY: setup
setup: ## install the Debian packages for building, running and testing
	@deploy/setup.sh build run test

.PHONY: clean
clean: ## remove build/ (state under var/ stays)
	rm -rf build

# ---------------------------------------------------------------- building

.PHONY: all tests
all: $(PROGRAMS) ## build the programs into build/
tests: $(UNIT)

# $(call changed,FILE,TEXT): rewrites FILE only when TEXT differs, so that what depends on it is made again.
define changed
@mkdir -p $(dir $(1)); printf '%s\n' '$(subst ','\'',$(2))' | cmp -s - $(1) || printf '%s\n' '$(subst ','\'',$(2))' >$(1)
endef
.PHONY: FORCE
$(OBJ)/flags: FORCE
	$(call changed,$@,$(CC) $(ALL_CFLAGS) $(VARIANT_LDFLAGS) $(LDFLAGS))
$(OBJ)/library-files: FORCE
	$(call changed,$@,$(SHARED))
$(OBJ)/lua-files: FORCE
	$(call changed,$@,$(LUA))
$(OBJ)/function-files: FORCE
	$(call changed,$@,$(FUNCTION_SOURCES))

$(OBJ)/%.o: %.c $(OBJ)/flags
	@echo "CC $<"
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(OBJ)/lua_library.o: $(BUILD)/lua_library.c $(OBJ)/flags
	@echo "CC $<"
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# The Redis Function library, byte for byte, in name order. Its name carries the first 8 hex digits of the SHA-256 of
# these bytes, so that two releases can use one Redis. Characters as '\xNN': right whether char is signed or not.
$(BUILD)/lua_library.c: $(LUA) $(OBJ)/lua-files
	@echo "LUA $@"
	$(Q)version=$$(cat /dev/null $(LUA) | sha256sum | cut -c 1-8); \
	{ \
	    printf '/* SPDX-License-Identifier: Apache-2.0 */\n/* Generated from shared/lua; do not edit. */\n'; \
	    printf '#include "shared/redis.h"\n\nconst char lua_version[] = "%s";\nconst char lua_source[] = {\n' "$$version"; \
	    { printf "#!lua name=onepool_%s\nlocal VERSION = '%s'\n" "$$version" "$$version"; cat /dev/null $(LUA); } \
	        | od -An -v -tx1 | sed "s/ *\([0-9a-f][0-9a-f]\)/'\\\\x\1', /g; s/ $$//"; \
	    printf "'\\\\0'};\nconst size_t lua_source_len = sizeof lua_source - 1;\n"; \
	} >$@.part; mv $@.part $@

$(LIB): $(LIB_OBJECTS) $(OBJ)/library-files
	@echo "AR $@"
	$(Q)rm -f $@; $(AR) rcs $@ $(LIB_OBJECTS)

define program
$(BUILD)/$(1): $(patsubst %.c,$(OBJ)/%.o,$(filter functions/$(1)/%,$(FUNCTION_SOURCES))) $(LIB) $(OBJ)/function-files
	@echo "LD $$@"
	$$(Q)$$(CC) $$(VARIANT_LDFLAGS) $$(LDFLAGS) -o $$@ $$(filter %.o,$$^) $$(LIB) $$(LIBRARIES)
endef
$(foreach f,$(FUNCTIONS),$(eval $(call program,$(f))))

# What `make bench` measures beside: on its own, not part of onepool.
$(BUILD)/bench/bare: $(OBJ)/tests/bench/bare.o
	@echo "LD $@"
	@mkdir -p $(@D)
	$(Q)$(CC) $(VARIANT_LDFLAGS) $(LDFLAGS) -o $@ $< -lfcgi -lhiredis

# A unit test names what it needs beside the library in its first ten lines: /* links: functions/sale/sale.c */
links = $(shell sed -n '1,10s/.*links:\([^*]*\).*/\1/p' tests/unit/$(1).c)
define unit_test
$(BUILD)/unit/$(1): $(OBJ)/tests/unit/$(1).o $(patsubst %.c,$(OBJ)/%.o,$(call links,$(1))) $(LIB)
	@echo "LD $$@"
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(VARIANT_LDFLAGS) $$(LDFLAGS) -o $$@ $$(filter %.o,$$^) $$(LIB) $$(LIBRARIES) -lcmocka
endef
$(foreach t,$(TESTS),$(eval $(call unit_test,$(t))))

.PHONY: clang-check
clang-check: $(BUILD)/lua_library.c ## compile every C file with clang too, without making anything
	@printf '%s\0' $(SOURCES) $(FUZZ_SOURCES) $(BUILD)/lua_library.c \
	    | xargs -0 -P $(JOBS) -n 8 $(CLANG) $(LANGUAGE) $(WARNINGS) -Werror -fsyntax-only

include tests/fuzz/fuzz.mk

# For .ci/lint: the flags that the analysers need, and the files they look at.
.PHONY: print-flags print-sources print-tests print-fuzz
print-flags:
	@echo $(LANGUAGE)
print-warnings:
	@echo $(WARNINGS)
print-sources:
	@printf '%s\n' $(SHARED) $(FUNCTION_SOURCES)
print-tests:
	@printf '%s\n' $(TEST_SOURCES)
print-fuzz:
	@printf '%s\n' $(FUZZ_SOURCES)

-include $(patsubst %.c,$(OBJ)/%.d,$(SOURCES)) $(OBJ)/lua_library.d
