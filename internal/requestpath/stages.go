package requestpath

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	apiregistrationv1 "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"

	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/internal/inventory"
	"github.com/extant-project/extant/pkg/apis/extant"
)

// aggregatedBy returns the name of the APIService that serves a version of a
// group from elsewhere, or nothing.
func aggregatedBy(snapshot *cluster.Snapshot, gv schema.GroupVersion) string {
	if gv.Group == "" {
		return ""
	}
	service, ok := snapshot.APIServices().Get("", gv.Version+"."+gv.Group)
	if !ok || service.Spec.Service == nil {
		return ""
	}
	return service.Name
}

// aggregation hands the request to another server. That one commonly asks the
// same webhooks and policies, but nobody can know.
func (t *tracer) aggregation() {
	if why := t.request.unseenServer; why != "" {
		t.handOver(extant.Hop{
			Stage: extant.StageAggregation, Point: "aggregated-api", Match: extant.MatchUnknown, Reason: extant.ReasonUndetermined,
			Outcome: extant.OutcomeUnknown, Message: why,
		}, effects{true, true, true})
		return
	}
	name := t.request.aggregated
	hop := extant.Hop{
		Stage: extant.StageAggregation, Point: "aggregated-api", Configuration: name, Hook: inventory.AggregationHook,
		Match: extant.Matched, Reason: extant.ReasonStageApplies, BackendAvailable: metav1.ConditionUnknown,
	}
	if known, ok := t.index.facts[inventory.HookKey{Resource: "apiservices", Object: name, Name: inventory.AggregationHook}]; ok {
		hop.Extension, hop.Backend = known.Extension, known.Backend
	}
	hop.BackendAvailable = t.available(&hop)
	if t.spec.Assume.Backends == extant.BackendsObserved && hop.BackendAvailable != metav1.ConditionFalse {
		hop.BackendAvailable = t.apiServiceAvailable(name, hop.BackendAvailable)
	}
	var e effects
	switch hop.BackendAvailable {
	case metav1.ConditionTrue:
		hop.Outcome, e = extant.OutcomeCalled, passing
	case metav1.ConditionFalse:
		hop.Outcome, e = extant.OutcomeBlocks, blocking
		hop.Message = fmt.Sprintf("the APIService %s is not available", name)
	default:
		hop.Outcome, e = extant.OutcomeUnknown, passing.or(blocking)
		hop.Message = fmt.Sprintf("whether the APIService %s is available is not known", name)
	}
	t.handOver(hop, e)
}

// handOver adds the hop of aggregation and those that may come behind it.
func (t *tracer) handOver(hop extant.Hop, e effects) {
	t.flow.pass(hop, e)
	t.flow.handedOver = t.flow.possible.passes
	if t.request.spec.Operation.Admitted() {
		t.mutatingPolicies()
		t.mutatingWebhooks()
		t.validatingPolicies()
		t.validatingWebhooks()
	}
	t.beyond()
}

// beyond makes unknown what comes after the hand-over.
func (t *tracer) beyond() {
	after := false
	for i := range t.flow.hops {
		hop := &t.flow.hops[i]
		if after && hop.Match != extant.NotMatched && hop.Outcome != extant.OutcomeNotReached {
			hop.Match, hop.Outcome, hop.Reason = extant.MatchUnknown, extant.OutcomeUnknown, extant.ReasonUndetermined
			hop.Message = "whether the server behind the APIService asks it is not known"
		}
		after = after || hop.Stage == extant.StageAggregation
	}
	if t.flow.handedOver {
		t.flow.possible = effects{passes: true, denies: true, blocks: true}
		who := "the server behind the APIService " + t.request.aggregated
		if t.request.aggregated == "" {
			who = "the server of the group"
		}
		t.flow.unsure = append(t.flow.unsure, who+" decides for itself")
	}
}

func (t *tracer) apiServiceAvailable(name string, otherwise metav1.ConditionStatus) metav1.ConditionStatus {
	service, ok := t.observed.Snapshot.APIServices().Get("", name)
	if !ok {
		return otherwise
	}
	for _, condition := range service.Status.Conditions {
		if condition.Type == apiregistrationv1.Available {
			return metav1.ConditionStatus(condition.Status)
		}
	}
	return otherwise
}

// lifecycle is the plugin NamespaceLifecycle, which comes before every hook.
func (t *tracer) lifecycle() {
	r := t.request
	if r.isNamespace() {
		immortal := map[string]bool{metav1.NamespaceDefault: true, metav1.NamespaceSystem: true, metav1.NamespacePublic: true}
		if r.spec.Operation == extant.OperationDelete && immortal[r.name] {
			t.flow.refuse(fmt.Sprintf("the namespace %s may not be deleted", r.name))
		}
		return
	}
	review := r.resource.Group == "authorization.k8s.io" && r.resource.Resource == "localsubjectaccessreviews"
	if r.namespace == "" || review {
		return
	}
	switch state := r.objectNamespace; {
	case state.because != "":
		t.flow.mayRefuse("whether there is a namespace " + r.namespace + " is not known: " + state.because)
	case state.missing:
		t.flow.refuse(fmt.Sprintf("namespaces %q not found", r.namespace))
	case state.namespace != nil && r.spec.Operation == extant.OperationCreate && state.namespace.Status.Phase == corev1.NamespaceTerminating:
		t.flow.refuse(fmt.Sprintf("nothing can be created in the namespace %s because it is being terminated", r.namespace))
	}
}

