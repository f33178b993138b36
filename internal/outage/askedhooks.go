package outage

import (
	"slices"
	"strings"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/extant-project/extant/internal/inventory"
	"github.com/extant-project/extant/internal/requestpath"
)

// A webhook that is asked matters to an answer only where its backend may be
// down: one that answers allows, whether it is asked or not. So a changed
// webhook concerns the few answers in which its backend is lost, unless the
// backend is not surely up, or conditions can refuse by themselves.

// askedHook is a form of a webhook because of which answers can differ.
type askedHook struct {
	*inventory.Hook
	rules []admissionregistrationv1.RuleWithOperations
	// namespaces and objects are the selectors.
	namespaces, objects labels.Selector
	// anyway: it matters wherever it is asked; else only to those who lose its
	// backend.
	anyway bool
}

// compareHooks finds the webhooks that differ in what an answer can show.
func (c *changes) compareHooks() {
	old := map[inventory.HookKey]*inventory.Hook{}
	webhooks(c.before.Inventory, func(hook *inventory.Hook) { old[hook.Key()] = hook })
	webhooks(c.after.Inventory, func(hook *inventory.Hook) {
		key := hook.Key()
		was, ok := old[key]
		delete(old, key)
		switch {
		case !ok:
			c.hooks = append(c.hooks, hook)
		case !sameWebhook(was, hook):
			c.hooks = append(c.hooks, was, hook)
		}
	})
	for _, gone := range old {
		c.hooks = append(c.hooks, gone)
	}
}

func webhooks(of *inventory.Inventory, each func(*inventory.Hook)) {
	for i := range of.Hooks {
		if hook := &of.Hooks[i]; hook.MutatingConfiguration != nil || hook.ValidatingConfiguration != nil {
			each(hook)
		}
	}
}

// sameWebhook compares all but the bundle of authorities, which controllers
// rotate.
func sameWebhook(x, y *inventory.Hook) bool {
	if x.Backend != y.Backend {
		return false
	}
	if x.MutatingConfiguration == y.MutatingConfiguration && x.ValidatingConfiguration == y.ValidatingConfiguration {
		return true
	}
	if x.MutatingConfiguration != nil {
		old, now := *x.MutatingWebhook(), *y.MutatingWebhook()
		old.ClientConfig.CABundle, now.ClientConfig.CABundle = nil, nil
		return equality.Semantic.DeepEqual(old, now)
	}
	old, now := *x.ValidatingWebhook(), *y.ValidatingWebhook()
	old.ClientConfig.CABundle, now.ClientConfig.CABundle = nil, nil
	return equality.Semantic.DeepEqual(old, now)
}

// findAsked finds the webhooks because of which answers can differ: those that
// differ themselves, those whose backends do, and those whose conditions ask
// who may do what, which can hang on objects of any namespace.
func (c *changes) findAsked() {
	if c.everything {
		return
	}
	var was, is map[string]bool
	old := map[*inventory.Hook]bool{}
	if len(c.hooks)+len(c.backends) > 0 {
		was, is = surelyUp(c.before), surelyUp(c.after)
		webhooks(c.before.Inventory, func(hook *inventory.Hook) { old[hook] = true })
	}
	for _, hook := range c.hooks {
		up := is
		if old[hook] {
			up = was
		}
		c.ask(hook, !up[hook.Backend])
	}
	webhooks(c.after.Inventory, func(hook *inventory.Hook) {
		up, known := was[hook.Backend] // all hooks of a backend that is new are others
		if known && c.backends[hook.Backend] && (!up || !is[hook.Backend]) || asksWho(hook) {
			c.ask(hook, true)
		}
	})
}

// surelyUp are the backends that answer for sure before anything is lost.
func surelyUp(observed *requestpath.Observed) map[string]bool {
	up := make(map[string]bool, len(observed.Inventory.Backends))
	a := &analysis{observed: *observed}
	for i := range observed.Inventory.Backends {
		backend := &observed.Inventory.Backends[i]
		before, _ := a.before(backend)
		up[backend.Name] = before == yes
	}
	return up
}

