#!/usr/bin/env bash
# Builds the control plane that the integration tests run against, once for
# each version, into the user's cache directory, and prints that directory.
# A clean clone reuses it; KUBEBUILDER_ASSETS, when set, names it instead.
#
#   hack/control-plane.sh [PROGRAM...]      default: all of them
set -euo pipefail

if [[ -n "${KUBEBUILDER_ASSETS:-}" ]]; then
  echo "${KUBEBUILDER_ASSETS}"
  exit 0
fi

module="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/tools/controlplane"
cd "${module}"
version_of() { awk -v m="$1" '$1 == m { print $2; exit }' go.mod; }
kubernetes="$(version_of k8s.io/kubernetes)"
etcd="$(version_of go.etcd.io/etcd/server/v3)"
assets="${XDG_CACHE_HOME:-${HOME}/.cache}/extant/control-plane/kubernetes-${kubernetes}-etcd-${etcd}-$(go env GOOS)-$(go env GOARCH)"
mkdir -p "${assets}"

minor="${kubernetes#v1.}"
ldflags="-s -w"
for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
  ldflags+=" -X ${package}.gitVersion=${kubernetes} -X ${package}.gitMajor=1 -X ${package}.gitMinor=${minor%%.*}"
done

# Built beside its final name and renamed, so that an interrupted build never
# leaves half a program in the cache.
build() {
  local program="$1" package="$2"
  [[ -x "${assets}/${program}" ]] && return
  echo "building ${program} (${package}), once for this version" >&2
  CGO_ENABLED=0 GOFLAGS=-mod=readonly go build -trimpath -ldflags "${ldflags}" -o "${assets}/.${program}.$$" "${package}"
  mv "${assets}/.${program}.$$" "${assets}/${program}"
}

for program in "${@:-kube-apiserver etcd kubectl kube-controller-manager kube-scheduler}"; do
  for one in ${program}; do
    case "${one}" in
      etcd) build etcd go.etcd.io/etcd/server/v3 ;;
      kube-apiserver | kube-controller-manager | kube-scheduler | kubectl) build "${one}" "k8s.io/kubernetes/cmd/${one}" ;;
      *) echo "hack/control-plane.sh: unknown program ${one@Q}" >&2; exit 2 ;;
    esac
  done
done
echo "${assets}"
