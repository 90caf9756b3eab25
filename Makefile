# "make help" prints the lines that begin with "#:".
#: make                 build the commands: build/current/oci and a link for each
#: make demo            create, start and delete a container, and show each step
#: make test            everything that CI runs; TEST_JOBS=2 for two files at a time
#: make test-unit       the unit tests; also test-tools, test-pipeline, test-spec, test-security,
#:                      test-fault, test-accept, test-differential, test-engines
#: make test-vm         tests/vm/list in virtual machines (cgroup v2, systemd); VM_TESTS="FILE..."
#: make fuzz            libFuzzer over the parsers; FUZZ_SECONDS=60 each
#: make lint            formatting, shell scripts, man pages, forbidden calls, sizes
#: make bench           the table of figures: beside crun and runc; ROUNDS=200
#: make install         to $(DESTDIR)$(PREFIX), PREFIX=/usr/local; uninstall takes it away
#: make deb             a Debian package in build/deb
#: make clean           remove build/
#:
#: LINK=static|dynamic  how to link (static starts faster)
#: SAN=address,undefined  build, or test, with sanitizers
#: CI=1                 warnings are errors
#: V=1                  show the commands
.DEFAULT_GOAL := all

LINK ?= static
SAN ?=
CC ?= gcc
INIT_CC ?= musl-gcc
PREFIX ?= /usr/local
SYSCONFDIR ?= /etc
BUILD ?= build
OPT ?= -O2

# One short line for each file that is made: $(call say,CC,$@). Nothing with make -s.
Q := $(if $(V),,@)
say = $(if $(or $(V),$(findstring s,$(firstword -$(MAKEFLAGS)))),,@printf '  %-8s%s\n' $1 $2)

# Objects of different variants never mix.
comma := ,
B := $(BUILD)/$(LINK)$(if $(SAN),-$(subst $(comma),-,$(SAN)))

warnings := -Wall -Wextra -Wshadow -Wvla -Wformat=2 -Wundef -Wstrict-prototypes \
	-Wmissing-prototypes -Wwrite-strings -Wcast-qual $(if $(CI),-Werror)
cppflags := -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -Ilib -I. -Itools -I$B/generated
cflags := -std=gnu17 $(OPT) -g $(warnings) -fno-strict-aliasing -fvisibility=hidden \
	-ffunction-sections -fdata-sections -fstack-protector-strong $(CFLAGS)
ldflags := -Wl,--gc-sections -Wl,-z,relro,-z,now,-z,noexecstack $(LDFLAGS)
libs := -ljson-c -lseccomp -lcap -lprotobuf-c -lm

ifneq ($(SAN),)
cflags += -fsanitize=$(SAN) -fno-omit-frame-pointer -fno-sanitize-recover=all
ldflags += -fsanitize=$(SAN)
cppflags += -DSANITIZED
else ifeq ($(LINK),static)
cflags += -fno-pie
ldflags += -static -no-pie
else
cflags += -fPIE
ldflags += -pie
endif

