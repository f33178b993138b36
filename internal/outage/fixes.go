package outage

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/internal/inventory"
	"github.com/extant-project/extant/pkg/apis/extant"
)

// jsonPatch is the type of all patches that are offered.
const jsonPatch = "application/json-patch+json"

// change is a change of one hook of one webhook configuration.
type change struct {
	description string
	hook        *inventory.Hook
	// size orders changes: what gives up less of the hook comes first.
	size int
	set  func(settings) patchOperation
}

// The sizes of changes: how much of a hook they give up.
const (
	oneNamespace = iota
	severalNamespaces
	someObjects
	shorterTimeout
	failingOpen
)

func (c *change) target() extant.ObjectReference {
	return extant.ObjectReference{Group: admissionregistrationv1.GroupName, Resource: c.hook.Resource, Name: c.hook.Object}
}

// changes are the changes that may break a cycle: one of its operations is
// taken out of a hook's sight, or the hook lets it pass.
func (a *analysis) changes(cycle []edge) []change {
	var all []change
	for _, e := range cycle {
		if e.hook == nil {
			continue
		}
		hook := a.hookOf(*e.hook)
		if hook == nil || !isWebhook(hook) {
			continue
		}
		all = append(all, a.changesOf(hook, e.operation)...)
		if namespaces := a.refusedIn(*e.hook, cycle); len(namespaces) > 1 {
			all = append(all, a.excluding(hook, severalNamespaces, namespaces...))
		}
	}
	slices.SortStableFunc(all, func(x, y change) int { return x.size - y.size })
	var distinct []change
	for _, c := range all {
		if !slices.ContainsFunc(distinct, func(known change) bool { return known.description == c.description && known.hook == c.hook }) {
			distinct = append(distinct, c)
		}
	}
	return distinct
}

// hookOf finds a hook of the inventory. Of a mutating and a validating one that
// are named alike it is the one that fails closed.
func (a *analysis) hookOf(reference extant.HookReference) *inventory.Hook {
	var found *inventory.Hook
	for i := range a.observed.Inventory.Hooks {
		hook := &a.observed.Inventory.Hooks[i]
		if referenceOf(hook) == reference && (found == nil || found.FailurePolicy == string(admissionregistrationv1.Ignore)) {
			found = hook
		}
	}
	return found
}

// changesOf are the changes of a hook by which an operation passes it.
func (a *analysis) changesOf(hook *inventory.Hook, o *operation) []change {
	var all []change
	if o.namespace != "" {
		all = append(all, a.excluding(hook, oneNamespace, o.namespace))
	}
	if label, value, ok := distinctive(o); ok {
		requirement := metav1.LabelSelectorRequirement{Key: label, Operator: metav1.LabelSelectorOpNotIn, Values: []string{value}}
		all = append(all, changed(hook, someObjects, fmt.Sprintf("exempt objects with the label %s=%s from the hook %s", label, value, hook.Name), func(s settings) patchOperation {
			*s.objects = with(*s.objects, requirement)
			return patchOperation{"add", "objectSelector", *s.objects}
		}))
	}
	if a.loss.Mode == extant.ModeUnreachable {
		all = append(all, hurrying(hook))
	}
	return append(all, ignoring(hook))
}

// shortTimeout is one that leases have the time for.
const shortTimeout = 1

// hurrying shortens the time that a hook is waited for.
func hurrying(hook *inventory.Hook) change {
	return changed(hook, shorterTimeout, fmt.Sprintf("wait for the hook %s no longer than %d s", hook.Name, shortTimeout), func(s settings) patchOperation {
		*s.timeout = new(int32(shortTimeout))
		return patchOperation{"add", "timeoutSeconds", shortTimeout}
	})
}

// excluding takes namespaces out of a hook's sight.
func (a *analysis) excluding(hook *inventory.Hook, size int, namespaces ...string) change {
	description := fmt.Sprintf("exclude the namespace %s from the hook %s", namespaces[0], hook.Name)
	if n := len(namespaces); n > 1 {
		description = fmt.Sprintf("exclude the namespaces %s and %s from the hook %s", strings.Join(namespaces[:n-1], ", "), namespaces[n-1], hook.Name)
	}
	requirement := metav1.LabelSelectorRequirement{Key: corev1.LabelMetadataName, Operator: metav1.LabelSelectorOpNotIn, Values: namespaces}
	return changed(hook, size, description, func(s settings) patchOperation {
		*s.namespaces = with(*s.namespaces, requirement)
		return patchOperation{"add", "namespaceSelector", *s.namespaces}
	})
}

