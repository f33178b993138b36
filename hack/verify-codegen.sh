#!/usr/bin/env bash
# Generates everything anew in a copy of the tree and fails where it differs.
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
copy="$(mktemp -d)"
trap 'rm -rf "${copy}"' EXIT

(cd "${root}" && git ls-files -z --cached --others --exclude-standard | xargs -0 tar -cf - --ignore-failed-read 2>/dev/null) | tar -xf - -C "${copy}"
(cd "${copy}" && hack/update-codegen.sh >/dev/null && go generate ./...)

stale=0
for path in pkg/apis pkg/generated hack/api-rule-violations.list artifacts; do
  [[ -e "${root}/${path}" ]] || continue
  diff -ru "${root}/${path}" "${copy}/${path}" || stale=1
done
if [[ "${stale}" != 0 ]]; then
  echo "Generated files are stale: run make generate and commit what it writes." >&2
  exit 1
fi
echo "Generated files are up to date."
