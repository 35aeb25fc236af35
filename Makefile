# SPDX-License-Identifier: Apache-2.0

PREFIX ?= /usr/local

# .ci/install-go puts a Go into build/.go where the system has none that is new enough; many have theirs off PATH.
export PATH := $(CURDIR)/build/.go/bin:$(PATH):/usr/local/go/bin

# One set of flags for all that is built, so that go-gst, which takes minutes, is compiled once.
export GOFLAGS := -trimpath $(GOFLAGS)

.DEFAULT_GOAL := help

## demo       two OBS on this machine co-stream with each other; ends with a picture of both
.PHONY: demo
demo: deps-test build
	@.ci/demo $(DEMO)

## build      the program: build/costream-obs
.PHONY: build
build: deps-build
	@mkdir -p build
	.ci/build -ldflags "-X main.version=$$(.ci/package/version 2>/dev/null)" -o build/costream-obs ./cmd/costream-obs

## test       everything: format, vet, staticcheck, unit tests with -race, tests with real OBS
.PHONY: test
test: deps-test
	@.ci/test

## test-real  the tests with real OBS alone, or some of them: TESTS='TestRealVoices|TestRealGroup'
.PHONY: test-real
test-real: deps-test
	@TESTS='$(TESTS)' E2E_COSTREAM='$(E2E_COSTREAM)' .ci/test real e2e

## lint       format, vet, staticcheck, and which package imports which
.PHONY: lint
lint: deps-build
	@.ci/test lint

## unit       lint, and the tests that need no OBS
.PHONY: unit
unit: deps-build
	@.ci/test lint unit

## test-kernel  the tests that need kernel modules, in a user-mode Linux guest (15 minutes the first time)
.PHONY: test-kernel
test-kernel: deps-kernel
	@e2e/kernel/test

## test-systems  package, demo and tests on another Debian: SYSTEM=12, 13 (the default), forky, 13-desktop or forky-desktop
.PHONY: test-systems
test-systems: deps-systems packages
	@e2e/systems/test $(or $(SYSTEM),13) $(subst |, ,$(TESTS))

## systems-docs  writes what test-systems found out into docs/systems.md
.PHONY: systems-docs
systems-docs:
	go run ./e2e/systems -into docs/systems.md $(foreach s,12 13 forky 13-desktop forky-desktop,$(wildcard $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/costream-obs-systems/$(s)/result))

## bench      latency, cost and quality against what others use, 10 minutes on a machine that does nothing else
.PHONY: bench
bench: build-bench
	build/bench -costream build/costream-obs $(BENCH)

## bench-loss  the same over networks that lose, delay and throttle
.PHONY: bench-loss
bench-loss: build-bench
	build/bench -loss $(BENCH)

## bench-busy  beside two programs that take all the processor they get; BENCH='-versus PROGRAM': by turns with another bench-peer
.PHONY: bench-busy
bench-busy: build-bench
	build/bench -busy 2 $(BENCH)

## bench-docs  all three, and writes the figures into docs/performance.md
.PHONY: bench-docs
bench-docs: build-bench
	build/bench -costream build/costream-obs -into docs/performance.md
	build/bench -loss -into docs/performance.md
	build/bench -busy 2 -into docs/performance.md

.PHONY: build-bench
build-bench: deps-test build
	.ci/build -o build/bench ./e2e/bench
	.ci/build -o build/bench-peer ./e2e/bench/peer

## bench-go   Go's own benchmarks of the media path's parts
.PHONY: bench-go
bench-go: deps-test
	go test -run '^$$' -bench . -benchmem ./media/...

## bench-scenes  peer toggle, going on air and the clean feed with 200 scenes; VERSUS=PROGRAM: by turns with another costream-obs
.PHONY: bench-scenes
bench-scenes: deps-test
	go test -count=1 -v -run '^$$' -bench '^BenchmarkManyScenes$$' -benchtime 1x -timeout 20m ./e2e $(if $(VERSUS),-versus $(VERSUS))

## bench-panel  what a panel and a status that are open cost, in five minutes on a machine that does nothing else
.PHONY: bench-panel
bench-panel: deps-test
	go test -count=1 -v -run '^$$' -bench '^BenchmarkPanel$$' -benchtime 1x -timeout 10m ./e2e

## bench-reach  how long two friends take to reach each other from what homes, into docs/reach.md, in 20 minutes; ROUNDS=5
.PHONY: bench-reach
bench-reach: deps-test
	go test -count=1 -v -run '^TestRealReach$$' -parallel 2 -timeout 60m ./e2e/reach -rounds $(or $(ROUNDS),5) -into $(CURDIR)/docs/reach.md

## soak       ten minutes of co-streaming under the eye of a memory gauge
.PHONY: soak
soak: deps-test
	go test -count=1 -v -run '^TestRealSoak$$' -timeout 20m ./e2e -soak 10m

## docs       writes the man page, the completions and the README's tables anew from the table of settings
.PHONY: docs
docs: deps-build
	go test ./cmd/costream-obs -run Golden -update

## packages   a .deb, an .rpm and an Arch package in build/packages; docs/packages.md tells what is in them
.PHONY: packages
packages: deps-package
	@.ci/package/build
	@.ci/package/check

## test-packages  the .deb is installed, upgraded and removed on a fresh Debian 12 and 13 (or SYSTEM=12, SYSTEM=13)
.PHONY: test-packages
test-packages: deps-kernel packages
	@e2e/packages/test $(SYSTEM)

## install    after make build, as root: the program, its man page, user service and completions, below PREFIX (/usr/local)
.PHONY: install
install: PROGRAM ?= build/costream-obs
install:
	@test -x '$(PROGRAM)' || { echo 'There is no $(PROGRAM) yet. First, not as root: make build'; exit 1; }
	install -D -m 0755 '$(PROGRAM)' '$(DESTDIR)$(PREFIX)/bin/costream-obs'
	install -D -m 0644 docs/costream-obs.1 '$(DESTDIR)$(PREFIX)/share/man/man1/costream-obs.1'
	install -d '$(DESTDIR)$(PREFIX)/lib/systemd/user'
	sed 's|/usr/local|$(PREFIX)|' setup/costream-obs.service >'$(DESTDIR)$(PREFIX)/lib/systemd/user/costream-obs.service'
	chmod 0644 '$(DESTDIR)$(PREFIX)/lib/systemd/user/costream-obs.service'
	install -D -m 0644 setup/completions/costream-obs.bash '$(DESTDIR)$(PREFIX)/share/bash-completion/completions/costream-obs'
	install -D -m 0644 setup/completions/_costream-obs '$(DESTDIR)$(PREFIX)/share/zsh/site-functions/_costream-obs'
	install -D -m 0644 setup/completions/costream-obs.fish '$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/costream-obs.fish'

## clean      removes what make wrote
.PHONY: clean
clean:
	rm -rf build demo

## help       this list
.PHONY: help
help:
	@echo 'make TARGET, where TARGET is one of:'
	@sed -n 's/^## /  /p' $(firstword $(MAKEFILE_LIST))

.PHONY: deps-build deps-test deps-kernel deps-systems deps-package
deps-build:
	@.ci/install-deps build
deps-test:
	@.ci/install-deps test
deps-kernel:
	@.ci/install-deps kernel
deps-systems:
	@.ci/install-deps systems
deps-package:
	@.ci/install-deps package