lib_sources := $(wildcard lib/*/*.c)
tool_sources := $(wildcard tools/*.c pipeline/*.c)
command_sources := $(filter-out tools/tool.c,$(wildcard tools/oci*.c pipeline/oci*.c))
commands := $(notdir $(command_sources:.c=))
init_sources := $(wildcard init/*.c)

lib_objects := $(lib_sources:%.c=$B/%.o) $B/criu_rpc.o
tool_objects := $(tool_sources:%.c=$B/%.o)
init_objects := $(init_sources:%.c=$B/%.o)

# Helper programs, one a file, each with the libraries that it alone needs.
helpers := $(notdir $(patsubst %.c,%,$(wildcard libexec/oci-*.c)))
# What oci-features says of systemd is whether its helper program is part of the build.
$B/lib/host/features.o: cppflags += $(if $(findstring systemd,$(helpers)),-DSYSTEMD_DRIVER)
$B/lib/host/features.o: $(wildcard libexec/*.c)

# Made of the program's tables.
generated_pages := $B/man/oci-config.json.5
completions := $B/completions/oci.bash $B/completions/oci.zsh $B/completions/oci.fish

all: $B/oci links generated $(helpers:%=$B/libexec/%)

# tools/oci-mount.c has a main; in the one executable it is oci_mount_main.
main_name = $(if $(filter oci%,$(notdir $1)),-Dmain=$(subst -,_,$(notdir $1))_main)

$B/%.o: %.c | packages
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(cppflags) $(cflags) $(call main_name,$*) -MMD -MP -c -o $@ $<

# criu's protocol, by protobuf-c's compiler.
criu_rpc := $B/generated/criu_rpc.pb-c
$(criu_rpc).c: lib/kernel/criu_rpc.proto | packages
	@mkdir -p $(@D)
	$(call say,PROTOC,$@)
	$(Q)protoc-c --proto_path=$(<D) --c_out=$(@D) $(<F)
$(criu_rpc).h: $(criu_rpc).c ;
$B/criu_rpc.o: $(criu_rpc).c
	$(call say,CC,$@)
	$(Q)$(CC) $(cflags) -w -c -o $@ $<
$(patsubst %.c,$B/%.o,$(wildcard lib/kernel/criu*.c lib/lifecycle/criu*.c lib/lifecycle/checkpoint.c \
	lib/lifecycle/restore.c)): | $(criu_rpc).h

# Init runs inside containers: a program of its own, small, without any library but musl.
$B/init/%.o: init/%.c | packages
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(INIT_CC) -D_GNU_SOURCE -I. -std=gnu17 -Os $(warnings) -ffunction-sections -fdata-sections \
		-fno-asynchronous-unwind-tables -fstack-protector-strong -idirafter /usr/include \
		-idirafter /usr/include/$(shell uname -m)-linux-gnu -MMD -MP -c -o $@ $<

$B/oci-init: $(init_objects)
	$(call say,LINK,$@)
	$(Q)$(INIT_CC) -static -Wl,--gc-sections -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--build-id=none \
		-Wl,-z,max-page-size=4096 -Wl,-z,noseparate-code -s -o $@ $^

$B/init_image.o: $B/oci-init
	$(call say,AS,$@)
	$(Q)printf '.section .rodata\n.balign 16\n.globl init_image, init_image_end\ninit_image:\n.incbin "%s"\ninit_image_end:\n.byte 0\n.section .note.GNU-stack,"",@progbits\n' $< | $(CC) -c -x assembler -o $@ -

$B/liboci.a: $(lib_objects) $B/init_image.o
	@rm -f $@
	$(call say,AR,$@)
	$(Q)ar rcs $@ $^

$B/commands.c: Makefile $(command_sources)
	@mkdir -p $(@D)
	@{ echo '/* Generated by the Makefile: the commands in this executable. */'; \
	echo '#include "commands.h"'; \
	for c in $(subst -,_,$(commands)); do echo "int $${c}_main(int argc, char **argv);"; done; \
	echo 'const struct command_entry command_entries[] = {'; \
	for c in $(sort $(commands)); do echo "	{\"$$c\", $$(echo $$c | tr - _)_main},"; done; \
	echo '	{0, 0},'; echo '};'; } >$@

$B/commands.o: $B/commands.c tools/commands.h
	$(call say,CC,$@)
	$(Q)$(CC) $(cppflags) $(cflags) -c -o $@ $<

# Embedded with .incbin.
$B/pipeline/stock.o: pipeline/default.pipeline
$B/tools/oci-spec.o: tools/default-config.json

$B/oci: $(tool_objects) $B/commands.o $B/liboci.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(cflags) $(ldflags) -o $@ $(tool_objects) $B/commands.o $B/liboci.a $(libs)

# "libs: NAME..." in a helper's source: -lNAME, shared, since few of them have a static archive.
helper_libs = $(addprefix -l,$(shell sed -n 's|^ \* libs: \(.*\)|\1|p' $1))
own_libs := $(if $(filter -static,$(ldflags)),-Wl$(comma)-Bstatic $(libs) -Wl$(comma)-Bdynamic,$(libs))
$B/libexec/%: libexec/%.c $B/liboci.a | packages
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(cppflags) $(cflags) -MMD -MP $(filter-out -static,$(ldflags)) -o $@ $< \
		$B/liboci.a $(own_libs) $(call helper_libs,$<)

