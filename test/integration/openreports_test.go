package integration

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/utils/ptr"
)

// clusterReports has the shape of the API of OpenReports as far as Extant
// writes it, and refuses what has another.
const clusterReports = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: clusterreports.openreports.io}
spec:
  group: openreports.io
  scope: Cluster
  names: {kind: ClusterReport, listKind: ClusterReportList, plural: clusterreports, singular: clusterreport}
  versions:
  - name: v1alpha1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          source: {type: string}
          summary:
            type: object
            properties: {pass: {type: integer}, fail: {type: integer}, warn: {type: integer}, error: {type: integer}, skip: {type: integer}}
          results:
            type: array
            items:
              type: object
              required: [policy]
              properties:
                source: {type: string}
                policy: {type: string}
                rule: {type: string}
                severity: {type: string, enum: [critical, high, low, medium, info]}
                timestamp:
                  type: object
                  required: [seconds, nanos]
                  properties: {seconds: {type: integer, format: int64}, nanos: {type: integer, format: int32}}
                result: {type: string, enum: [pass, fail, warn, error, skip]}
                scored: {type: boolean}
                message: {type: string}
                properties: {type: object, additionalProperties: {type: string}}
                resources:
                  type: array
                  items:
                    type: object
                    properties: {apiVersion: {type: string}, kind: {type: string}, namespace: {type: string}, name: {type: string}}
`

// reportedSoon is how long a report may take: after a restart, the Lease of the
// process before has to expire first.
const reportedSoon = time.Minute

// exporting gives Extant the right to export, as the component does, and
// restarts it with the flag.
func exporting(t *testing.T) {
	t.Helper()
	kubectl(t, "", "apply", "-f", artifacts+"/components/openreports/rbac.yaml")
	t.Cleanup(func() {
		_, _, _ = env.runKubectl(context.Background(), env.plane.Admin, "", "delete", "-f", artifacts+"/components/openreports/rbac.yaml")
	})
	withArgument(t, "--export-openreports")
}

// TestFindingsAreExportedAsAClusterReportAndVanishFromIt begins without the API
// and installs it while Extant runs.
func TestFindingsAreExportedAsAClusterReportAndVanishFromIt(t *testing.T) {
	ctx, kube := t.Context(), kubeClient(t)
	exporting(t)
	const name = "reported"
	webhook := guardWebhook(name)
	webhook.Webhooks[0].TimeoutSeconds = ptr.To[int32](30)
	webhooks := kube.AdmissionregistrationV1().ValidatingWebhookConfigurations()
	if _, err := webhooks.Create(ctx, webhook, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = webhooks.Delete(context.Background(), name, metav1.DeleteOptions{}) })
	kubectl(t, clusterReports, "apply", "-f", "-")
	t.Cleanup(func() {
		_, _, _ = env.runKubectl(context.Background(), env.plane.Admin, "", "delete", "crd", "clusterreports.openreports.io")
	})
	client, err := dynamic.NewForConfig(env.plane.Admin.Config)
	if err != nil {
		t.Fatal(err)
	}
	reports := client.Resource(schema.GroupVersionResource{Group: "openreports.io", Version: "v1alpha1", Resource: "clusterreports"})
	report := func(wanted int) *unstructured.Unstructured {
		t.Helper()
		var found *unstructured.Unstructured
		eventually(t, reportedSoon, func(ctx context.Context) string {
			var err error
			if found, err = reports.Get(ctx, "extant", metav1.GetOptions{}); err != nil {
				return err.Error()
			}
			if of := aboutSlow(found, name); len(of) != wanted {
				return fmt.Sprintf("%d results are wanted: %v", wanted, of)
			}
			return ""
		})
		return found
	}
	first := report(1)
	about := aboutSlow(first, name)[0]
	if about["result"] != "fail" || about["severity"] != "medium" || about["policy"] != "baseline" || about["source"] != "extant" {
		t.Errorf("got %v", about)
	}
	managers := first.GetManagedFields()
	if len(managers) != 1 || managers[0].Manager != "extant-openreports" || managers[0].Operation != metav1.ManagedFieldsOperationApply {
		t.Errorf("it is written by %v", managers)
	}
	results, _, err := unstructured.NestedSlice(first.Object, "results")
	failing, _, _ := unstructured.NestedInt64(first.Object, "summary", "fail")
	accepted, _, _ := unstructured.NestedInt64(first.Object, "summary", "warn")
	if err != nil || int64(len(results)) != failing+accepted {
		t.Errorf("there are %d results, and %d and %d are counted: %v", len(results), failing, accepted, err)
	}

	if err := webhooks.Delete(ctx, name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	report(0)

	// A report of somebody else is left as it is.
	theirs := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "openreports.io/v1alpha1", "kind": "ClusterReport", "source": "theirs"}}
	theirs.SetName("extant")
	eventually(t, soon, func(ctx context.Context) string {
		if err := reports.Delete(ctx, "extant", metav1.DeleteOptions{}); err != nil {
			return err.Error()
		}
		if _, err := reports.Create(ctx, theirs, metav1.CreateOptions{}); err != nil {
			return err.Error() // Extant was faster
		}
		return ""
	})
	webhook = guardWebhook(name)
	webhook.Webhooks[0].TimeoutSeconds = ptr.To[int32](30)
	if _, err := webhooks.Create(ctx, webhook, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, reportedSoon, func(context.Context) string {
		if log := env.extant.Tail(200); !strings.Contains(log, "Could not export findings") || !strings.Contains(log, "belongs to somebody else") {
			return "the log does not say that the report belongs to somebody else:\n" + log
		}
		return ""
	})
	if now, err := reports.Get(ctx, "extant", metav1.GetOptions{}); err != nil || now.Object["source"] != "theirs" || now.Object["results"] != nil {
		t.Errorf("somebody else's report is %v: %v", now, err)
	}
}

// aboutSlow are the results about the timeout of a webhook.
func aboutSlow(report *unstructured.Unstructured, name string) (of []map[string]any) {
	results, _, _ := unstructured.NestedSlice(report.Object, "results")
	for _, one := range results {
		result, ok := one.(map[string]any)
		if !ok || result["rule"] != "slow-timeout" {
			continue
		}
		resources, _, _ := unstructured.NestedSlice(result, "resources")
		for _, about := range resources {
			if about, ok := about.(map[string]any); ok && about["name"] == name && about["kind"] == "ValidatingWebhookConfiguration" {
				of = append(of, result)
			}
		}
	}
	return of
}
