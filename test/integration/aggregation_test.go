package integration

import (
	"context"
	"strings"
	"testing"
	"time"
)

func TestTheAggregatorReportsExtantAvailable(t *testing.T) {
	kubectl(t, "", "wait", "--for=condition=Available", "apiservice/"+apiServiceName, "--timeout=20s")
}

func TestDiscoveryOfTheClusterContainsTheGroup(t *testing.T) {
	eventually(t, soon, func(context.Context) string {
		groups := kubectl(t, "", "get", "--raw", "/apis")
		if !strings.Contains(groups, `"name":"extant.dev"`) {
			return groups
		}
		return ""
	})
	wantIn(t, kubectl(t, "", "get", "--raw", "/apis/extant.dev/v1alpha1"),
		`"name":"extensions"`, `"name":"extensions/status"`, `"name":"extensionpoints"`, `"name":"backends"`, `"shortNames":["extn"]`)
	resources := kubectl(t, "", "api-resources", "--api-group=extant.dev", "-o", "wide", "--cached=false")
	wantIn(t, resources, "extensions", "extn", "extensionpoints", "extp", "backends", "be", "deletecollection")
}

func TestOpenAPIOfTheClusterContainsTheGroup(t *testing.T) {
	eventually(t, time.Minute, func(context.Context) string {
		if paths := kubectl(t, "", "get", "--raw", "/openapi/v3"); !strings.Contains(paths, "apis/extant.dev/v1alpha1") {
			return "not in /openapi/v3"
		}
		return ""
	})
	wantIn(t, kubectl(t, "", "explain", "extension.status", "--recursive"),
		"GROUP:      extant.dev", "recoversUnaided", "failureMode", "observedGeneration")
	wantIn(t, kubectl(t, "", "explain", "backend.spec.service"), "FIELD: service", "port")
}

func TestKubectlPrintsTheStoredKinds(t *testing.T) {
	eventually(t, soon, func(context.Context) string {
		if points := kubectl(t, "", "get", "extp"); !strings.Contains(points, "mutating-admission-webhook") {
			return points
		}
		return ""
	})
	wantIn(t, kubectl(t, "", "get", "extp", "-o", "wide"), "NAME", "PATTERN", "CALLER", "ON FAILURE", "EXTENSIONS", "HOOKS", "REGION", "SUMMARY")
	wantIn(t, kubectl(t, "", "get", "extp", "aggregated-api", "-o", "yaml"), "apiVersion: extant.dev/v1alpha1", "kind: ExtensionPoint", "pattern: API")
	// Extant's own APIService is an extension of the cluster.
	backend := serviceName + "." + namespace
	eventually(t, soon, func(context.Context) string {
		if backends := kubectl(t, "", "get", "be", "-o", "wide"); !strings.Contains(backends, backend) {
			return backends
		}
		return ""
	})
	wantIn(t, kubectl(t, "", "get", "be"), "CALLERS", "AVAILABLE", "READY", "LATENCY", "CERT EXPIRES", "REASON", "AGE")
	wantIn(t, kubectl(t, "", "get", "extn", "-o", "wide"), "POINTS", "AVAILABLE", "ON FAILURE", "RECOVERS", "FINDINGS", "OWNER", "BACKENDS")
	wantIn(t, kubectl(t, "", "get", "extant", "-o", "name"), "extensionpoint.extant.dev/", "backend.extant.dev/")
	wantIn(t, kubectl(t, "", "get", "--raw", "/apis/extant.dev/v1alpha1/extensions?limit=1"), `"kind":"ExtensionList"`)
}