generated: $(generated_pages) $(completions)

# What the commands say about their options, in the order of their names; words for STAGE and KIND.
$B/completions/options: $B/oci
	@mkdir -p $(@D)
	@{ $B/oci --dump-options; for c in $(patsubst oci-%,%,$(sort $(filter-out oci,$(commands)))); do \
		$B/oci $$c --dump-options || exit; done; } >$@.new && mv $@.new $@

$B/completions/oci.%: completions/%.awk completions/oci.bash $B/completions/options pipeline/default.pipeline
	$(call say,AWK,$@)
	@stages=$$(sed -n 's/^\([a-z][a-z-]*\).*/\1/p' pipeline/default.pipeline | sort -u | paste -sd' ') && \
		kinds=$$($B/oci validate --properties | sed -n 's|^/hooks/\([A-Za-z]*\) .*|\1|p' | paste -sd' ') && \
		awk -v stages="$$stages" -v kinds="$$kinds" -f $< $B/completions/options >$@.new && mv $@.new $@

links: $B/oci
	@for c in $(filter-out oci,$(commands)); do ln -sfn oci $B/$$c; done
	@ln -sfn $(notdir $B) $(BUILD)/current

$B/man/oci-config.json.5: man/oci-config.json.awk $B/oci
	@mkdir -p $(@D)
	$(call say,MAN,$@)
	$(Q)$B/oci validate --properties | awk -f $< >$@.new && mv $@.new $@

# ---- Packages: installed on Debian as root, otherwise make says which command does it ----------

package_stamp = $(BUILD)/.packages/$1
$(BUILD)/.packages/%: .ci/packages
	@.ci/packages $*
	@mkdir -p $(@D) && touch $@

packages: $(call package_stamp,build)

demo: all | $(call package_stamp,demo)
	@pipeline/demo $(BUILD)/current $(BUILD)/demo

# ---- Tests: tests/README.md --------------------------------------------------------------------

