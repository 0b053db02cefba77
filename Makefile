# loka: `make run` to see it mine, `make test` to see it tested.

GO      ?= go
TOOL    := $(GO) tool -modfile=.tools/go.mod
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null)

.PHONY: build run test check fmt fuzz soak clean

build: ## Static binaries in bin/.
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-X main.release=$(VERSION)' -o bin/ ./cmd/loka ./cmd/loka-lab

run: build ## A lab pool, loka with the quickstart policy, and three lab miners. Ctrl-C ends all.
	@sh examples/quickstart/run.sh

test: ## Every test, with the race detector (which needs gcc).
	$(GO) test -race ./...

check: ## The whole gate.
	@test -z "$$($(TOOL) gofumpt -l .)" || { echo 'not formatted (make fmt):'; $(TOOL) gofumpt -l .; exit 1; }
	$(GO) vet ./...
	$(TOOL) staticcheck ./...
	@dead="$$($(TOOL) deadcode -test ./...)"; test -z "$$dead" || { echo 'dead code:'; echo "$$dead"; exit 1; }
	$(GO) mod tidy -diff
	$(GO) test -race ./...
	$(GO) test -run Alloc ./...

fmt:
	$(TOOL) gofumpt -w .

FUZZTIME ?= 60s

fuzz: ## Every fuzz target for FUZZTIME.
	@set -e; for pkg in $$($(GO) list ./...); do \
	  for f in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
	    echo "$$pkg $$f"; $(GO) test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) $$pkg; \
	  done; done

soak: ## What takes minutes: fuzzing and long runs. Not part of CI.
	$(MAKE) fuzz
	$(GO) test -race -tags soak -timeout 60m -run Soak ./core ./cmd/loka

clean:
	rm -rf bin
