# The Mesos module system. "make help" lists what can be made.

SHELL       := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

GO       ?= go
CC       := gcc
CXX      := g++
CFLAGS   := -std=c11 -O2 -fPIC -Wall -Wextra -Werror -Ifacade/include
CXXFLAGS := -std=c++17 -O2 -fPIC -Wall -Wextra -Werror -Ifacade/include

# A Go plugin loads only in daemons that are built with the same flags.
BUILD := $(GO) build

# What the slave starts for each task has to start fast, and needs nothing of C.
SMALL := ./cmd/mesos-containerizer ./cmd/mesos-logrotate-logger ./cmd/mesos-executor ./cmd/mesos-default-executor

HEADERS   := $(shell find facade/include -name '*.h' -o -name '*.hpp')
LIBRARIES := build/lib/libcalculator.so build/lib/libhello.so build/lib/libseveral.so build/lib/libdifference.so

# Modules that ship in C++ as well: modules/hook/labels becomes libhook-labels-native.so.
LIBRARIES += $(patsubst %,build/lib/lib%-native.so,authenticator-crammd5 authenticatee-crammd5 hook-labels hook-environment isolator-command)
NATIVE    := $(shell find modules -path '*/native/*.?pp')

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# One line says everything that is missing.
.PHONY: tools
tools:
	@missing=; for tool in $(GO) $(CC) $(CXX); do command -v $$tool >/dev/null || missing="$$missing $$tool"; done; \
	if [ -n "$$missing" ]; then echo "make: not installed:$$missing; on Debian 12: apt-get install gcc g++, and Go 1.26 from https://go.dev/dl" >&2; exit 1; fi

.PHONY: build
build: tools ## build the daemons and mesos-module into bin/
	$(BUILD) -o bin/ ./cmd/...
	CGO_ENABLED=0 $(BUILD) -o bin/ $(SMALL)

.PHONY: samples
samples: tools $(LIBRARIES) ## build the sample libraries into build/lib
	$(BUILD) -buildmode=plugin -o build/lib/libgoplugin.so ./examples/goplugin
	CGO_ENABLED=0 $(BUILD) -o build/lib/remainder ./examples/process

