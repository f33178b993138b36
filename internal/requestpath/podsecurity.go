package requestpath

import (
	"context"
	"strings"
	"sync"

	admissionv1 "k8s.io/api/admission/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/sets"
	psadmission "k8s.io/pod-security-admission/admission"
	psload "k8s.io/pod-security-admission/admission/api/load"
	psapi "k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/metrics"
	pspolicy "k8s.io/pod-security-admission/policy"

	"github.com/extant-project/extant/pkg/apis/extant"
)

// podSecurityIgnores are the subresources of pods that the plugin does not look
// at; of other resources it looks at none.
var podSecurityIgnores = sets.New("exec", "attach", "binding", "eviction", "log", "portforward", "proxy", "status")

// podSecurity is the plugin PodSecurity, with the defaults of an API server
// that is not told otherwise: privileged, and nobody exempt.
func (t *tracer) podSecurity() {
	r := t.request
	extractor := psadmission.DefaultPodSpecExtractor{}
	gr := r.resource.GroupResource()
	if gr != (schema.GroupResource{Resource: "pods"}) && gr != (schema.GroupResource{Resource: "namespaces"}) && !extractor.HasPodSpec(gr) {
		return
	}
	hop := extant.Hop{Stage: extant.StagePodSecurity, Point: "pod-security-admission", Match: extant.Matched, Reason: extant.ReasonStageApplies}
	unknown := func(why string) {
		hop.Reason, hop.Outcome, hop.Message = extant.ReasonUndetermined, extant.OutcomeUnknown, why
		t.flow.pass(hop, passing.or(denying))
	}
	if r.subresource != "" && (gr.Resource != "pods" || podSecurityIgnores.Has(r.subresource)) {
		return
	}
	if r.spec.Operation == extant.OperationDelete || r.spec.Operation == extant.OperationConnect {
		return
	}
	if r.objectNamespace.missing && !r.isNamespace() {
		return
	}
	if (r.isNamespace() || t.restricted()) && (!t.object.known() || !t.old.known() && t.old != nil) {
		unknown("the review does not say what the object is, which decides")
		return
	}
	answer, err := t.askPodSecurity(extractor)
	switch {
	case err != nil:
		unknown(err.Error())
	case !answer.Allowed:
		hop.Outcome = extant.OutcomeDenies
		if answer.Result != nil {
			hop.Message = answer.Result.Message
		}
		t.flow.pass(hop, denying)
	case len(answer.Warnings) > 0:
		hop.Outcome, hop.Message = extant.OutcomeWarns, strings.Join(answer.Warnings, "; ")
		t.flow.pass(hop, passing)
	case len(answer.AuditAnnotations["audit-violations"]) > 0:
		hop.Outcome, hop.Message = extant.OutcomeAudits, answer.AuditAnnotations["audit-violations"]
		t.flow.pass(hop, passing)
	default:
		hop.Outcome = extant.OutcomeAllows
		t.flow.pass(hop, passing)
	}
}

// restricted tells whether the namespace asks for more than nothing, so that
// the object decides.
func (t *tracer) restricted() bool {
	namespace := t.request.objectNamespace.namespace
	if namespace == nil {
		return false
	}
	policy, _ := psapi.PolicyToEvaluate(namespace.Labels, psapi.Policy{
		Enforce: psapi.LevelVersion{Level: psapi.LevelPrivileged}, Audit: psapi.LevelVersion{Level: psapi.LevelPrivileged}, Warn: psapi.LevelVersion{Level: psapi.LevelPrivileged},
	})
	return !policy.FullyPrivileged()
}

// podSecurityPlugin is the plugin but for what it reads of a cluster.
var podSecurityPlugin = sync.OnceValues(func() (*psadmission.Admission, error) {
	checks, err := pspolicy.NewEvaluator(pspolicy.DefaultChecks(), nil)
	if err != nil {
		return nil, err
	}
	configuration, err := psload.LoadFromData(nil)
	if err != nil {
		return nil, err
	}
	plugin := &psadmission.Admission{Configuration: configuration, Evaluator: checks, Metrics: noMetrics{}}
	return plugin, plugin.CompleteConfiguration()
})

func (t *tracer) askPodSecurity(extractor psadmission.PodSpecExtractor) (*admissionv1.AdmissionResponse, error) {
	complete, err := podSecurityPlugin()
	if err != nil {
		return nil, err
	}
	r := t.request
	if r.objectNamespace.because != "" && !r.isNamespace() {
		return nil, errUnknown(r.objectNamespace.because)
	}
	plugin := *complete
	plugin.PodSpecExtractor, plugin.NamespaceGetter, plugin.PodLister = extractor, podSecurityCluster{&r.objectNamespace}, podSecurityCluster{&r.objectNamespace}
	attributes := &podSecurityAttributes{tracer: t, AttributesRecord: psapi.AttributesRecord{
		Name: r.name, Namespace: r.namespace, Kind: r.kind, Resource: r.resource, Subresource: r.subresource, Operation: admissionv1.Operation(r.operation),
	}}
	if r.user != nil {
		attributes.Username = r.user.GetName()
	}
	answer := plugin.Validate(t.ctx, attributes)
	return answer, attributes.err
}

// podSecurityAttributes hand the plugin objects in their Go types when it asks
// for them: where the namespace is privileged it does not.
type podSecurityAttributes struct {
	psapi.AttributesRecord
	tracer *tracer
	err    error
}

// GetObject returns the object.
func (a *podSecurityAttributes) GetObject() (runtime.Object, error) { return a.typed(a.tracer.object) }

// GetOldObject returns the object as it is stored.
func (a *podSecurityAttributes) GetOldObject() (runtime.Object, error) { return a.typed(a.tracer.old) }

func (a *podSecurityAttributes) typed(d *document) (runtime.Object, error) {
	if !d.known() || d.plain {
		return nil, nil
	}
	typed, err := scheme().New(d.kind)
	if err == nil {
		err = runtime.DefaultUnstructuredConverter.FromUnstructured(d.contents().fields, typed)
	}
	if a.err == nil {
		a.err = err
	}
	return typed, err
}

type errUnknown string

func (e errUnknown) Error() string { return string(e) }

// podSecurityCluster is what the plugin reads of the cluster. The pods that a
// Namespace has already are not told: about them it only warns.
type podSecurityCluster struct{ state *namespaceState }

func (c podSecurityCluster) GetNamespace(context.Context, string) (*corev1.Namespace, error) {
	if c.state.namespace == nil {
		return nil, errNamespaceUnsettled
	}
	return c.state.namespace, nil
}

func (c podSecurityCluster) ListPods(context.Context, string) ([]*corev1.Pod, error) { return nil, nil }

// noMetrics counts nothing: a review is no request.
type noMetrics struct{}

var _ metrics.Recorder = noMetrics{}

func (noMetrics) RecordEvaluation(metrics.Decision, psapi.LevelVersion, metrics.Mode, psapi.Attributes) {
}

func (noMetrics) RecordExemption(psapi.Attributes) {}

func (noMetrics) RecordError(bool, psapi.Attributes) {}
