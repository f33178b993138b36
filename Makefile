# The two commands that a newcomer needs are `make run` and `make test`.

VERSION ?= v0.1.0
IMAGE ?= ghcr.io/extant-project/extant-apiserver
BUILDER ?= docker
LDFLAGS := -s -w -X github.com/extant-project/extant/pkg/apiserver.gitVersion=$(VERSION)

.PHONY: help
help: ## What can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{ printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: build ## Build and run standalone: etcd in the process, on loopback, observing your cluster or the bundled example
	bin/extant-apiserver --standalone $(ARGS)

.PHONY: build
build: ## Build the programs into bin/
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o bin/extant-apiserver ./cmd/apiserver
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o bin/kubectl-extant ./cmd/kubectl-extant
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o bin/extant-node-agent ./cmd/node-agent

.PHONY: image
image: ## Build the image, with docker or another builder that BUILDER names
	$(BUILDER) build --build-arg VERSION=$(VERSION) -t $(IMAGE):$(VERSION) .

.PHONY: test
test: build ## Run every test: engines, API, and behind a real kube-apiserver, which is built once
	hack/test.sh

.PHONY: bench
bench: build ## Measure: start-up, memory, throughput, and the engines on a large synthetic cluster
	hack/bench.sh

.PHONY: generate
generate: ## Write what is generated: clients, protobuf, OpenAPI, RBAC
	hack/update-codegen.sh
	go generate ./...

.PHONY: verify
verify: ## Check that nothing generated is stale, lint, and look for known vulnerabilities
	hack/verify-codegen.sh
	hack/lint.sh
	hack/vulncheck.sh
