# SPDX-License-Identifier: GPL-3.0-or-later
# make                    programs, in build/bin
# make check              layers, style, unit tests, fuzz corpora, recorded and whole-program tests
# make SAN=thread check   the same under a sanitizer (or address,undefined)
# make demo               a simulated event through the whole chain
# make bench              the numbers of docs/PERFORMANCE.md, measured here and now
# make fuzz T=NAME [S=60] one libFuzzer target for S seconds (needs clang)
# make gold               draft the expectations of new recorded cases; hold them against the truth
# make install [DESTDIR= PREFIX=/usr/local]
# make install-module     SoapySDR's device module for scenes and recordings, which install leaves out
# make deb                Debian packages of both, in build/deb
# make clean
#
# ROOMS is the include order: a file may include headers of its own room and of rooms to its left,
# never to its right.  Two things hold that line: `make layers` reads the includes, and each unit
# test links only the rooms up to the one it tests.

ROOMS := base hw sdr dsp classifier alertd

CFLAGS  ?= -O2 -g
WARN    := -Wall -Wextra -Wshadow -Wvla -Wformat=2 -Wundef -Wpointer-arith -Wno-psabi \
           -Wstrict-prototypes -Wmissing-prototypes -Werror=implicit-function-declaration
# clang 14 knows no -fcx-limited-range (plain complex products, no test for NaN).
cc_has  = $(shell $(CC) -Werror $(1) -fsyntax-only -x c /dev/null 2>/dev/null && echo $(1))
# The rooms up to sdr also go into SoapySDR's device module, a shared object.  Hidden names cost
# nothing in programs, and there they cannot meet those of the program that loads it.
PIC     := -fPIC -fvisibility=hidden
ALL_CFLAGS := -std=c17 -D_GNU_SOURCE -I. -include base/clang.h $(WARN) $(PIC) -fno-math-errno -fno-trapping-math \
              -ffp-contract=off $(call cc_has,-fcx-limited-range) $(CFLAGS)

# msgpack-c is called msgpack in Debian 12 and msgpack-c in newer ones.
MSGPACK := $(shell pkg-config --exists msgpack-c && echo msgpack-c || echo msgpack)
PKGS    := fftw3f jansson libcyaml SoapySDR libzmq $(MSGPACK) libsodium sqlite3 libmicrohttpd gnutls
LIBS    := $(shell pkg-config --libs $(PKGS)) -lliquid -lm -lpthread
# Each program loads only what it uses: the daemon with the keys no driver, the other no database.
LDFLAGS += -Wl,--as-needed
ALL_CFLAGS += $(shell pkg-config --cflags $(PKGS))

comma := ,
ifdef SAN
ALL_CFLAGS += -fsanitize=$(SAN) -fno-omit-frame-pointer -fno-sanitize-recover=all
LDFLAGS    += -fsanitize=$(SAN)
endif
B := build$(if $(SAN),/san-$(subst $(comma),-,$(SAN)))

# What everything is compiled with.  The file changes only when the flags do, and then all objects
# are made again: no tree of two minds.
FLAGS_NOW := $(CC) $(ALL_CFLAGS) $(LDFLAGS)
$(shell mkdir -p $(B); echo '$(FLAGS_NOW)' | cmp -s - $(B)/flags || echo '$(FLAGS_NOW)' >$(B)/flags)

