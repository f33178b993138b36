package outage_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/internal/outage"
	"github.com/extant-project/extant/internal/rbac"
	"github.com/extant-project/extant/internal/requestpath"
	"github.com/extant-project/extant/internal/scenario"
	"github.com/extant-project/extant/pkg/apis/extant"
	"github.com/extant-project/extant/test/truth"
)

// TestInvariantsOfRecordedOutages checks on recorded clusters what every fixture
// is checked for.
func TestInvariantsOfRecordedOutages(t *testing.T) {
	outages, err := truth.Outages()
	if err != nil {
		t.Fatal(err)
	}
	for _, recorded := range outages {
		t.Run(recorded.Name, func(t *testing.T) {
			snapshot, err := recorded.Snapshot()
			if err != nil {
				t.Fatal(err)
			}
			f := &fixture{
				engine: outage.NewEngine(requestpath.NewEngine(), rbac.NewAuthorizers(rbac.Options{})), snapshot: snapshot,
				review: &extant.OutageReview{Spec: recorded.Spec},
			}
			status := f.ask(t, snapshot, &f.review.Spec)
			if diff := cmp.Diff(status, f.ask(t, scenario.Rebuild(snapshot, 1, schema.GroupResource{}), &f.review.Spec)); diff != "" {
				t.Errorf("in another order:\n%s", diff)
			}
			checkForbidden(t, f, status)
			checkMoreLost(t, f, status)
		})
	}
}

// checkForbidden marks each resource that the cluster has, or that registers
// hooks and policies, as forbidden in turn. What cannot be seen may only make
// verdicts unknown: what is stuck does not come back, and what comes back is not
// stuck.
func checkForbidden(t *testing.T, f *fixture, before *extant.OutageReviewStatus) {
	t.Helper()
	for i := range cluster.Resources {
		resource := cluster.Resources[i].GroupResource()
		if f.snapshot.Objects(resource).Len() == 0 && resource.Group != "admissionregistration.k8s.io" {
			continue
		}
		after := f.ask(t, scenario.Rebuild(f.snapshot, 1, resource), &f.review.Spec)
		was, is := before.Recovery.RecoversUnaided, after.Recovery.RecoversUnaided
		if is != was && is != metav1.ConditionUnknown {
			t.Errorf("without %s, recoversUnaided goes from %s to %s", resource, was, is)
		}
		for _, vital := range after.Vital {
			if old := verdictOn(before, vital.Name); vital.Verdict != old && vital.Verdict != extant.VitalUnknown {
				t.Errorf("without %s, %s goes from %s to %s", resource, vital.Name, old, vital.Verdict)
			}
		}
		for _, workload := range stuckIn(before) {
			if slices.Contains(recoveredIn(after), workload) {
				t.Errorf("without %s, %s/%s comes back", resource, workload.Namespace, workload.Name)
			}
		}
		for _, workload := range recoveredIn(before) {
			if slices.Contains(stuckIn(after), workload) {
				t.Errorf("without %s, %s/%s is stuck", resource, workload.Namespace, workload.Name)
			}
		}
	}
}

// checkMoreLost takes each other backend down besides. Losing more never
// brings more back.
func checkMoreLost(t *testing.T, f *fixture, before *extant.OutageReviewStatus) {
	t.Helper()
	for _, backend := range f.observe(f.snapshot).Inventory.Backends {
		if slices.Contains(f.review.Spec.Down.Backends, backend.Name) {
			continue
		}
		more := f.review.Spec.DeepCopy()
		more.Down.Backends = append(more.Down.Backends, backend.Name)
		after := f.ask(t, f.snapshot, more)
		if before.Recovery.RecoversUnaided == metav1.ConditionFalse && after.Recovery.RecoversUnaided != metav1.ConditionFalse {
			t.Errorf("without %s as well, recoversUnaided is %s: %s", backend.Name, after.Recovery.RecoversUnaided, after.Recovery.Reason)
		}
		for _, workload := range stuckIn(before) {
			if !slices.Contains(stuckIn(after), workload) {
				t.Errorf("without %s as well, %s/%s is not stuck", backend.Name, workload.Namespace, workload.Name)
			}
		}
		for _, name := range before.Recovery.Unreachable {
			if !slices.Contains(after.Recovery.Unreachable, name) {
				t.Errorf("without %s as well, %s is reachable", backend.Name, name)
			}
		}
		for _, vital := range before.Vital {
			if vital.Verdict == extant.VitalBlocked && verdictOn(after, vital.Name) != extant.VitalBlocked {
				t.Errorf("without %s as well, %s is %s", backend.Name, vital.Name, verdictOn(after, vital.Name))
			}
		}
	}
}

func verdictOn(status *extant.OutageReviewStatus, name string) extant.VitalVerdict {
	i := slices.IndexFunc(status.Vital, func(v extant.VitalOperation) bool { return v.Name == name })
	if i < 0 {
		return ""
	}
	return status.Vital[i].Verdict
}

func stuckIn(status *extant.OutageReviewStatus) []extant.ObjectReference {
	var all []extant.ObjectReference
	for _, stuck := range status.Recovery.Stuck {
		all = append(all, stuck.ObjectReference)
	}
	return all
}

func recoveredIn(status *extant.OutageReviewStatus) []extant.ObjectReference {
	var all []extant.ObjectReference
	for _, wave := range status.Recovery.Waves {
		all = append(all, wave.Workloads...)
	}
	return all
}