// ask notes a webhook, unless it lets everything pass.
func (c *changes) ask(hook *inventory.Hook, anyway bool) {
	asked := askedHook{Hook: hook, rules: hook.Rules()}
	policy, selectors, conditions := formOf(hook)
	var errs [2]error
	asked.namespaces, errs[0] = metav1.LabelSelectorAsSelector(selectors[0])
	asked.objects, errs[1] = metav1.LabelSelectorAsSelector(selectors[1])
	for i, selector := range []*labels.Selector{&asked.namespaces, &asked.objects} {
		if errs[i] != nil { // the API server refuses what such a hook may be asked for
			*selector = labels.Everything()
		}
	}
	odd := len(conditions) > 0 || errs[0] != nil || errs[1] != nil
	asked.anyway = anyway || odd
	if odd || valueOr(policy, admissionregistrationv1.Fail) != admissionregistrationv1.Ignore {
		c.asked = append(c.asked, asked)
	}
}

// formOf is what a webhook is registered with: what comes of failures, the
// selectors of namespaces and objects, and conditions.
func formOf(hook *inventory.Hook) (*admissionregistrationv1.FailurePolicyType, [2]*metav1.LabelSelector, []admissionregistrationv1.MatchCondition) {
	if w := hook.MutatingWebhook(); w != nil {
		return w.FailurePolicy, [2]*metav1.LabelSelector{w.NamespaceSelector, w.ObjectSelector}, w.MatchConditions
	}
	w := hook.ValidatingWebhook()
	return w.FailurePolicy, [2]*metav1.LabelSelector{w.NamespaceSelector, w.ObjectSelector}, w.MatchConditions
}

// asksWho tells whether the conditions of a webhook ask who may do what.
func asksWho(hook *inventory.Hook) bool {
	_, _, conditions := formOf(hook)
	return slices.ContainsFunc(conditions, func(condition admissionregistrationv1.MatchCondition) bool {
		return strings.Contains(condition.Expression, "authorizer")
	})
}

// concernAsked tells whether the changes of webhooks can concern an answer,
// which also hangs on what the control plane asks for.
func (c *changes) concernAsked(b, system *basis) bool {
	return slices.ContainsFunc(c.asked, func(hook askedHook) bool {
		anyway := hook.anyway || b.lost[hook.Backend]
		return c.mayAsk(&hook, b, anyway) || c.mayAsk(&hook, system, anyway)
	})
}

// concernHooks tells whether what is refused may be something else, when
// whether it comes back is not.
func (c *changes) concernHooks(b *basis) bool {
	return c.resources[namespaceResource] || slices.ContainsFunc(c.hooks, func(hook *inventory.Hook) bool { return b.lost[hook.Backend] })
}

// mayAsk tells whether a webhook may be asked what matters: anything, or what
// is not allowed anyway, of which the words can be others. Only what surely
// rules it out counts: names of resources, which are the same in all groups and
// versions that hold the same objects, and selectors.
func (c *changes) mayAsk(hook *askedHook, b *basis, anyway bool) bool {
	return slices.ContainsFunc(b.questions, func(q question) bool {
		return (anyway || !q.admitted) &&
			slices.ContainsFunc(hook.rules, func(rule admissionregistrationv1.RuleWithOperations) bool { return mayName(rule.Resources, &q) }) &&
			c.maySelect(hook.namespaces, &q) && (c.after.Snapshot.MutatingAdmissionPolicies().Len() > 0 || q.mayBeSelected(hook.objects))
	})
}

func mayName(resources []string, q *question) bool {
	return slices.ContainsFunc(resources, func(written string) bool {
		resource, subresource := splitResource(written)
		return (resource == "*" || resource == q.resource) && (subresource == "*" || subresource == q.subresource || written == "*")
	})
}

// maySelect tells whether a selector may select the namespace of a request.
func (c *changes) maySelect(selector labels.Selector, q *question) bool {
	namespace, ok := c.after.Snapshot.Namespaces().Get("", q.namespace)
	return q.namespace == "" || !ok || selector.Matches(labels.Set(namespace.Labels))
}
