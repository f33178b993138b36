package outage

import (
	"context"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/extant-project/extant/internal/requestpath"
)

// basis is what an answer was computed from, besides what all answers are.
type basis struct {
	// own are the backends of the extension, and lost those whose hooks count as
	// not answered.
	own  []string
	lost map[string]bool
	// backends are all whose state the answer depends on, by name.
	backends map[string]bool
	// namespaces are those of what is lost: every object in them counts.
	namespaces map[string]bool
	// questions are the requests that were traced.
	questions []question
	// nodes are those that requests name; anyNode: which one was looked for
	// among all.
	nodes   map[string]bool
	anyNode bool
	// volumes: volumes are mounted.
	volumes bool
	// params were read, which are not in the snapshot: they may have changed at
	// any time.
	params bool
}

// question is a request with what webhooks can tell of it.
type question struct {
	resource, subresource, namespace string
	// pods are those whose labels selectors of objects see; nil where these are
	// not known.
	pods labels.Labels
	// admitted: it is surely allowed if every backend answers.
	admitted bool
}

func (p *passage) question(of *workload) question {
	o := p.of(of)
	q := question{resource: o.resource, subresource: o.subresource, namespace: o.namespace, admitted: p.admitted == yes}
	if o.of != nil && o.of.template != nil && o.resource == podResource.Resource && o.subresource != "binding" {
		q.pods = o.of.labels
	}
	return q
}

// mayBeSelected tells whether a selector of objects may select what is sent.
// Labels that controllers or the API server add are not known.
func (q *question) mayBeSelected(selector labels.Selector) bool {
	if q.pods == nil || selector.Empty() {
		return true
	}
	requirements, _ := selector.Requirements()
	return slices.ContainsFunc(requirements, func(r labels.Requirement) bool { return slices.Contains(addedLabels, r.Key()) }) || selector.Matches(q.pods)
}

// addedLabels are labels that pods get besides those of their template.
var addedLabels = append([]string{
	corev1.LabelTopologyZone, corev1.LabelTopologyRegion, corev1.LabelFailureDomainBetaZone, corev1.LabelFailureDomainBetaRegion,
}, madeUp...)

// isOf tells whether the answer is about these backends.
func (b *basis) isOf(own []string) bool { return slices.Equal(b.own, own) }

// watchedParams notes whether params are read.
type watchedParams struct {
	requestpath.Params
	read bool
}

// Get returns a param, or nil where there is none.
func (p *watchedParams) Get(ctx context.Context, resource schema.GroupVersionResource, namespace, name string) (*unstructured.Unstructured, error) {
	p.read = true
	return p.Params.Get(ctx, resource, namespace, name)
}

// List returns the params that a selector selects.
func (p *watchedParams) List(ctx context.Context, resource schema.GroupVersionResource, namespace string, selector labels.Selector) ([]*unstructured.Unstructured, error) {
	p.read = true
	return p.Params.List(ctx, resource, namespace, selector)
}

// basisOf is what an analysis was computed from. The components of the control
// plane are part of it where they are given; else they have a basis of their
// own.
func (p *pass) basisOf(a *analysis, own []string, components []*controlComponent) basis {
	b := basis{
		own: slices.Clone(own), lost: map[string]bool{}, backends: map[string]bool{}, namespaces: map[string]bool{}, nodes: map[string]bool{},
		params: p.params.read,
	}
	for _, name := range own {
		b.lost[name], b.backends[name] = true, true
	}
	for name := range a.loss.backends {
		b.lost[name], b.backends[name] = true, true
	}
	for name := range b.lost {
		if known, ok := a.backends.named[name]; ok && known.service != nil {
			b.namespaces[known.service.Namespace] = true
		}
	}
	for _, w := range a.loss.workloads {
		b.namespaces[w.Namespace] = true
		b.addWorkload(a, w)
	}
	for _, requirements := range a.publications {
		b.addRequirements(requirements, nil)
	}
	for _, c := range components {
		for _, passage := range append(slices.Clone(c.renewals), c.starts...) {
			b.addPassage(passage, nil)
		}
	}
	return b
}

func (b *basis) addWorkload(a *analysis, w *workload) {
	b.addRequirements(a.recipes.of[w].placing, w)
	b.addRequirements(a.recipes.of[w].running, w)
	for i := range w.distinct() {
		b.nodes[a.nodeFor(w, i)] = true
		b.anyNode = b.anyNode || i >= len(w.lostPods) || w.lostPods[i].Node() == ""
	}
	b.volumes = b.volumes || w.template != nil && len(a.claimsOf(w)) > 0
}

func (b *basis) addRequirements(requirements []requirement, of *workload) {
	for i := range requirements {
		q := &requirements[i]
		if q.passage != nil {
			b.addPassage(q.passage, of)
		}
		if q.backend != "" {
			b.backends[q.backend] = true
		}
	}
}

func (b *basis) addPassage(p *passage, of *workload) {
	b.questions = append(b.questions, p.question(of))
	for i := range p.calls {
		b.backends[p.calls[i].hook.Backend] = true
	}
}
