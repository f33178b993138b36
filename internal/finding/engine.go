// Package finding says where what extends a cluster breaks the rules of
// ExtensionPolicies. It evaluates each rule for each hook, backend, extension,
// node report and component that the rule applies to, and keeps what it found
// for as long as nothing changes that the evaluation read. All knowledge of
// what is good and bad is in the policies; the engine only answers what their
// expressions ask: what a hook intercepts is decided by internal/requestpath.
// It stores nothing and has no clock. What cannot be told is an error of the
// rule, and never the end of a finding.
package finding

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/sets"

	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/internal/requestpath"
	"github.com/extant-project/extant/pkg/apis/extant"
)

// Input is what policies are evaluated over.
type Input struct {
	// Observed is the cluster, with its inventory: the hooks and the backends.
	Observed requestpath.Observed
	// Extensions, Reports and Components are those that are stored, with their
	// status. Objects that did not change are the same pointers as before.
	Extensions []*extant.Extension
	Reports    []*extant.NodePluginReport
	Components []*extant.ComponentConfiguration
	// Policies are all of them, paused ones included.
	Policies []*extant.ExtensionPolicy
}

// Result is what came of the evaluation.
type Result struct {
	// Findings are ordered by name. When each was first seen is not set.
	Findings []extant.Finding
	// Kept names the findings that must stay if they are there: their rules
	// could not be evaluated.
	Kept sets.Set[string]
	// Unevaluated names the extensions for which some rule could not be.
	Unevaluated sets.Set[string]
	// Policies says what came of each policy, by name.
	Policies map[string]PolicyResult

	// rules are those that were evaluated, by policy and name, and hidden the
	// gaps because of which something may be there that cannot be seen.
	rules  map[[2]string]bool
	hidden []cluster.Gap
}

// Keeps tells whether a stored finding must stay though it was not found: its
// rule could not be evaluated, or what it is about cannot be seen.
func (r *Result) Keeps(stored *extant.FindingSpec, name string) bool {
	if r.Kept.Has(name) {
		return true
	}
	if !r.rules[[2]string{stored.Policy, stored.Rule}] {
		return false
	}
	return slices.ContainsFunc(r.hidden, func(gap cluster.Gap) bool {
		if stored.Subject.Kind != "" {
			// Backends are known by the hooks that call them, and by their endpoints.
			return stored.Subject.Kind == "Backend"
		}
		// A policy's hooks are its bindings.
		resource := schema.GroupResource{Group: stored.Subject.Group, Resource: stored.Subject.Resource}.String()
		return gap.Resource == resource || gap.Resource == strings.Replace(resource, "policies.", "policybindings.", 1)
	})
}

// PolicyResult is what came of one policy.
type PolicyResult struct {
	// Violations counts its findings.
	Violations int
	// NotCompiled are the rules that do not compile, and Failed those that
	// could not be evaluated for some subject, with the reason, in their order.
	NotCompiled, Failed []Failure
}

// Failure is why a rule has no answer.
type Failure struct {
	Rule string
	// Subject is the first one for which there is none; empty where the rule
	// does not compile.
	Subject string
	// More counts the further subjects.
	More    int
	Message string
}

// Engine evaluates policies. It keeps what it compiled and found, and is safe
// for concurrent use.
type Engine struct {
	requests *requestpath.Engine

	mu       sync.Mutex
	compiled map[source]*program
	subjects map[subjectKey]*subject
	// ordered are the subjects of each kind, in order.
	ordered map[extant.PolicySubject][]*subject
	facts   *facts
}

// NewEngine returns an engine that asks another one what hooks intercept.
func NewEngine(requests *requestpath.Engine) *Engine {
	return &Engine{requests: requests, compiled: map[source]*program{}, subjects: map[subjectKey]*subject{}}
}