T := $(BUILD)/tests
bats_files := $(sort $(wildcard tests/*/*.bats))
unit_tests := $(patsubst tests/unit/%.c,$B/unit/%,$(wildcard tests/unit/test_*.c))
test_programs := $(patsubst tests/probe/%.c,$T/%,$(wildcard tests/probe/*.c))
export OCI_BUILD = $(abspath $B)

# What a test replaces is named in it: "wrap: mount openat2" gives -Wl,--wrap=mount,--wrap=openat2.
wraps = $(shell sed -n 's|.*wrap: \([a-z0-9_ ]*\).*|\1|p' $1)
$B/unit/%: tests/unit/%.c $B/liboci.a | $(call package_stamp,test)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(cppflags) $(cflags) -Wno-missing-prototypes -MMD -MP $(filter-out -static,$(ldflags)) \
		$(addprefix -Wl$(comma)--wrap=,$(call wraps,$<)) -o $@ $< $B/liboci.a $(libs) -lcmocka

$T/%: tests/probe/%.c | packages
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(INIT_CC) -D_GNU_SOURCE -std=gnu17 -O2 $(warnings) -static -s -idirafter /usr/include \
		-idirafter /usr/include/$(shell uname -m)-linux-gnu -MMD -MP -MF $@.d -o $@ $<

test_ready: all $(test_programs) | $(call package_stamp,test)
run_tests = tests/lib/run $(if $(TEST_JOBS),--jobs $(TEST_JOBS))

test: test_ready $(unit_tests) | $(call package_stamp,engines)
	@$(run_tests) $(unit_tests) $(bats_files)

test-unit: $(unit_tests)
	@$(run_tests) $^

# make test-tools, test-pipeline, test-security, ...: the bats files of one folder.
test_folders := $(filter-out unit,$(patsubst tests/%/,%,$(sort $(dir $(bats_files)))))
$(test_folders:%=test-%): test-%: test_ready
	@$(run_tests) $(filter tests/$*/%,$(bats_files))
test-accept: $(call package_stamp,accept) $(call package_stamp,deb)
test-engines: $(call package_stamp,engines)

test-vm: test_ready
	@tests/vm/run $(VM_TESTS)

lint: | $(call package_stamp,lint) packages
	@tests/lint/run

fuzz: | $(call package_stamp,fuzz) packages
	@tests/fuzz/run

bench: all $T/lifecycle $T/floor | $(call package_stamp,bench)
	@tests/bench/run

$T/%: tests/bench/%.c | packages
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(cppflags) -std=gnu17 -O2 $(warnings) -static -MMD -MP -MF $@.d -o $@ $<

# ---- Installing ---------------------------------------------------------------------------------

bindir := $(DESTDIR)$(PREFIX)/bin
mandir := $(DESTDIR)$(PREFIX)/share/man
bashdir := $(DESTDIR)$(PREFIX)/share/bash-completion/completions
zshdir := $(DESTDIR)$(PREFIX)/share/zsh/vendor-completions
fishdir := $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d
docdir := $(DESTDIR)$(PREFIX)/share/doc/oci-tools
libexecdir := $(DESTDIR)$(PREFIX)/libexec/oci
sharedir := $(DESTDIR)$(PREFIX)/share/oci-tools
etcdir := $(DESTDIR)$(SYSCONFDIR)
share_files := $(patsubst share/%,%,$(wildcard share/*/*))

# share/: how each engine is told of the runtime. What only adds it to a list, and changes no default,
# is put where the engine finds it.
# One program and a link for each command's name.
install: all
	install -d $(bindir) $(docdir)/examples
	install -s -m 755 $B/oci $(bindir)/oci
	for c in $(filter-out oci,$(commands)); do ln -sf oci $(bindir)/$$c; done
	for helper in $(helpers); do \
		install -D -s -m 755 $B/libexec/$$helper $(libexecdir)/$$helper || exit; done
	for page in $(wildcard man/*.[1-9]) $(generated_pages); do \
		install -D -m 644 -t $(mandir)/man$${page##*.} $$page || exit; done
	install -D -m 644 $B/completions/oci.bash $(bashdir)/oci
	for c in $(filter-out oci,$(commands)); do ln -sf oci $(bashdir)/$$c; done
	install -D -m 644 $B/completions/oci.zsh $(zshdir)/_oci
	install -D -m 644 $B/completions/oci.fish $(fishdir)/oci.fish
	for c in $(filter-out oci,$(commands)); do ln -sf oci.fish $(fishdir)/$$c.fish; done
	install -m 644 README.md LICENSE $(docdir)
	for file in $(wildcard pipeline/*.pipeline pipeline/examples/*); do \
		install -m 644 $$file $(docdir)/examples || exit; done
	for file in $(share_files); do install -D -m 644 share/$$file $(sharedir)/$$file && \
		sed -i 's|@BINDIR@|$(PREFIX)/bin|; s|@SHARE@|$(PREFIX)/share/oci-tools|' $(sharedir)/$$file || exit; done
	install -D -m 644 -t $(etcdir)/containers/containers.conf.d $(sharedir)/containers.conf.d/oci.conf
	install -D -m 644 -t $(etcdir)/crio/crio.conf.d $(sharedir)/crio.conf.d/oci.conf

deb: all | $(call package_stamp,deb)
	@packaging/deb $B

uninstall:
	rm -f $(bindir)/oci $(addprefix $(bindir)/,$(commands))
	for page in $(notdir $(wildcard man/*.[1-9]) $(generated_pages)); do rm -f $(mandir)/man$${page##*.}/$$page; done
	rm -f $(addprefix $(bashdir)/,oci $(commands)) $(zshdir)/_oci \
		$(addsuffix .fish,$(addprefix $(fishdir)/,oci $(commands)))
	rm -rf $(docdir) $(libexecdir) $(sharedir)
	rm -f $(etcdir)/containers/containers.conf.d/oci.conf $(etcdir)/crio/crio.conf.d/oci.conf

clean:
	rm -rf $(BUILD)

help:
	@sed -n 's/^#: //p' $(firstword $(MAKEFILE_LIST))

-include $(wildcard $B/unit/*.d $B/libexec/*.d $T/*.d)
-include $(lib_objects:.o=.d) $(tool_objects:.o=.d) $(init_objects:.o=.d)

.PHONY: all demo links generated packages test_ready test test-unit test-vm $(test_folders:%=test-%) lint fuzz bench \
	install uninstall deb clean help