// refusedIn are the namespaces in which a hook refuses what the things in a
// cycle, and what these wait for, need.
func (a *analysis) refusedIn(hook extant.HookReference, cycle []edge) []string {
	// What may be waited for counts too: a change must help for sure.
	g := &graph{a.outcome.sure[len(a.outcome.sure)-1], map[node][]edge{}}
	seen := map[node]bool{}
	namespaces := map[string]struct{}{}
	var visit func([]edge)
	visit = func(edges []edge) {
		for _, e := range edges {
			if e.hook != nil && *e.hook == hook && e.operation.namespace != "" {
				namespaces[e.operation.namespace] = struct{}{}
			}
			if e.to != (node{}) && !seen[e.to] {
				seen[e.to] = true
				visit(g.from(e.to))
			}
		}
	}
	visit(cycle)
	return slices.Sorted(maps.Keys(namespaces))
}

// ignoring lets a hook fail open.
func ignoring(hook *inventory.Hook) change {
	ignore := admissionregistrationv1.Ignore
	return changed(hook, failingOpen, fmt.Sprintf("let requests pass when the backend of the hook %s is down", hook.Name), func(s settings) patchOperation {
		*s.failurePolicy = &ignore
		return patchOperation{"add", "failurePolicy", ignore}
	})
}

func isWebhook(hook *inventory.Hook) bool {
	return hook.MutatingConfiguration != nil || hook.ValidatingConfiguration != nil
}

// distinctive is a label of an object that is created by which it can be told
// from others.
func distinctive(o *operation) (label, value string, ok bool) {
	if o.verb != extant.OperationCreate || o.resource != "pods" || o.subresource != "" {
		return "", "", false
	}
	o.make()
	metadata, _ := o.object["metadata"].(map[string]any)
	all, _ := metadata["labels"].(map[string]any)
	for _, label := range []string{"app.kubernetes.io/name", "app", "k8s-app", "name"} {
		if value, ok := all[label].(string); ok {
			return label, value, true
		}
	}
	return "", "", false
}

// with is a selector with one requirement more.
func with(selector *metav1.LabelSelector, requirement metav1.LabelSelectorRequirement) *metav1.LabelSelector {
	if selector == nil {
		selector = &metav1.LabelSelector{}
	}
	wider := selector.DeepCopy()
	for i := range wider.MatchExpressions {
		known := &wider.MatchExpressions[i]
		if known.Key == requirement.Key && known.Operator == requirement.Operator {
			known.Values = append(known.Values, requirement.Values...)
			return wider
		}
	}
	wider.MatchExpressions = append(wider.MatchExpressions, requirement)
	return wider
}

// settings are what a change changes of a hook.
type settings struct {
	namespaces, objects **metav1.LabelSelector
	failurePolicy       **admissionregistrationv1.FailurePolicyType
	timeout             **int32
}

// patchOperation is one operation of a JSON patch on a field of a hook.
type patchOperation struct {
	op, field string
	value     any
}

func changed(hook *inventory.Hook, size int, description string, set func(settings) patchOperation) change {
	return change{description, hook, size, set}
}

// apply makes the change in a copy of the configuration, and says by which
// patch it is made.
func (c *change) apply(snapshot *cluster.Snapshot) (edit cluster.Edit, patch string, ok bool) {
	target := c.target()
	edit = cluster.Edit{Resource: schema.GroupResource{Group: target.Group, Resource: target.Resource}, Name: target.Name}
	var o patchOperation
	if c.hook.MutatingConfiguration != nil {
		before, ok := snapshot.MutatingWebhookConfigurations().Get("", target.Name)
		if !ok {
			return edit, "", false
		}
		after := before.DeepCopy()
		w := &after.Webhooks[c.hook.Index]
		o, edit.Object = c.set(settings{&w.NamespaceSelector, &w.ObjectSelector, &w.FailurePolicy, &w.TimeoutSeconds}), after
	} else {
		before, ok := snapshot.ValidatingWebhookConfigurations().Get("", target.Name)
		if !ok {
			return edit, "", false
		}
		after := before.DeepCopy()
		w := &after.Webhooks[c.hook.Index]
		o, edit.Object = c.set(settings{&w.NamespaceSelector, &w.ObjectSelector, &w.FailurePolicy, &w.TimeoutSeconds}), after
	}
	path := fmt.Sprintf("/webhooks/%d/", c.hook.Index)
	encoded, err := json.Marshal([]map[string]any{
		// The hook must still be the one that was looked at.
		{"op": "test", "path": path + "name", "value": c.hook.Name},
		{"op": o.op, "path": path + o.field, "value": o.value},
	})
	return edit, string(encoded), err == nil
}