// Evaluate evaluates the policies. It fails only when the context ends.
func (e *Engine) Evaluate(ctx context.Context, input Input) (*Result, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.facts = newFacts(ctx, e.requests, input.Observed, e.facts)
	e.takeSubjects(&input)
	result := &Result{Kept: sets.New[string](), Unevaluated: sets.New[string](), Policies: map[string]PolicyResult{}, rules: map[[2]string]bool{}}
	for _, gap := range input.Observed.Snapshot.Gaps() {
		// What is not served is not there.
		if gap.Reason.Decides() && gap.Reason != cluster.GapNotServed && slices.Contains(registering, gap.Resource) {
			result.hidden = append(result.hidden, gap)
		}
	}
	accepted := acceptedRisks(input.Extensions, input.Observed.Time.Time)
	used := map[source]*program{}
	for _, policy := range input.Policies {
		if policy.Spec.Paused {
			result.Policies[policy.Name] = PolicyResult{}
			continue
		}
		var of PolicyResult
		for i := range policy.Spec.Rules {
			rule := &policy.Spec.Rules[i]
			p := e.compile(rule)
			used[sourceOf(rule)] = p
			result.rules[[2]string{policy.Name, rule.Name}] = true
			e.evaluateRule(policy, rule, p, accepted, result, &of)
			if err := ctx.Err(); err != nil {
				return nil, err
			}
		}
		result.Policies[policy.Name] = of
	}
	e.forget(used)
	slices.SortFunc(result.Findings, func(x, y extant.Finding) int { return strings.Compare(x.Name, y.Name) })
	return result, nil
}

// forget drops programs that no rule has any more, with their outcomes.
func (e *Engine) forget(used map[source]*program) {
	for key, p := range e.compiled {
		if used[key] != nil {
			continue
		}
		delete(e.compiled, key)
		for _, s := range e.subjects {
			delete(s.outcomes, p)
		}
	}
}

// evaluateRule adds what comes of one rule to the result.
func (e *Engine) evaluateRule(policy *extant.ExtensionPolicy, rule *extant.PolicyRule, p *program, accepted map[risk]bool, result *Result, of *PolicyResult) {
	if p.err != nil {
		of.NotCompiled = append(of.NotCompiled, Failure{Rule: rule.Name, Message: p.err.Error()})
	}
	var failure *Failure
	budget := uint64(ruleBudget)
	e.facts.forRule()
	for _, s := range e.ordered[rule.AppliesTo] {
		name := func() string { return nameOf(policy.Name, rule.Name, s.key.FindingSubject) }
		if p.err != nil {
			result.Kept.Insert(name())
			result.Unevaluated.Insert(s.extension)
			continue
		}
		found := e.outcome(p, s, &budget)
		switch {
		case found.err != nil:
			result.Kept.Insert(name())
			result.Unevaluated.Insert(s.extension)
			if failure == nil {
				failure = &Failure{Rule: rule.Name, Subject: s.String(), Message: found.err.Error()}
			} else {
				failure.More++
			}
		case found.broken:
			message := rule.Message
			if found.message != "" {
				message = found.message
			}
			if message == "" {
				message = "the assertion " + rule.Assert + " does not hold"
			}
			f := extant.Finding{Spec: extant.FindingSpec{
				Policy: policy.Name, Rule: rule.Name, Severity: rule.Severity, Extension: s.extension, Subject: s.key.FindingSubject,
				Message: cut(message), Remediation: rule.Remediation, Accepted: accepted[risk{s.extension, policy.Name, rule.Name}],
			}}
			f.Name = name()
			result.Findings = append(result.Findings, f)
			of.Violations++
		}
	}
	if failure != nil {
		of.Failed = append(of.Failed, *failure)
	}
}

// registering are the resources that hooks are registered with, as gaps name
// them, and those that tell how their backends are.
var registering = []string{
	"mutatingwebhookconfigurations.admissionregistration.k8s.io", "validatingwebhookconfigurations.admissionregistration.k8s.io",
	"mutatingadmissionpolicies.admissionregistration.k8s.io", "mutatingadmissionpolicybindings.admissionregistration.k8s.io",
	"validatingadmissionpolicies.admissionregistration.k8s.io", "validatingadmissionpolicybindings.admissionregistration.k8s.io",
	"apiservices.apiregistration.k8s.io", "customresourcedefinitions.apiextensions.k8s.io",
	"services", "endpointslices.discovery.k8s.io",
}

// risk is a rule that an extension may break.
type risk struct{ extension, policy, rule string }

// acceptedRisks are those that are accepted at a time.
func acceptedRisks(extensions []*extant.Extension, now time.Time) map[risk]bool {
	accepted := map[risk]bool{}
	for _, extension := range extensions {
		for _, r := range extension.Spec.AcceptedRisks {
			if r.Until == nil || r.Until.After(now) {
				accepted[risk{extension.Name, r.Policy, r.Rule}] = true
			}
		}
	}
	return accepted
}
