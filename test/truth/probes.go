package truth

import (
	"encoding/json"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/pkg/apis/extant"
)

// touched is the annotation that the recorded updates add.
const touched = "truth.extant.dev/touched"

// ProbeReview is a request that was made during an outage as a review asks for
// it, and what came of it.
type ProbeReview struct {
	Probe   *Probe
	Spec    extant.RequestReviewSpec
	Verdict extant.Verdict
}

// ProbeSnapshot is the outage's cluster with the objects that its requests are
// about.
func (s *Outage) ProbeSnapshot() (*cluster.Snapshot, error) {
	added, err := s.added()
	if err != nil {
		return nil, err
	}
	return s.cluster.with(s.Name, s.cluster.KubernetesVersion, slices.Concat(added, s.Objects, s.Targets))
}

// ProbeReviews returns the requests that were made during the outage. Those of
// which the time ran out are no verdicts of the API server, and what incidents
// expect was made by nobody in particular.
func (s *Outage) ProbeReviews(snapshot *cluster.Snapshot) ([]ProbeReview, error) {
	stored, err := s.stored(snapshot)
	if err != nil {
		return nil, err
	}
	var down []string
	for _, backend := range s.Truth.Backends {
		if backend.ReadyDuring == 0 {
			down = append(down, backend.Name)
		}
	}
	var all []ProbeReview
	for _, answered := range []struct {
		probes  []Probe
		verdict extant.Verdict
	}{{s.Truth.Blocked, extant.VerdictBlocked}, {s.Truth.Denied, extant.VerdictDenied}, {s.Truth.Allowed, extant.VerdictAllowed}} {
		for i := range answered.probes {
			probe := &answered.probes[i]
			if probe.User == nil || probe.TimedOut {
				continue
			}
			request, err := probe.complete(stored)
			if err != nil {
				return nil, fmt.Errorf("%s: %s: %w", s.Name, probe, err)
			}
			all = append(all, ProbeReview{Probe: probe, Verdict: answered.verdict, Spec: extant.RequestReviewSpec{
				Request: *request, User: probe.User,
				Assume: extant.RequestAssumptions{Backends: extant.BackendsAllAvailable, Unavailable: down, WatchCache: s.Spec.Assume.WatchCache},
			}})
		}
	}
	return all, nil
}

// objectKey is where an object is stored.
type objectKey struct {
	schema.GroupResource
	namespace, name string
}

func (s *Outage) stored(snapshot *cluster.Snapshot) (map[objectKey]*unstructured.Unstructured, error) {
	stored := map[objectKey]*unstructured.Unstructured{}
	for _, text := range slices.Concat(s.Objects, s.Targets) {
		object := &unstructured.Unstructured{}
		if err := object.UnmarshalJSON(text); err != nil {
			return nil, err
		}
		if served, ok := snapshot.Discovery.ResourceOf(object.GroupVersionKind().GroupKind()); ok {
			resource := schema.GroupResource{Group: served.Group, Resource: served.Resource}
			stored[objectKey{resource, object.GetNamespace(), object.GetName()}] = object
		}
	}
	return stored, nil
}

// complete returns the request with the objects that were not recorded with
// it: the old one as it is stored, and what an update makes of it.
func (p *Probe) complete(stored map[objectKey]*unstructured.Unstructured) (*extant.ReviewedRequest, error) {
	request := p.Request
	request.DryRun = true
	if request.Operation != extant.OperationUpdate && request.Operation != extant.OperationDelete {
		return &request, nil
	}
	key := objectKey{schema.GroupResource{Group: request.Group, Resource: request.Resource}, request.Namespace, request.Name}
	old := stored[key].DeepCopy()
	if old == nil {
		// The second version of a custom resource, or an object of the server's
		// own.
		return nil, fmt.Errorf("there is no %v", key)
	}
	old.SetAPIVersion(schema.GroupVersion{Group: request.Group, Version: request.Version}.String())
	if request.Subresource == "scale" {
		old = &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "autoscaling/v1", "kind": "Scale", "spec": map[string]any{"replicas": int64(1)},
			"metadata": map[string]any{"name": request.Name, "namespace": request.Namespace},
		}}
	}
	var err error
	if request.OldObject.Raw, err = json.Marshal(old); err != nil {
		return nil, err
	}
	if request.Operation == extant.OperationDelete || request.Object.Raw != nil {
		return &request, nil
	}
	if request.Subresource != "scale" {
		annotations := old.GetAnnotations()
		if annotations == nil {
			annotations = map[string]string{}
		}
		annotations[touched] = "yes"
		old.SetAnnotations(annotations)
	}
	request.Object.Raw, err = json.Marshal(old)
	return &request, err
}