# A program is a file called <room>/main_<program>.c.  Everything else in a room (two levels deep)
# goes into that room's archive.  New files need no edit here.
src    = $(filter-out $(1)/main_% $(1)/kernel/%,$(wildcard $(1)/*.c $(1)/*/*.c))
lib    = $(B)/lib/$(1).a
upto   = $(if $(filter $(1),$(firstword $(2))),$(1),$(firstword $(2)) $(call upto,$(1),$(wordlist 2,99,$(2))))
rev    = $(if $(1),$(call rev,$(wordlist 2,99,$(1))) $(firstword $(1)))
libs   = $(foreach r,$(call rev,$(call upto,$(1),$(ROOMS))),$(call lib,$(r)))
MAINS := $(wildcard */main_*.c)
PROGS := $(foreach m,$(MAINS),$(patsubst main_%.c,$(B)/bin/%,$(notdir $(m))))
TESTS := $(patsubst tests/unit/%.c,$(B)/t/%,$(wildcard tests/unit/*.c))
FUZZ  := $(patsubst tests/fuzz/%.c,%,$(filter-out tests/fuzz/replay.c,$(wildcard tests/fuzz/*.c)))
REPLAY:= $(patsubst %,$(B)/replay/%,$(FUZZ))
TOOLS := $(patsubst tests/tool/%.c,$(B)/tool/%,$(wildcard tests/tool/*.c))
BENCHES := $(patsubst tests/bench/%.c,$(B)/bench/%,$(wildcard tests/bench/bench_*.c))
PROFILES := $(patsubst hw/profiles/%,$(B)/share/tyto/profiles/%,$(wildcard hw/profiles/*.yaml))
BANDS := $(patsubst hw/bands/%,$(B)/share/tyto/bands/%,$(wildcard hw/bands/*.yaml))
SIGS  := $(patsubst classifier/sig/%,$(B)/share/tyto/sig/%,$(wildcard classifier/sig/*.yaml))
PAGE_FILES := $(shell cd alertd && find page -type f ! -name '.*')
PAGE  := $(PAGE_FILES:%=$(B)/share/tyto/%)

# Hot kernels (<room>/kernel/*.c) are plain C compiled once per instruction set, chosen at run time
# by hw_isa().  ISA is the suffix of every name in such a file.  One source, so one result to test.
# Those of sdr, the simulator's, give the same bits whatever the set: floats keep their order.
ARCH := $(shell $(CC) -dumpmachine | cut -d- -f1)
ISAS := plain $(if $(filter x86_64,$(ARCH)),v2 v3 v4)
isa_flags = $(if $(filter plain,$(1)),,-march=x86-64-$(1) $(if $(filter v4,$(1)),-mprefer-vector-width=512))
# The bank is bound by its arithmetic: there a product and a sum may be one instruction.
fused   = $(if $(filter %/wola.c %/powers.c,$(1)),-ffp-contract=fast)
# gcc 12 lays arrays that it wants on 64 bytes on 32 where the address sanitizer guards the stack, and
# loads them as if they were: kernels keep plain stacks (their arrays are of fixed size).
KERNEL_SAN := $(if $(findstring address,$(SAN)),$(call cc_has,--param=asan-stack=0))
KERNELS := $(foreach k,$(wildcard sdr/kernel/*.c dsp/kernel/*.c),$(foreach i,$(ISAS),$(B)/obj/$(k:.c=).$(i).o))

MODULE := $(B)/soapy/libtytoSupport.so

all: $(PROGS) $(SIGS) $(PROFILES) $(BANDS) $(PAGE) $(MODULE)

define room_rules
$(call lib,$(1)): $(patsubst %.c,$(B)/obj/%.o,$(call src,$(1))) $(filter $(B)/obj/$(1)/%,$(KERNELS))
	@mkdir -p $$(@D); rm -f $$@
	ar rcs $$@ $$^
$(patsubst $(1)/main_%.c,$(B)/bin/%,$(wildcard $(1)/main_*.c)): $(B)/bin/%: $(B)/obj/$(1)/main_%.o $(call libs,$(1))
	@mkdir -p $$(@D)
	$$(CC) $$(LDFLAGS) $$^ $$(LIBS) -o $$@
$(filter $(B)/t/$(1)_%,$(TESTS)): $(B)/t/%: $(B)/obj/tests/unit/%.o $(call libs,$(1))
	@mkdir -p $$(@D)
	$$(CC) $$(LDFLAGS) $$^ $$(LIBS) -lcmocka -o $$@
$(patsubst %,$(B)/replay/%,$(filter $(1)_%,$(FUZZ))): $(B)/replay/%: $(B)/obj/tests/fuzz/%.o $(B)/obj/tests/fuzz/replay.o $(call libs,$(1))
	@mkdir -p $$(@D)
	$$(CC) $$(LDFLAGS) $$^ $$(LIBS) -o $$@
$(patsubst %,$(B)/fuzz/%,$(filter $(1)_%,$(FUZZ))): $(B)/fuzz/%: $(B)/obj/tests/fuzz/%.o $(call libs,$(1))
	@mkdir -p $$(@D)
	$$(CC) $$(LDFLAGS) -fsanitize=fuzzer $$^ $$(LIBS) -o $$@
endef
$(foreach r,$(ROOMS),$(eval $(call room_rules,$(r))))

define kernel_rule
$(B)/obj/$(1)/kernel/%.$(2).o: $(1)/kernel/%.c $(B)/flags
	@mkdir -p $$(@D)
	$$(CC) $$(ALL_CFLAGS) -O3 $(3) $(call isa_flags,$(2)) $(KERNEL_SAN) $$(call fused,$$<) -DISA=$(2) -MMD -MP -c $$< -o $$@
endef
$(foreach i,$(ISAS),$(eval $(call kernel_rule,dsp,$(i),-fno-signed-zeros -fassociative-math -freciprocal-math)))
$(foreach i,$(ISAS),$(eval $(call kernel_rule,sdr,$(i))))

$(B)/obj/%.o: %.c $(B)/flags
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

# The one place of C++: SoapySDR's registry has no door for C.  Its sanitizer of virtual tables wants
# a runtime that C programs do not bring.
CXXFLAGS ?= $(CFLAGS)
ALL_CXXFLAGS := -std=c++17 -I. -Wall -Wextra -Wshadow -Wno-unused-parameter $(PIC) $(CXXFLAGS) \
                $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize=vptr -fno-omit-frame-pointer)
$(B)/obj/%.o: %.cpp $(B)/flags
	@mkdir -p $(@D)
	$(CXX) $(ALL_CXXFLAGS) -MMD -MP -c $< -o $@
$(MODULE): $(B)/obj/sdr/soapy/soapy_module.o $(call libs,sdr)
	@mkdir -p $(@D)
	$(CXX) -shared $(LDFLAGS) $(if $(SAN),,-Wl$(comma)--no-undefined) $^ $(LIBS) -o $@

# These read at run time what is not linked into them.
$(B)/t/hw_profile $(B)/t/classifier_doctor: | $(PROFILES)
$(B)/t/sdr_soapy: | $(MODULE)

$(B)/bench/%: $(B)/obj/tests/bench/%.o $(patsubst %.c,$(B)/obj/%.o,$(filter-out tests/bench/bench_%,$(wildcard tests/bench/*.c))) $(call libs,alertd)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) $^ $(LIBS) -o $@

$(B)/tool/%: $(B)/obj/tests/tool/%.o $(call libs,classifier)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) $^ $(LIBS) -o $@

$(B)/share/tyto/profiles/%: hw/profiles/%
	@mkdir -p $(@D)
	cp $< $@

$(B)/share/tyto/bands/%: hw/bands/%
	@mkdir -p $(@D)
	cp $< $@

$(B)/share/tyto/sig/%: classifier/sig/%
	@mkdir -p $(@D)
	cp $< $@

$(B)/share/tyto/page/%: alertd/page/%
	@mkdir -p $(@D)
	cp $< $@

check: layers style all $(TESTS) $(REPLAY) $(TOOLS)
	@COUNT=$(COUNT) sh tests/run.sh $(B)

# Instrumented builds of the fuzz targets; the corpora are replayed by `make check` without clang.
fuzz:
	@sh tests/fuzz.sh "$(T)" "$(or $(S),60)"

demo: all
	@$(B)/bin/tyto demo

bench: all $(BENCHES)
	@sh tests/bench.sh $(B)

gold: all $(TOOLS)
	@TYTO_GOLD=1 sh tests/run.sh $(B)

layers: ; @sh tests/layers.sh $(ROOMS)
style:  ; @sh tests/style.sh
clean:  ; rm -rf build

PREFIX ?= /usr/local
D := $(DESTDIR)$(PREFIX)
install: all
	install -d "$(D)/bin" "$(D)/share/tyto/sig" "$(D)/share/man/man1"
	install -m 755 $(PROGS) "$(D)/bin"
	$(if $(SIGS),install -m 644 $(SIGS) "$(D)/share/tyto/sig")
	cd alertd && find page -type f ! -name '.*' -exec install -D -m 644 {} "$(D)/share/tyto/{}" \;
	install -m 644 docs/man/*.1 "$(D)/share/man/man1"
	install -d "$(D)/share/doc/tyto/docs"
	install -m 644 README.md "$(D)/share/doc/tyto"
	install -m 644 docs/*.md docs/*.yaml docs/*.png "$(D)/share/doc/tyto/docs"
	install -d "$(D)/share/tyto/bands"
	install -m 644 $(BANDS) "$(D)/share/tyto/bands"
	install -d "$(D)/share/tyto/profiles" "$(D)/lib/udev/rules.d" "$(D)/lib/sysusers.d"
	install -m 644 $(PROFILES) "$(D)/share/tyto/profiles"
	install -m 644 hw/udev/60-tyto.rules "$(D)/lib/udev/rules.d"
	install -m 644 hw/udev/tyto-radio.conf hw/systemd/tyto.conf "$(D)/lib/sysusers.d"
	install -d "$(D)/lib/systemd/system"
	for u in sensord alertd; do sed 's|@bin@|$(PREFIX)/bin|' hw/systemd/tyto-$$u.service \
		>"$(D)/lib/systemd/system/tyto-$$u.service" || exit 1; done

# Where SoapySDR of this machine looks, below /usr and below /usr/local.
SOAPY_ABI = $(shell sed -n 's/^\#define SOAPY_SDR_ABI_VERSION "\(.*\)"/\1/p' \
            $$(pkg-config --variable=includedir SoapySDR)/SoapySDR/Version.h)
SOAPY_DIR = $(D)/lib/$(shell $(CC) -print-multiarch 2>/dev/null)/SoapySDR/modules$(SOAPY_ABI)
install-module: $(MODULE)
	install -d "$(SOAPY_DIR)"
	install -m 644 $(MODULE) "$(SOAPY_DIR)"

deb: all
	@sh hw/deb/build.sh $(B)

.PHONY: all check layers style fuzz demo bench gold clean install install-module deb
.SECONDARY:
-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)
