#!/usr/bin/env bash
# Runs every test. The control plane of the integration tests is built first,
# so that its build counts against no test's time.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
KUBEBUILDER_ASSETS="$(hack/control-plane.sh)"
export KUBEBUILDER_ASSETS
export KUBE_CACHE_MUTATION_DETECTOR=true

go vet ./...
go test -race "$@" ./...
