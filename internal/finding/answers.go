package finding

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/extant-project/extant/internal/inventory"
	"github.com/extant-project/extant/pkg/apis/extant"
)

// hookAnswers answers the functions of a hook.
type hookAnswers struct {
	engine  *Engine
	subject *subject
}

func (h hookAnswers) Intercepts(operation, group, resource, namespace string) (bool, error) {
	result, err := h.asked(operation, group, resource, namespace)
	return result != extant.NotMatched, err
}

func (h hookAnswers) InterceptsEvery(operation, group, resource, namespace string) (bool, error) {
	result, err := h.asked(operation, group, resource, namespace)
	return result == extant.Matched, err
}

func (h hookAnswers) asked(operation, group, resource, namespace string) (extant.MatchResult, error) {
	h.subject.asked.namespaces = true
	f := h.engine.facts
	q := question{operation: operation, group: group, resource: resource, namespace: namespace}
	a := f.ask(q, f.anyObject(q))
	if a.err != nil || !readsName(h.subject.hook) {
		return a.of(h.subject.hook), a.err
	}
	// The request that was asked for has no name of its own: what conditions make
	// of one decides nothing.
	q.narrowly = true
	a = f.ask(q, f.anyObject(q))
	result := a.of(h.subject.hook)
	if result == extant.Matched {
		result = extant.MatchUnknown
	}
	return result, a.err
}

var requestName = regexp.MustCompile(`\brequest\.name\b`)

// readsName tells whether a condition of a hook reads the name of the object.
func readsName(h *inventory.Hook) bool {
	return slices.ContainsFunc(conditionsOf(h), func(c admissionregistrationv1.MatchCondition) bool { return requestName.MatchString(c.Expression) })
}

func conditionsOf(h *inventory.Hook) []admissionregistrationv1.MatchCondition {
	switch {
	case h.MutatingConfiguration != nil:
		return h.MutatingWebhook().MatchConditions
	case h.ValidatingConfiguration != nil:
		return h.ValidatingWebhook().MatchConditions
	case h.ValidatingPolicy != nil:
		return h.ValidatingPolicy.Spec.MatchConditions
	}
	return nil
}

var errConditions = errors.New("whether the hook intercepts the pods of its own backend hangs on what is not known")

// InterceptsOwnBackend asks for the pod of each workload behind the backend, as
// its controller would create it.
func (h hookAnswers) InterceptsOwnBackend() (bool, error) {
	h.subject.asked.namespaces, h.subject.asked.workloads = true, true
	f := h.engine.facts
	if err := f.workloadsSeen(); err != nil {
		return false, err
	}
	backend, ok := h.engine.subjects[keyOfObject(extant.PolicySubjectBackend, "Backend", h.subject.hook.Backend)]
	if !ok {
		return false, nil
	}
	unknown := error(nil)
	for _, workload := range backend.backend.Status.Workloads {
		q := question{operation: "CREATE", resource: "pods", namespace: workload.Namespace, workload: workload}
		a := f.ask(q, func() (*extant.ReviewedRequest, error) { return f.podOf(workload) })
		switch result := a.of(h.subject.hook); {
		case a.err != nil:
			unknown = a.err
		case result == extant.Matched:
			return true, nil
		case result == extant.MatchUnknown:
			unknown = errConditions
		}
	}
	return false, unknown
}

// podOf is the request by which a pod of a workload is created; nil for
// workloads that make none.
func (f *facts) podOf(workload extant.ObjectReference) (*extant.ReviewedRequest, error) {
	template, ok := f.template(workload)
	if !ok {
		return nil, nil
	}
	pod := &corev1.Pod{ObjectMeta: *template.ObjectMeta.DeepCopy(), Spec: template.Spec}
	pod.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"}
	pod.Namespace, pod.GenerateName = workload.Namespace, workload.Name+"-"
	object, err := json.Marshal(pod)
	if err != nil {
		return nil, err
	}
	return &extant.ReviewedRequest{
		Operation: extant.OperationCreate, Version: "v1", Resource: "pods", Namespace: workload.Namespace,
		Object: runtime.RawExtension{Raw: object},
	}, nil
}

// workloadsSeen returns an error where workloads or their budgets cannot be
// seen: which of them are behind a backend is not known then either.
func (f *facts) workloadsSeen() error {
	for _, resource := range running {
		if gap, hidden := f.observed.Snapshot.DecidingGap(resource); hidden {
			return fmt.Errorf("%s cannot be seen: %s", resource, gap.Reason)
		}
	}
	return nil
}

// template returns the pod template of a workload, and false for one that has
// none or is gone.
func (f *facts) template(workload extant.ObjectReference) (*corev1.PodTemplateSpec, bool) {
	s := f.observed.Snapshot
	switch workload.Resource {
	case "deployments":
		if o, ok := s.Deployments().Get(workload.Namespace, workload.Name); ok {
			return &o.Spec.Template, true
		}
	case "statefulsets":
		if o, ok := s.StatefulSets().Get(workload.Namespace, workload.Name); ok {
			return &o.Spec.Template, true
		}
	case "daemonsets":
		if o, ok := s.DaemonSets().Get(workload.Namespace, workload.Name); ok {
			return &o.Spec.Template, true
		}
	case "replicasets":
		if o, ok := s.ReplicaSets().Get(workload.Namespace, workload.Name); ok {
			return &o.Spec.Template, true
		}
	}
	return nil, false
}

// backendAnswers answers the functions of a backend.
type backendAnswers struct {
	engine  *Engine
	subject *subject
}

var errNoCertificate = errors.New("the certificate of the backend is not known")

func (b backendAnswers) CertificateExpiresIn() (time.Duration, error) {
	b.subject.asked.time = true
	certificate := b.subject.backend.Status.Certificate
	if certificate == nil || certificate.NotAfter == nil {
		return 0, errNoCertificate
	}
	return certificate.NotAfter.Sub(b.engine.facts.observed.Time.Time), nil
}

// HasDisruptionBudget asks for each workload behind the backend. DaemonSets
// need none: a drain leaves their pods alone.
func (b backendAnswers) HasDisruptionBudget() (bool, error) {
	b.subject.asked.workloads = true
	f := b.engine.facts
	if err := f.workloadsSeen(); err != nil {
		return false, err
	}
	for _, workload := range b.subject.backend.Status.Workloads {
		if workload.Resource == "daemonsets" {
			continue
		}
		template, ok := f.template(workload)
		if ok && !f.budgeted(workload.Namespace, labels.Set(template.Labels)) {
			return false, nil
		}
	}
	return true, nil
}

// budgeted tells whether a PodDisruptionBudget selects pods with these labels.
func (f *facts) budgeted(namespace string, pod labels.Set) bool {
	for budget := range f.observed.Snapshot.PodDisruptionBudgets().InNamespace(namespace) {
		// An empty selector is for all pods of the namespace, and none for none.
		selector, err := metav1.LabelSelectorAsSelector(budget.Spec.Selector)
		if err == nil && selector.Matches(pod) {
			return true
		}
	}
	return false
}
