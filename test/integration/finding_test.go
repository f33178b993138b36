package integration

import (
	"context"
	"fmt"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/extant-project/extant/pkg/apis/extant/v1alpha1"
)

// TestAChangedWebhookHasItsFindingSoonAndLosesIt changes a webhook in the
// cluster, and reads through the aggregator what Extant makes of it. How long
// that takes is logged; the aim is two seconds.
func TestAChangedWebhookHasItsFindingSoonAndLosesIt(t *testing.T) {
	ctx, kube, extant := t.Context(), kubeClient(t), extantClient(t)
	const name = "slow-guard"
	webhooks := kube.AdmissionregistrationV1().ValidatingWebhookConfigurations()
	configuration, err := webhooks.Create(ctx, guardWebhook(name), metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = webhooks.Delete(context.Background(), name, metav1.DeleteOptions{}) })
	slow := func(ctx context.Context) (of []v1alpha1.Finding, err error) {
		list, err := extant.Findings().List(ctx, metav1.ListOptions{FieldSelector: "spec.policy=baseline"})
		if err != nil {
			return nil, err
		}
		for _, f := range list.Items {
			if f.Spec.Rule == "slow-timeout" && f.Spec.Subject.Name == name {
				of = append(of, f)
			}
		}
		return of, nil
	}
	setTimeout := func(seconds int32, wanted int) {
		t.Helper()
		configuration.Webhooks[0].TimeoutSeconds = &seconds
		if configuration, err = webhooks.Update(ctx, configuration, metav1.UpdateOptions{}); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		eventually(t, discoverySoon, func(ctx context.Context) string {
			if of, err := slow(ctx); err != nil || len(of) != wanted {
				return fmt.Sprintf("%d findings are wanted: %v, %v", wanted, of, err)
			}
			return ""
		})
		t.Logf("with a timeout of %d seconds there are %d findings after %s", seconds, wanted, time.Since(start).Round(time.Millisecond))
	}
	setTimeout(30, 1)
	found, err := slow(ctx)
	if err != nil || len(found) != 1 {
		t.Fatal(found, err)
	}
	wantIn(t, kubectl(t, "", "get", "findings"), "slow-timeout", "validatingwebhookconfigurations/"+name, "each request waits up to 30 seconds")
	eventually(t, discoverySoon, func(ctx context.Context) string {
		extension, err := extant.Extensions().Get(ctx, found[0].Spec.Extension, metav1.GetOptions{})
		if err != nil {
			return err.Error()
		}
		if extension.Status.Findings == nil || extension.Status.Findings.Warning == 0 || meta.IsStatusConditionTrue(extension.Status.Conditions, "Compliant") {
			return fmt.Sprintf("its extension counts %v and has the conditions %v", extension.Status.Findings, extension.Status.Conditions)
		}
		return ""
	})
	setTimeout(5, 0)
}
