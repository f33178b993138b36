#!/usr/bin/env bash
# Writes the table of Kubernetes' own resources that internal/cluster embeds,
# from what a kube-apiserver of the newest version serves and from the API
# types. For a new minor version of Kubernetes: raise the versions in go.mod
# and hack/tools/controlplane/go.mod, NewestVersion in internal/cluster, and
# run this and hack/update-builtin-changes.sh.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
go run ./hack/discovery "$(hack/control-plane.sh etcd kube-apiserver)" \
  internal/cluster/builtin.txt internal/cluster/testdata/discovery.txt
