# SPDX-License-Identifier: BSD-2-Clause
# One Makefile, no recursion. `make help` lists the targets.

# A packager's variables first.
PREFIX     ?= /usr/local
SBINDIR    ?= $(PREFIX)/sbin
BINDIR     ?= $(PREFIX)/bin
LIBEXECDIR ?= $(PREFIX)/libexec/sockgate
DATADIR    ?= $(PREFIX)/share/sockgate
MANDIR     ?= $(PREFIX)/share/man
SYSCONFDIR ?= /etc/sockgate
DESTDIR    ?=
VERSION    := 0.1.0

CC         ?= gcc
CLANG      ?= clang
# Debian keeps bpftool out of an ordinary user's PATH.
BPFTOOL    ?= $(firstword $(wildcard /usr/sbin/bpftool /sbin/bpftool) bpftool)
PYTHON     ?= /usr/bin/python3
V          ?= 0
Q          := $(if $(filter 1,$(V)),,@)

# SAN=1: the same targets under ASan and UBSan, in a folder of their own.
BUILD := $(if $(filter 1,$(SAN)),build-san,build)

WARN := -Wall -Wextra -Werror -Wshadow -Wvla -Wundef -Wstrict-prototypes -Wmissing-prototypes \
	-Wold-style-definition -Wpointer-arith -Wwrite-strings -Wimplicit-fallthrough -Wformat=2 \
	-Wcast-align=strict -Wlogical-op -Wduplicated-cond -Wnull-dereference
HARDEN := -fstack-protector-strong -fstack-clash-protection -fcf-protection -fPIE -fno-strict-aliasing
LINK_HARDEN := -pie -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--as-needed
OPT := -O2 -g -D_FORTIFY_SOURCE=2
ifeq ($(SAN),1)
OPT := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all -DSOCKGATE_SANITIZED
LINK_HARDEN := -fsanitize=address,undefined
endif
DEFINES := -D_GNU_SOURCE -DSOCKGATE_VERSION='"$(VERSION)"' -DSOCKGATE_LIBEXECDIR='"$(LIBEXECDIR)"' \
	-DSOCKGATE_DATADIR='"$(DATADIR)"' -DSOCKGATE_SYSCONFDIR='"$(SYSCONFDIR)"'
ALL_CFLAGS := -std=gnu11 $(DEFINES) $(OPT) $(WARN) $(HARDEN) -MMD -MP -Iuserspace -Ibpf -isystem $(BUILD) $(CFLAGS)
ALL_LDFLAGS := $(LINK_HARDEN) $(LDFLAGS)

# --- What the programs are made of. The link lines are the privilege boundaries: see design in README. ---
LIBRARIES := text http api json yaml policy config audit sandbox channel listen notify who run gate
PROGRAMS  := sockgated sockgate-proxy sockgate-worker sockgate

sockgated_DIR       := sockgated
sockgated_LIBS      := gate config policy yaml api json http audit sandbox channel listen notify text
sockgated_EXTERN    := -lbpf -lfyaml -ljansson -lseccomp -lcap-ng -lhogweed -lnettle
sockgate-proxy_DIR  := proxy
sockgate-proxy_LIBS := config policy yaml api json http audit sandbox channel listen notify text
sockgate-proxy_EXTERN := -lfyaml -ljansson -lseccomp -lcap-ng -lhogweed -lnettle
sockgate-worker_DIR := worker
sockgate-worker_LIBS := policy api json http audit sandbox channel text
sockgate-worker_EXTERN := -ljansson -lseccomp -lcap-ng -lnettle
sockgate_DIR        := cli
sockgate_LIBS       := who run gate config policy yaml api json http audit sandbox channel text
sockgate_EXTERN     := -lfyaml -ljansson -lseccomp -lcap-ng -lhogweed -lnettle

