package outage

import (
	"context"

	authenticationv1 "k8s.io/api/authentication/v1"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/internal/inventory"
	"github.com/extant-project/extant/internal/rbac"
	"github.com/extant-project/extant/internal/requestpath"
	"github.com/extant-project/extant/pkg/apis/extant"
)

// analysis is one outage of one cluster.
type analysis struct {
	ctx        context.Context
	requests   *requestpath.Engine
	authorizer *rbac.Authorizer
	// observed is the cluster without what the outage deletes.
	observed requestpath.Observed
	// founded is the cluster with a new namespace in it.
	founded requestpath.Observed
	spec    *extant.OutageReviewSpec
	deleted deletion

	workloads *workloads
	backends  *backends
	// serving are the workloads whose pods answer for backends.
	serving map[*backend][]*workload

	index *namespaceIndex

	loss loss
	// touched are the workloads of which pods are lost.
	touched []*workload

	allNeeds       []extant.Need
	users          map[string]*authenticationv1.UserInfo
	authorizations map[authorization]authorizationAnswer
	classes        classes
	providers      providers
	gaps           []extant.Gap
	recipes        recipes
	// spoken are the workloads of which somebody says what they provide or need.
	spoken map[extant.ObjectReference]bool
	// publications are what the lost backends need besides their workloads.
	publications map[*backend][]requirement
	outcome      *outcome
	// rerouted are the passages that a change made others.
	rerouted   map[*passage]*passage
	deadlocked *[][]edge

	controllerManager, defaultScheduler, nodes *controlComponent
}

func (e *Engine) newAnalysis(ctx context.Context, observed requestpath.Observed, spec *extant.OutageReviewSpec) (*analysis, error) {
	requests, authorizer := e.requests, e.authorizers.Of(observed.Snapshot)
	observed, added := assumeNamespaces(observed)
	if len(spec.Down.Deleted) > 0 || len(added) > 0 {
		requests = e.edited
	}
	a, err := analyze(ctx, requests, authorizer, observed, spec)
	a.noteNamespaces(added)
	return a, err
}

// analyze makes an analysis with all that the answer follows from. Known fills
// in what of it is known from other outages of the same cluster.
func analyze(ctx context.Context, requests *requestpath.Engine, authorizer *rbac.Authorizer, observed requestpath.Observed, spec *extant.OutageReviewSpec, known ...func(*analysis)) (*analysis, error) {
	a := &analysis{
		ctx: ctx, requests: requests, authorizer: authorizer, observed: observed, spec: spec,
		authorizations: map[authorization]authorizationAnswer{}, users: map[string]*authenticationv1.UserInfo{},
		classes: newClasses(), serving: map[*backend][]*workload{},
	}
	for _, fill := range known {
		fill(a)
	}
	a.remove()
	a.workloads = newWorkloads(a.snapshot())
	if a.backends == nil {
		a.backends = a.readBackends()
	}
	a.lose()
	a.findProviders()
	a.outcome = a.recover()
	return a, ctx.Err()
}

func (a *analysis) namespaceIndex() *namespaceIndex {
	if a.index == nil {
		a.index = newNamespaceIndex(a.snapshot())
	}
	return a.index
}

func (a *analysis) snapshot() *cluster.Snapshot { return a.observed.Snapshot }

// note adds a gap, once.
func (a *analysis) note(resource string, reason cluster.GapReason, message string) {
	gap := extant.Gap{Resource: resource, Reason: string(reason), Message: message}
	for _, known := range a.gaps {
		if known == gap {
			return
		}
	}
	a.gaps = append(a.gaps, gap)
}

// unseen says why a resource cannot be seen, or nothing.
func (a *analysis) unseen(resource schema.GroupResource) string {
	if gap, ok := a.snapshot().DecidingGap(resource); ok {
		return resource.Resource + " cannot be seen: " + string(gap.Reason)
	}
	return ""
}

// observation is what the answer was read from.
func (a *analysis) observation() extant.Observation {
	observation := extant.Observation{Time: a.observed.Time, Source: a.snapshot().Origin, Gaps: a.gaps}
	for _, gap := range a.snapshot().Gaps() {
		observation.Gaps = append(observation.Gaps, extant.Gap{Resource: gap.Resource, Reason: string(gap.Reason), Message: gap.Message})
	}
	if gap, open := a.authorizer.Assumed(); open {
		observation.Gaps = append(observation.Gaps, extant.Gap{Resource: gap.Resource, Reason: string(gap.Reason), Message: gap.Message})
	}
	return observation
}

func (a *analysis) hookDeleted(hook *inventory.Hook) bool {
	group := "admissionregistration.k8s.io"
	switch {
	case hook.APIService != nil:
		group = "apiregistration.k8s.io"
	case hook.Definition != nil:
		group = "apiextensions.k8s.io"
	case hook.ValidatingBinding != nil:
		return a.isDeleted(group, "validatingadmissionpolicybindings", "", hook.Name) || a.isDeleted(group, "validatingadmissionpolicies", "", hook.Object)
	case hook.MutatingBinding != nil:
		return a.isDeleted(group, "mutatingadmissionpolicybindings", "", hook.Name) || a.isDeleted(group, "mutatingadmissionpolicies", "", hook.Object)
	}
	return a.isDeleted(group, hook.Resource, "", hook.Object)
}
