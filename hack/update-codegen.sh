#!/usr/bin/env bash
# Writes everything that is generated: deep copies, conversions, defaults,
# protobuf, OpenAPI and the clients in pkg/generated. Needs protoc (Debian:
# protobuf-compiler). hack/verify-codegen.sh checks that nothing is stale.
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
module=github.com/extant-project/extant
boilerplate="${root}/hack/boilerplate.go.txt"
api="${root}/pkg/apis/extant/v1alpha1"
cd "${root}"

command -v protoc >/dev/null || { echo "protoc is missing: install Debian's protobuf-compiler" >&2; exit 1; }

tools="${root}/hack/tools/codegen"
module_dir() { go -C "${tools}" mod download -json "$1@$(go -C "${tools}" list -m -f '{{.Version}}' "$1")" | sed -n 's/^\t"Dir": "\(.*\)",\?$/\1/p'; }
codegen="$(module_dir k8s.io/code-generator)"
gogo="$(module_dir github.com/gogo/protobuf)"
protobuf="$(go -C "${root}/hack/tools/controlplane" mod download -json k8s.io/kubernetes@v1.37.2 | sed -n 's/^\t"Dir": "\(.*\)",\?$/\1/p')/third_party/protobuf"
apimachinery="$(go list -m -f '{{.Dir}}' k8s.io/apimachinery)"
k8sapi="$(go list -m -f '{{.Dir}}' k8s.io/api)"

work="$(mktemp -d)"
trap 'chmod -R u+w "${work}"; rm -rf "${work}"' EXIT
export GOBIN="${work}/bin"
mkdir -p "${GOBIN}"
export PATH="${GOBIN}:${PATH}"

# Deep copies, conversions and defaults.
source "${codegen}/kube_codegen.sh"
kube::codegen::gen_helpers --boilerplate "${boilerplate}" "${root}/pkg/apis"

# Protobuf. protoc wants one tree in which import paths are directories.
echo "Generating protobuf code"
go -C "${tools}" install k8s.io/code-generator/cmd/go-to-protobuf k8s.io/code-generator/cmd/go-to-protobuf/protoc-gen-gogo golang.org/x/tools/cmd/goimports
mkdir -p "${work}/src/k8s.io" "${work}/src/$(dirname "${module}")" "${work}/src/github.com/gogo"
ln -s "${root}" "${work}/src/${module}"
ln -s "${apimachinery}" "${work}/src/k8s.io/apimachinery"
ln -s "${k8sapi}" "${work}/src/k8s.io/api"
ln -s "${gogo}" "${work}/src/github.com/gogo/protobuf"
rm -f "${api}/generated.pb.go" "${api}/generated.proto"
go-to-protobuf \
  --go-header-file "${boilerplate}" \
  --output-dir "${work}/src" \
  --proto-import "${protobuf}" \
  --apimachinery-packages "-k8s.io/apimachinery/pkg/util/intstr,-k8s.io/apimachinery/pkg/api/resource,-k8s.io/apimachinery/pkg/runtime/schema,-k8s.io/apimachinery/pkg/runtime,-k8s.io/apimachinery/pkg/apis/meta/v1,-k8s.io/api/authentication/v1" \
  --packages "${module}/pkg/apis/extant/v1alpha1"

# OpenAPI, with the violations of the API rules that are accepted.
kube::codegen::gen_openapi \
  --boilerplate "${boilerplate}" \
  --output-dir "${root}/pkg/generated/openapi" \
  --output-pkg "${module}/pkg/generated/openapi" \
  --output-model-name-file zz_generated.model_name.go \
  --report-filename "${root}/hack/api-rule-violations.list" \
  --extra-pkgs k8s.io/api/authentication/v1 \
  --update-report \
  "${root}/pkg/apis"

# Clientset, listers, informers, apply configurations and fakes.
go run "${module}/hack/models-schema" > "${work}/models.json"
kube::codegen::gen_client \
  --boilerplate "${boilerplate}" \
  --with-watch --with-applyconfig --prefers-protobuf \
  --applyconfig-openapi-schema "${work}/models.json" \
  --output-dir "${root}/pkg/generated" \
  --output-pkg "${module}/pkg/generated" \
  "${root}/pkg/apis"
