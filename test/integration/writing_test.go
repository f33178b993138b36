package integration

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/extant-project/extant/pkg/apis/extant/v1alpha1"
)

func TestServerSideApplyRefusesAConflictUnlessForced(t *testing.T) {
	deleteAfterwards(t, "applied")
	manifest := extensionNamed("applied")
	kubectl(t, manifest, "apply", "--server-side", "--field-manager=first", "-f", "-")
	other := strings.ReplaceAll(manifest, "owner: platform", "owner: somebody-else")
	wantIn(t, kubectlFails(t, env.plane.Admin, other, "apply", "--server-side", "--field-manager=second", "-f", "-"),
		`conflict with "first"`, ".spec.owner")
	_, err := extantClient(t).Extensions().Patch(t.Context(), "applied", types.ApplyPatchType,
		[]byte(`{"apiVersion":"extant.dev/v1alpha1","kind":"Extension","metadata":{"name":"applied"},"spec":{"owner":"x"}}`),
		metav1.PatchOptions{FieldManager: "second"})
	if !apierrors.IsConflict(err) {
		t.Errorf("got %v, want a conflict", err)
	}
	kubectl(t, other, "apply", "--server-side", "--field-manager=second", "--force-conflicts", "-f", "-")
	if owner := kubectl(t, "", "get", "extn", "applied", "-o", "jsonpath={.spec.owner}"); owner != "somebody-else" {
		t.Errorf("the owner is %q", owner)
	}
}

func TestEveryPatchTypeChangesAnExtension(t *testing.T) {
	ctx, extensions := t.Context(), extantClient(t).Extensions()
	deleteAfterwards(t, "patched")
	kubectl(t, extensionNamed("patched"), "create", "-f", "-")
	for _, patch := range []struct {
		patchType types.PatchType
		body      string
		options   metav1.PatchOptions
	}{
		{types.JSONPatchType, `[{"op":"replace","path":"/spec/owner","value":"application/json-patch+json"}]`, metav1.PatchOptions{}},
		{types.MergePatchType, `{"spec":{"owner":"application/merge-patch+json"}}`, metav1.PatchOptions{}},
		{types.StrategicMergePatchType, `{"spec":{"owner":"application/strategic-merge-patch+json"}}`, metav1.PatchOptions{}},
		{types.ApplyPatchType, `{"apiVersion":"extant.dev/v1alpha1","kind":"Extension","spec":{"owner":"application/apply-patch+yaml"}}`,
			metav1.PatchOptions{FieldManager: "test", Force: ptr.To(true)}},
	} {
		patched, err := extensions.Patch(ctx, "patched", patch.patchType, []byte(patch.body), patch.options)
		if err != nil {
			t.Errorf("%s: %v", patch.patchType, err)
			continue
		}
		if patched.Spec.Owner != string(patch.patchType) {
			t.Errorf("%s: the owner is %q", patch.patchType, patched.Spec.Owner)
		}
	}
	_, err := extensions.Patch(ctx, "patched", types.JSONPatchType, []byte(`[{"op":"test","path":"/spec/owner","value":"nobody"}]`), metav1.PatchOptions{})
	if !apierrors.IsInvalid(err) {
		t.Errorf("a failed test of a JSON patch: got %v, want 422", err)
	}
}

