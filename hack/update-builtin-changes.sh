#!/usr/bin/env bash
# Writes the table of what decoding does to Kubernetes' own kinds, which
# internal/requestpath/builtin embeds. It compiles Kubernetes' own types and
# tries each kind some ten thousand times, which takes minutes; so no go:generate
# names it, and a test says when the table is of another version.
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
cd "${root}/hack/tools/controlplane"
export CGO_ENABLED=0 GOFLAGS=-mod=readonly
directory() { go list -m -f '{{.Dir}}' "$1"; }
go run -trimpath ./builtinchanges "$(go list -m -f '{{.Version}}' k8s.io/kubernetes)" \
  "$(directory k8s.io/api),$(directory k8s.io/kubernetes)" "${root}/internal/requestpath/builtin/decoding.txt"