lib_objects = $(patsubst userspace/%.c,$(BUILD)/obj/%.o,$(sort $(wildcard userspace/$(1)/*.c)))
lib_archive = $(BUILD)/lib$(1).a

BPF_SKELETONS := $(patsubst bpf/%.bpf.c,$(BUILD)/%.skel.h,$(wildcard bpf/*.bpf.c))
UNIT_TESTS    := $(patsubst tests/%.c,$(BUILD)/tests/%,$(sort $(wildcard tests/unit/*/test_*.c)))
FUZZ_TARGETS  := $(patsubst tests/fuzz/%.c,build-fuzz/%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))
BENCH_PROGRAMS := $(patsubst tests/%.c,$(BUILD)/tests/%,$(sort $(wildcard tests/bench/*.c)))
TEST_PROGRAMS := $(patsubst tests/%.c,$(BUILD)/tests/%,$(sort $(wildcard tests/integration/*.c)))
SOURCES       := $(wildcard bpf/*.[ch] userspace/*/*.[ch] tests/*/*.[ch] tests/*/*/*.[ch])

.DELETE_ON_ERROR:
.SECONDARY:
.SUFFIXES:
MAKEFLAGS += -r

.PHONY: all help deps deps-check demo check check-unit check-san check-integration check-vm fuzz lint bench \
	install uninstall clean
all: $(addprefix $(BUILD)/,$(PROGRAMS)) $(BUILD)/man/sockgate-policy.5 ## build everything

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | sort | expand -t 20

# --- Packages --------------------------------------------------------------------------------------------
DEPS_BUILD := gcc make pkg-config clang llvm libbpf-dev bpftool libseccomp-dev libcap-ng-dev libjansson-dev \
	libfyaml-dev nettle-dev python3
DEPS_CHECK := libcunit1-dev libclang-rt-dev clang-format clang-tidy cppcheck shellcheck mandoc python3 \
	python3-docker python3-pytest docker.io containerd runc haproxy qemu-system-x86 busybox-static cpio \
	xz-utils zstd lz4 openssl chromium kmod e2fsprogs iproute2 nodejs npm ca-certificates procps curl util-linux bash

deps: ## install what building needs (as root, Debian)
	$(Q).ci/install $(DEPS_BUILD)
deps-check: deps ## install what checking needs as well
	$(Q).ci/install $(DEPS_CHECK)

# --- Building --------------------------------------------------------------------------------------------
$(BUILD)/obj/%.o: userspace/%.c
	@mkdir -p $(@D)
	@echo "  CC      $<"
	$(Q)$(CC) $(ALL_CFLAGS) -c $< -o $@

define library
$(call lib_archive,$(1)): $(call lib_objects,$(1))
	@echo "  AR      $$@"
	$(Q)rm -f $$@ && ar rcs $$@ $$^
endef
$(foreach l,$(LIBRARIES),$(eval $(call library,$(l))))

define program
$(BUILD)/$(1): $(call lib_objects,$($(1)_DIR)) $(foreach l,$($(1)_LIBS),$(call lib_archive,$(l)))
	@echo "  LINK    $$@"
	$(Q)$(CC) $(call lib_objects,$($(1)_DIR)) -Wl,--start-group $(foreach l,$($(1)_LIBS),$(call lib_archive,$(l))) \
		-Wl,--end-group $(ALL_LDFLAGS) $($(1)_EXTERN) -o $$@
endef
$(foreach p,$(PROGRAMS),$(eval $(call program,$(p))))

# A program without its main, for its unit tests.
define program_archive
$(BUILD)/lib$(1).a: $(filter-out $(BUILD)/obj/$(1)/$(1).o,$(call lib_objects,$(1)))
	@echo "  AR      $$@"
	$(Q)rm -f $$@ && ar rcs $$@ $$^
endef
$(foreach d,worker proxy sockgated,$(eval $(call program_archive,$(d))))

# BPF: compiled once (CO-RE), embedded as a skeleton.
$(BUILD)/%.bpf.o: bpf/%.bpf.c $(wildcard bpf/*.h)
	@mkdir -p $(@D)
	@echo "  BPF     $<"
	$(Q)$(CLANG) -g -O2 -Wall -Wextra -Werror -target bpf -D__TARGET_ARCH_x86 \
		-I/usr/include/$$($(CC) -print-multiarch) -Ibpf -c $< -o $@
$(BUILD)/%.skel.h: $(BUILD)/%.bpf.o
	@echo "  SKEL    $@"
	$(Q)$(BPFTOOL) gen skeleton $< name $(subst -,_,$*) > $@
$(call lib_objects,gate): $(BPF_SKELETONS)

# --- Tests -----------------------------------------------------------------------------------------------
# What each library stands on, itself included: lower layers only.
LAYERS_text    := text
LAYERS_http    := http text
LAYERS_api     := api $(LAYERS_http)
LAYERS_json    := json text
LAYERS_yaml    := yaml text
LAYERS_policy  := policy json $(LAYERS_api)
LAYERS_config  := config yaml $(LAYERS_policy)
LAYERS_audit   := audit text
LAYERS_sandbox := sandbox
LAYERS_channel := channel
LAYERS_listen  := listen $(LAYERS_policy)
LAYERS_who     := who json text
LAYERS_run     := run text
# Its tests stand in runner/: tests/unit/run is the script that runs them all.
LAYERS_runner  := $(LAYERS_run)
LAYERS_gate    := gate audit text
LAYERS_worker  := worker audit sandbox channel $(LAYERS_policy)
LAYERS_proxy   := proxy config yaml audit sandbox channel listen notify $(LAYERS_policy)
LAYERS_sockgated := sockgated gate config yaml audit sandbox channel listen notify $(LAYERS_policy)
TEST_EXTERN := -lcunit -lbpf -lfyaml -ljansson -lseccomp -lcap-ng -lhogweed -lnettle -lpthread

# A unit test in tests/unit/LIBRARY links that library and what it stands on; other test programs link no library
# unless they say so in a line of their own.
define unit_test
$(1): $(1:$(BUILD)/%=%).c $(foreach l,$(LAYERS_$(2)),$(call lib_archive,$(l)))
	@mkdir -p $$(@D)
	@echo "  TEST    $$@"
	$(Q)$(CC) $(ALL_CFLAGS) -Itests/unit -DTEST_VECTORS='"$(CURDIR)/tests/vectors"' $$< \
		-Wl,--start-group $(foreach l,$(LAYERS_$(2)),$(call lib_archive,$(l))) -Wl,--end-group $(ALL_LDFLAGS) $(TEST_EXTERN) -o $$@
endef
$(foreach t,$(UNIT_TESTS),$(eval $(call unit_test,$(t),$(notdir $(patsubst %/,%,$(dir $(t)))))))

$(BUILD)/tests/%: tests/%.c
	@mkdir -p $(@D)
	@echo "  TEST    $@"
	$(Q)$(CC) $(ALL_CFLAGS) $(filter %.c %.a,$^) $(ALL_LDFLAGS) $(TEST_EXTERN) -o $@

check: deps-check ## everything that CI runs
	$(Q)$(MAKE) --no-print-directory all lint check-unit
	$(Q)$(MAKE) --no-print-directory SAN=1 check-unit
	$(Q)$(MAKE) --no-print-directory fuzz FUZZ_SECONDS=5
	$(Q)$(MAKE) --no-print-directory check-integration
	$(Q)$(MAKE) --no-print-directory check-vm

$(BENCH_PROGRAMS): $(sort $(wildcard tests/bench/lib/*.[ch]))
check-unit: $(UNIT_TESTS) ## CUnit tests of every pure module
	$(Q)tests/unit/run $(UNIT_TESTS)
check-integration: all $(TEST_PROGRAMS) ## real engines, real clients
	$(Q)BUILD=$(CURDIR)/$(BUILD) tests/integration/run
check-vm: all ## real kernels in QEMU
	$(Q)BUILD=$(CURDIR)/$(BUILD) tests/vm/run

# A manual page that is made from the table of keys.
$(BUILD)/man/sockgate-policy.5: userspace/man/policy_page userspace/man/sockgate-policy.5.in userspace/policy/policy_keys.inc
	@mkdir -p $(@D)
	$(Q)$(PYTHON) $^ > $@

# What fuzz targets link: every pure library and the worker without its main, compiled once for all of them.
FUZZ_SECONDS ?= 60
FUZZ_FLAGS := -std=gnu11 $(DEFINES) -Iuserspace -Itests/fuzz -g -O1 -fno-omit-frame-pointer -fno-sanitize-recover=all
FUZZ_SOURCES := $(filter-out userspace/worker/worker.c,$(foreach l,text http api json yaml policy config audit channel worker,\
	$(sort $(wildcard userspace/$(l)/*.c))))
build-fuzz/obj/%.o: userspace/%.c
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(FUZZ_FLAGS) -MMD -MP -fsanitize=fuzzer-no-link,address,undefined -c $< -o $@
build-fuzz/libfuzzed.a: $(patsubst userspace/%.c,build-fuzz/obj/%.o,$(FUZZ_SOURCES))
	@echo "  AR      $@"
	$(Q)rm -f $@ && ar rcs $@ $^
build-fuzz/%: tests/fuzz/%.c build-fuzz/libfuzzed.a
	@mkdir -p $(@D)
	@echo "  FUZZ    $@"
	$(Q)$(CLANG) $(FUZZ_FLAGS) -DTEST_VECTORS='"$(CURDIR)/tests/vectors"' -fsanitize=fuzzer,address,undefined $< \
		build-fuzz/libfuzzed.a -ljansson -lfyaml -lhogweed -lnettle -o $@
fuzz: $(FUZZ_TARGETS) ## run every fuzz target for FUZZ_SECONDS each
	$(Q)tests/fuzz/run $(FUZZ_SECONDS) $(FUZZ_TARGETS)

bench: all $(BENCH_PROGRAMS) ## ratios against direct access and HAProxy
	$(Q)BUILD=$(CURDIR)/$(BUILD) tests/bench/run

lint: $(BPF_SKELETONS) ## formatting, clang-tidy, cppcheck, shellcheck, include rules, man pages
	$(Q)BUILD=$(BUILD) .ci/lint $(SOURCES)

demo: deps ## the main job on this machine, with a private engine if it has none
	$(Q)$(MAKE) --no-print-directory all
	$(Q)BUILD=$(CURDIR)/$(BUILD) tests/integration/demo

install: all ## install under DESTDIR/PREFIX
	install -d $(DESTDIR)$(SBINDIR) $(DESTDIR)$(BINDIR) $(DESTDIR)$(LIBEXECDIR) $(DESTDIR)$(DATADIR)/policies \
		$(DESTDIR)$(MANDIR)/man1 $(DESTDIR)$(MANDIR)/man5 $(DESTDIR)$(MANDIR)/man8
	install -m 0755 $(BUILD)/sockgated $(BUILD)/sockgate-proxy $(DESTDIR)$(SBINDIR)
	install -m 0755 $(BUILD)/sockgate-worker $(DESTDIR)$(LIBEXECDIR)
	install -m 0755 $(BUILD)/sockgate $(DESTDIR)$(BINDIR)
	install -m 0644 policies/*.yaml $(DESTDIR)$(DATADIR)/policies
	install -m 0644 userspace/sockgated/sockgate.logrotate userspace/worker/dashboard.json $(DESTDIR)$(DATADIR)
	for s in 1 5 8; do for m in userspace/man/*.$$s; do \
		[ ! -e "$$m" ] || install -m 0644 "$$m" $(DESTDIR)$(MANDIR)/man$$s; done; done
	install -m 0644 $(BUILD)/man/sockgate-policy.5 $(DESTDIR)$(MANDIR)/man5

uninstall: ## remove what install put there
	rm -f $(addprefix $(DESTDIR)$(SBINDIR)/,sockgated sockgate-proxy) $(DESTDIR)$(BINDIR)/sockgate
	rm -f $(patsubst userspace/man/%,$(DESTDIR)$(MANDIR)/man?/%,$(wildcard userspace/man/*.[158]))
	rm -f $(DESTDIR)$(MANDIR)/man5/sockgate-policy.5
	rm -rf $(DESTDIR)$(LIBEXECDIR) $(DESTDIR)$(DATADIR)

clean: ## remove what was built
	rm -rf build build-san build-fuzz

-include $(wildcard $(BUILD)/obj/*/*.d build-fuzz/obj/*/*.d $(BUILD)/tests/*/*.d $(BUILD)/tests/*/*/*.d)