func TestStatusIsWrittenThroughItsSubresourceOnly(t *testing.T) {
	ctx, points := t.Context(), extantClient(t).ExtensionPoints()
	// Extant has no part in a point whose reconciliation is off.
	created, err := points.Create(ctx, &v1alpha1.ExtensionPoint{
		ObjectMeta: metav1.ObjectMeta{Name: "our-platform", Annotations: map[string]string{"extant.dev/reconcile": "false"}},
		Spec:       v1alpha1.ExtensionPointSpec{Pattern: "Controller", Region: "Controllers", Caller: "us", Summary: "Ours.", OnFailure: "Skips"},
		Status:     v1alpha1.ExtensionPointStatus{Hooks: 7},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = points.Delete(context.Background(), "our-platform", metav1.DeleteOptions{}) })
	if created.Status.Hooks != 0 {
		t.Errorf("a creation wrote the status: %d hooks", created.Status.Hooks)
	}
	patched, err := points.Patch(ctx, "our-platform", types.MergePatchType, []byte(`{"spec":{"summary":"Still ours."},"status":{"hooks":7}}`), metav1.PatchOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if patched.Status.Hooks != 0 || patched.Spec.Summary != "Still ours." {
		t.Errorf("through the main resource: %d hooks, summary %q", patched.Status.Hooks, patched.Spec.Summary)
	}
	patched, err = points.Patch(ctx, "our-platform", types.MergePatchType, []byte(`{"spec":{"summary":"Theirs."},"status":{"hooks":7}}`), metav1.PatchOptions{}, "status")
	if err != nil {
		t.Fatal(err)
	}
	if patched.Status.Hooks != 7 || patched.Spec.Summary != "Still ours." {
		t.Errorf("through the subresource: %d hooks, summary %q", patched.Status.Hooks, patched.Spec.Summary)
	}
}

func TestAStaleUpdateIsAConflict(t *testing.T) {
	ctx, extensions := t.Context(), extantClient(t).Extensions()
	deleteAfterwards(t, "contended")
	stale, err := extensions.Create(ctx, &v1alpha1.Extension{ObjectMeta: metav1.ObjectMeta{Name: "contended"}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := extensions.Patch(ctx, "contended", types.MergePatchType, []byte(`{"spec":{"owner":"first"}}`), metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	stale.Spec.Owner = "second"
	if _, err := extensions.Update(ctx, stale, metav1.UpdateOptions{}); !apierrors.IsConflict(err) {
		t.Errorf("got %v, want a conflict", err)
	}
}

func TestADryRunOfTheServerAndADiffChangeNothing(t *testing.T) {
	const name = "dry"
	deleteAfterwards(t, name)
	wantIn(t, kubectl(t, extensionNamed(name), "create", "--dry-run=server", "-f", "-"), "created (server dry run)")
	wantIn(t, kubectlFails(t, env.plane.Admin, "", "get", "extn", name), "NotFound")

	kubectl(t, extensionNamed(name), "apply", "-f", "-")
	changed := strings.ReplaceAll(extensionNamed(name), "owner: platform", "owner: changed")
	// The exit status of a difference is 1.
	difference, complaint, err := runKubectl(t, env.plane.Admin, changed, "diff", "-f", "-")
	if err == nil {
		t.Errorf("no difference: %s%s", difference, complaint)
	}
	wantIn(t, difference, "-  owner: platform", "+  owner: changed")
	wantIn(t, kubectl(t, changed, "apply", "--dry-run=server", "-f", "-"), "server dry run")
	if owner := kubectl(t, "", "get", "extn", name, "-o", "jsonpath={.spec.owner}"); owner != "platform" {
		t.Errorf("the owner is %q", owner)
	}
	wantIn(t, kubectl(t, "", "delete", "extn", name, "--dry-run=server"), "server dry run")
	kubectl(t, "", "get", "extn", name)
}

func TestWhatIsInvalidIsRefusedWithItsFields(t *testing.T) {
	invalid := &v1alpha1.Extension{
		ObjectMeta: metav1.ObjectMeta{Name: "invalid"},
		Spec: v1alpha1.ExtensionSpec{
			Provides:          []string{"Coffee"},
			ComponentSelector: &metav1.LabelSelector{},
			Probe:             &v1alpha1.Probe{IntervalSeconds: 1},
		},
	}
	_, err := extantClient(t).Extensions().Create(t.Context(), invalid, metav1.CreateOptions{})
	var status apierrors.APIStatus
	if !apierrors.IsInvalid(err) || !asStatus(err, &status) {
		t.Fatalf("got %v, want 422", err)
	}
	causes, err := json.Marshal(status.Status().Details.Causes)
	if err != nil {
		t.Fatal(err)
	}
	wantIn(t, string(causes), `"field":"spec.provides[0]"`, `"field":"spec.componentSelector"`, `"field":"spec.probe.intervalSeconds"`)
}

func TestAnUnknownFieldIsRefusedByStrictValidation(t *testing.T) {
	manifest := strings.ReplaceAll(extensionNamed("typo"), "owner:", "onwer:")
	wantIn(t, kubectlFails(t, env.plane.Admin, manifest, "create", "--validate=strict", "-f", "-"), `unknown field "spec.onwer"`)
	wantIn(t, kubectlFails(t, env.plane.Admin, "", "get", "extn", "typo"), "NotFound")
}
