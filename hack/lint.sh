#!/usr/bin/env bash
# Lints the tree with golangci-lint, which has the rules for Kubernetes APIs
# compiled in. It is built once for each version, into the user's cache
# directory.
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
module="${root}/hack/tools/lint"
key="$(cat "${module}/go.mod" "${module}/go.sum" | sha256sum | cut -c1-16)"
linter="${XDG_CACHE_HOME:-${HOME}/.cache}/extant/tools/golangci-lint-${key}"
if [[ ! -x "${linter}" ]]; then
  echo "building golangci-lint, once for this version" >&2
  mkdir -p "$(dirname "${linter}")"
  (cd "${module}" && CGO_ENABLED=0 go build -ldflags '-s -w' -o "${linter}.$$" sigs.k8s.io/kube-api-linter/cmd/golangci-lint-kube-api-linter)
  mv "${linter}.$$" "${linter}"
fi
cd "${root}"
exec "${linter}" run "$@" ./...