// mayRefuse ends the request, perhaps, by something that is no hop.
func (f *flow) mayRefuse(why string) {
	if !f.possible.passes {
		return
	}
	f.unsure = append(f.unsure, why)
	f.possible.denies = true
}

// conversionTimeout is how long the API server waits for a conversion webhook:
// it cannot be set.
const conversionTimeout = 30 * 1e9

// conversion is the conversion of custom resources between the version of the
// request and the one that is stored, which reads need too.
func (t *tracer) conversion() {
	definition, ok := t.observed.Snapshot.CustomResourceDefinitions().Get("", t.request.resource.GroupResource().String())
	if !ok && t.request.unseenVersions != "" {
		t.flow.pass(extant.Hop{
			Stage: extant.StageConversion, Point: "crd-conversion-webhook", Match: extant.MatchUnknown, Reason: extant.ReasonUndetermined,
			Outcome: extant.OutcomeUnknown, Message: t.request.unseenVersions,
		}, passing.or(blocking))
	}
	if !ok || t.request.operation == "CONNECT" {
		return
	}
	stored := storedVersion(definition)
	conversion := definition.Spec.Conversion
	if conversion == nil || conversion.Strategy != apiextensionsv1.WebhookConverter || stored == t.request.resource.Version {
		return
	}
	hop := extant.Hop{
		Stage: extant.StageConversion, Point: "crd-conversion-webhook", Configuration: definition.Name, Hook: inventory.ConversionHook,
		Match: extant.Matched, Reason: extant.ReasonStageApplies, FailurePolicy: "Fail", Timeout: &metav1.Duration{Duration: conversionTimeout},
		SentAs: &extant.SentResource{Group: t.request.resource.Group, Version: stored, Resource: t.request.resource.Resource},
	}
	if known, ok := t.index.facts[inventory.HookKey{Resource: "customresourcedefinitions", Object: definition.Name, Name: inventory.ConversionHook}]; ok {
		hop.Extension, hop.Backend = known.Extension, known.Backend
	}
	hop.BackendAvailable = t.available(&hop)
	switch hop.BackendAvailable {
	case metav1.ConditionTrue:
		hop.Outcome = extant.OutcomeCalled
		t.flow.pass(hop, passing)
	case metav1.ConditionFalse:
		t.conversionDown(hop)
	default:
		hop.Outcome, hop.Message = extant.OutcomeUnknown, fmt.Sprintf("whether the backend %s answers is not known", hop.Backend)
		t.flow.pass(hop, passing.or(blocking))
	}
}

// conversionDown: reads of collections go on from the watch cache, which holds
// converted objects, until it has to be filled again.
func (t *tracer) conversionDown(hop extant.Hop) {
	down := t.down(&hop)
	cached := t.request.spec.Operation == extant.OperationList || t.request.spec.Operation == extant.OperationWatch
	switch {
	case !cached || t.spec.Assume.WatchCache == extant.WatchCacheCold:
		hop.Outcome, hop.Message = extant.OutcomeBlocks, down
		t.flow.pass(hop, blocking)
	case t.spec.Assume.WatchCache == extant.WatchCacheWarm:
		hop.Outcome, hop.Message = extant.OutcomeSkipped, down+"; the watch cache holds converted objects"
		t.flow.pass(hop, passing)
	default:
		hop.Outcome, hop.Message = extant.OutcomeUnknown, down+"; whether the watch cache holds converted objects is not known (assume.watchCache)"
		t.flow.pass(hop, passing.or(blocking))
	}
}

func storedVersion(definition *apiextensionsv1.CustomResourceDefinition) string {
	for _, version := range definition.Spec.Versions {
		if version.Storage {
			return version.Name
		}
	}
	return ""
}

// message says in sentences what comes of the request.
func (t *tracer) message(status *extant.RequestReviewStatus) string {
	var sentences []string
	if t.flow.unauthorized != "" {
		sentence := "whether the request is authorized is not known: " + t.flow.unauthorized
		if admitted := t.flow.admitted(); status.Verdict == extant.VerdictUnknown && admitted != extant.VerdictUnknown {
			sentence += "; if it is: " + string(admitted)
		}
		sentences = append(sentences, sentence)
	}
	if t.flow.admitted() == extant.VerdictUnknown {
		sentences = append(sentences, t.flow.unsure...)
	} else if t.flow.message != "" {
		sentences = append(sentences, t.flow.message)
	}
	sentences = append(sentences, t.deadlines(status.WorstCaseLatency.Duration)...)
	for i, sentence := range sentences {
		sentences[i] = strings.TrimSuffix(capitalized(sentence), ".")
	}
	return strings.Join(sentences, ". ")
}

func capitalized(sentence string) string {
	if sentence == "" {
		return ""
	}
	return strings.ToUpper(sentence[:1]) + sentence[1:]
}