build/lib/lib%-native.so: $(HEADERS) $(NATIVE)
	@mkdir -p $(@D)
	$(CXX) $(CXXFLAGS) -fno-gnu-unique -pthread -shared -o $@ modules/$(subst -,/,$*)/native/*.cpp

build/lib/lib%.so: examples/cpp/%.cpp $(HEADERS)
	@mkdir -p $(@D)
	$(CXX) $(CXXFLAGS) -shared -o $@ $<

build/lib/lib%.so: examples/c/%.c $(HEADERS)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -shared -o $@ $<

.PHONY: run
run: build samples ## run a cluster with modules from the sample libraries, and tasks on it
	@mkdir -p build/run
	$(GO) run ./internal/runall

# Each part of the suite is a target of its own; "make test" is all of them, and runs every package once.
.PHONY: test
test: tools format lint race unit bench-test modules-test ## run the whole suite
	@echo "make test: all passed"

.PHONY: format
format:
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); if [ -n "$$unformatted" ]; then echo "gofmt would change:" $$unformatted >&2; exit 1; fi

.PHONY: lint
lint: tools ## go vet and staticcheck
	$(GO) vet ./...
	$(GO) tool -modfile=internal/tools/go.mod staticcheck ./...

# Packages whose tests are compilers, generators and other programs at work: what they run is not built with the race
# detector, so it would look at nothing. "go list" leaves all others to it.
WITHOUT_RACE := facade/include facade/mesos internal/clusterfaults internal/conformance internal/docs internal/faults internal/gen/% internal/moduletool internal/nativetest internal/pluginbuild internal/processtest internal/shipped internal/thirdparty \
	internal/policy internal/skew manager/vehicle/goplugin

.PHONY: unit
unit: tools ## tests that build libraries and programs
	$(GO) test -count=1 $(foreach p,$(WITHOUT_RACE),./$(subst %,...,$(p)))

.PHONY: race
race: tools ## all other tests, under the race detector
	$(GO) test -count=1 -race $(filter-out $(addprefix $(shell $(GO) list -m)/,$(WITHOUT_RACE)),$(shell $(GO) list ./...))

# The comparators are a Go module of their own.
.PHONY: bench-test
bench-test: tools
	cd internal/bench && $(GO) vet ./... && $(GO) test -count=1 ./...

# Modules that need more than the daemons do are Go modules of their own, which "./..." does not reach.
APART := modules/allocator/lua modules/containerizer/runc

.PHONY: modules-test
modules-test: tools
	@for folder in $(APART); do echo "cd $$folder && $(GO) vet ./... && $(GO) test -count=1 ./..."; \
		(cd $$folder && $(GO) vet ./... && $(GO) test -count=1 ./...); done

# The benchmarks of single packages are run with "go test -bench"; this is the table of all targets with their ratios.
BENCH ?=

.PHONY: bench
bench: tools ## the table of docs/benchmarks.md, comparators included (BENCH="-only plan -rounds 3")
	cd internal/bench && $(BUILD) -o ../../build/bench . && ../../build/bench $(BENCH)

# The cluster's figures: benchmarks of the parts that have a target, then a real cluster under load.
.PHONY: bench-cluster
bench-cluster: build ## the cluster's table of docs/benchmarks.md
	$(GO) test -run='^$$' -bench='DeclineOffers|AllDeclined' -benchtime=3x ./modules/allocator/hierarchical
	$(GO) test -run='^$$' -bench=Reregistration -benchtime=2x ./internal/master/core
	$(GO) test -run='^$$' -bench=Cluster/state$$ -benchtime=5x ./internal/master/view
	$(GO) run ./internal/loadtest

# What the modules that ship cost, each beside what it is compared with.
.PHONY: bench-modules
bench-modules: tools ## the modules' table of docs/benchmarks.md
	$(GO) test -run='^$$' -bench=IsolatorChain -benchtime=200x ./modules/isolator/cgroups
	$(GO) test -run='^$$' -bench=Containers -benchtime=5x ./internal/slave/operator
	$(GO) test -run='^$$' -bench=Handshake ./modules/authenticator/crammd5 ./internal/master
	cd modules/allocator/lua && $(GO) test -run='^$$' -bench=DeclineOffers//agents=1000 -benchtime=20x .

SEEDS ?= 1000

.PHONY: simulate
simulate: tools ## the cores against a made-up world, SEEDS=1000 times; a seed that fails says how to replay it
	$(GO) test -count=1 -timeout=0 ./internal/simulation -run TestSeeds -seeds=$(SEEDS)

SEED ?= 1
ROUNDS ?= 20

# What "make test" does twice.
.PHONY: chaos
chaos: tools ## kill -9 at every point of a task's life (SEED=1 ROUNDS=20)
	$(GO) test -count=1 -timeout=30m ./internal/clusterfaults -run '^TestKill$$' -chaos.seed=$(SEED) -chaos.rounds=$(ROUNDS)

FUZZTIME ?= 10s

.PHONY: fuzz
fuzz: tools ## every fuzz target for FUZZTIME
	@grep -rlE '^func Fuzz' --include='*_test.go' . | xargs -n1 dirname | sort -u | while read -r dir; do \
		grep -hoE '^func Fuzz[A-Za-z0-9_]+' $$dir/*_test.go | sed 's/^func //' | while read -r target; do \
			echo "$$dir $$target"; $(GO) test -run='^$$' -fuzz="^$$target\$$" -fuzztime=$(FUZZTIME) $$dir </dev/null; \
		done; \
	done

.PHONY: generate
generate: tools ## write what is generated from the roles and messages
	$(GO) generate ./...

.PHONY: clean
clean: ## remove what was built
	rm -rf bin build
