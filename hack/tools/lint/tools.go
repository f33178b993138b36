//go:build tools

// Package lint pins the linter that hack/lint.sh builds.
package lint

import _ "sigs.k8s.io/kube-api-linter/cmd/golangci-lint-kube-api-linter"
