package truth

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/extant-project/extant/pkg/apis/extant"
)

// coverage is how an entry of a review relates to a request.
type coverage int

const (
	// notCovered: the entry is about other requests.
	notCovered coverage = iota
	// maybeCovered: it depends on what the entry does not say, which is
	// labels, conditions, and namespaces that did not exist.
	maybeCovered
	// covered: the entry is about the request.
	covered
)

// exempt are the resources that no webhook is called for, whatever its rules,
// as the entry of a rule with "*" leaves out by meaning.
var exempt = map[string][]string{
	"admissionregistration.k8s.io": {
		"validatingwebhookconfigurations", "mutatingwebhookconfigurations", "validatingadmissionpolicies",
		"validatingadmissionpolicybindings", "mutatingadmissionpolicies", "mutatingadmissionpolicybindings",
	},
	"authentication.k8s.io": {"tokenreviews", "selfsubjectreviews"},
	"authorization.k8s.io":  {"subjectaccessreviews", "localsubjectaccessreviews", "selfsubjectaccessreviews", "selfsubjectrulesreviews"},
}

// covers tells how an entry relates to a request. As in the rules of webhooks,
// any subresource includes none, and any resource has none.
func (c *OutageComparison) covers(entry *extant.InterceptedOperation, probe *Probe) coverage {
	request := &probe.Request
	if entry.Operation != request.Operation || !in(entry.Group, request.Group) || !in(entry.Resource, request.Resource) ||
		!in(entry.Subresource, request.Subresource) || entry.Version != "" && !in(entry.Version, request.Version) {
		return notCovered
	}
	if (entry.Group == "*" || entry.Resource == "*") && slices.Contains(exempt[request.Group], request.Resource) {
		return notCovered
	}
	of := c.namespace(entry.Namespaces, request)
	if of == covered && entry.Conditional {
		return maybeCovered
	}
	return of
}

func in(pattern, value string) bool { return pattern == "*" || pattern == value }

// namespace tells whether a request is in the namespaces of an entry. An entry
// without any is about cluster-scoped resources alone. One with some is about
// those as well where it is about all resources: no namespace exempts them.
func (c *OutageComparison) namespace(set *extant.NamespaceSet, request *extant.ReviewedRequest) coverage {
	name := request.Namespace
	isNamespace := request.Group == "" && request.Resource == "namespaces"
	if isNamespace {
		name = request.Name
	}
	switch {
	case name == "":
		return covered
	case set == nil && isNamespace:
		return covered
	case set == nil:
		return notCovered
	case set.All || slices.Contains(set.Names, name):
		return covered
	case !c.namespaces[name] || int(set.Count) > len(set.Names):
		// The namespace is created by the request, or exists only for it; or
		// the entry names not all of them.
		return maybeCovered
	default:
		return notCovered
	}
}

// namespaces are the names of the cluster's namespaces.
func (s *Outage) namespaces() map[string]bool {
	all := map[string]bool{}
	for _, text := range s.Objects {
		var object struct {
			Kind     string
			Metadata struct{ Name string }
		}
		if json.Unmarshal(text, &object) == nil && object.Kind == "Namespace" {
			all[object.Metadata.Name] = true
		}
	}
	return all
}

// IsBlockedBy tells whether some hooks include the one that the answer to the
// request names: a webhook by its own name, a policy, or a conversion.
func (p *Probe) IsBlockedBy(hooks []extant.HookReference) bool {
	return p.Hook == "" || slices.ContainsFunc(hooks, func(r extant.HookReference) bool { return r.Hook == p.Hook || r.Configuration == p.Hook })
}

// blocked wants each request that was blocked among those that are, by the
// hook that the answer names: of several it is the one that failed first. For
// a request whose time ran out it is enough that the review says how long it
// takes: the API server did not refuse it.
func (c *OutageComparison) blocked() {
	for i := range c.outage.Truth.Blocked {
		probe := &c.outage.Truth.Blocked[i]
		if probe.TimedOut && c.delay(probe) > notCovered {
			continue
		}
		c.refused(probe, "blocked")
	}
}

// denied wants each request that was denied because of the outage among those
// that are blocked.
func (c *OutageComparison) denied() {
	for i := range c.outage.Truth.Denied {
		c.refused(&c.outage.Truth.Denied[i], "denied")
	}
}

// byCache tells whether it was the API server's watch cache that decided a
// request, and the question leaves open whether there was one.
func (c *OutageComparison) byCache(probe *Probe) bool {
	reads := probe.Request.Operation == extant.OperationList || probe.Request.Operation == extant.OperationWatch
	return c.spec.Assume.WatchCache == "" && reads && probe.Hook == "conversion"
}

func (c *OutageComparison) refused(probe *Probe, how string) {
	if c.byCache(probe) {
		return
	}
	found, by := notCovered, []extant.HookReference{}
	for i := range c.status.Blocked {
		entry := &c.status.Blocked[i]
		if of := c.covers(entry, probe); of > notCovered {
			found = max(found, of)
			by = append(by, entry.By...)
		}
	}
	switch {
	case found == notCovered:
		c.wrong("%s is not blocked, and was %s by %q", probe, how, probe.Hook)
	case len(by) == 0:
		c.wrong("%s is blocked by no hook", probe)
	case !probe.IsBlockedBy(by):
		c.wrong("%s is blocked by %v, and was by %s", probe, by, probe.Hook)
	}
}

// slow is how many seconds a request takes that waited for a backend. Those of
// a control plane that has just started took up to two.
const slow = 2.5

// allowed wants no request that was allowed among those that are blocked
// without a condition. While backends hang, the slow ones must be Delayed, by
// no less than they were, and the others must not be. Which hooks a request
// skipped was not recorded.
func (c *OutageComparison) allowed() {
	for i := range c.outage.Truth.Allowed {
		probe := &c.outage.Truth.Allowed[i]
		for j := range c.status.Blocked {
			if c.covers(&c.status.Blocked[j], probe) == covered {
				c.wrong("%s is blocked by %v, and was allowed", probe, c.status.Blocked[j].By)
			}
		}
		delayed := c.delay(probe)
		switch {
		case probe.Seconds >= slow && delayed == notCovered:
			c.wrong("%s is not delayed, and took %.0f s", probe, probe.Seconds)
		case probe.Seconds < slow && delayed == covered:
			c.wrong("%s is delayed, and was not", probe)
		}
	}
}

// delay tells whether an operation is delayed, by at least as long as the
// request took but for the second that everything else may have.
func (c *OutageComparison) delay(probe *Probe) coverage {
	found := notCovered
	for i := range c.status.Degraded {
		entry := &c.status.Degraded[i]
		if entry.Effect != extant.EffectDelayed {
			continue
		}
		of := c.covers(&entry.InterceptedOperation, probe)
		if of > notCovered && (entry.Delay == nil || entry.Delay.Seconds() < probe.Seconds-1) {
			continue
		}
		found = max(found, of)
	}
	return found
}

func (p *Probe) String() string {
	r := &p.Request
	resource := strings.TrimSuffix(r.Resource+"/"+r.Subresource, "/")
	return p.Name + " (" + strings.TrimSpace(string(r.Operation)+" "+resource+" "+strings.Trim(r.Namespace+"/"+r.Name, "/")) + ")"
}
