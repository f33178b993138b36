package requestpath

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizer"

	"github.com/extant-project/extant/internal/rbac"
	"github.com/extant-project/extant/pkg/apis/extant"
)

// Authorizer says what a user may do in the observed cluster. An error means
// that it cannot be told: what depends on it is Unknown, and the error says why.
type Authorizer interface {
	Authorize(ctx context.Context, a authorizer.Attributes) (authorizer.Decision, string, error)
}

// maxChecks bounds the different questions that the expressions of one review
// may ask the authorizer.
const maxChecks = 100

var (
	errTooManyChecks = fmt.Errorf("more than %d authorization checks are needed", maxChecks)
	errUserUnknown   = errors.New("whose request it is, is not known")
)

// checks asks the authorizer each question once, and leaves a note where the
// answer is not known: expressions take an error for a no.
type checks struct {
	authorizer Authorizer
	trace      *trace
	known      map[question]answer
}

type question struct {
	user, uid, groups, extra                                     string
	verb, namespace, group, version, resource, subresource, name string
	path, fields, labels                                         string
	isResource                                                   bool
}

type answer struct {
	decision authorizer.Decision
	reason   string
	err      error
}

// Authorize answers a check of an expression.
func (c *checks) Authorize(ctx context.Context, a authorizer.Attributes) (authorizer.Decision, string, error) {
	found := c.ask(ctx, a)
	if found.err != nil {
		c.trace.taint("authorizer", found.err.Error())
	}
	return found.decision, found.reason, found.err
}

func (c *checks) ask(ctx context.Context, a authorizer.Attributes) answer {
	if a.GetUser() == nil || a.GetUser() == nobody {
		return answer{authorizer.DecisionNoOpinion, "", errUserUnknown}
	}
	asked := questionOf(a)
	if c.known == nil {
		c.known = map[question]answer{}
	}
	if known, ok := c.known[asked]; ok {
		return known
	}
	if len(c.known) >= maxChecks {
		return answer{authorizer.DecisionNoOpinion, "", errTooManyChecks}
	}
	var found answer
	found.decision, found.reason, found.err = c.authorizer.Authorize(ctx, a)
	c.known[asked] = found
	return found
}

func questionOf(a authorizer.Attributes) question {
	u := a.GetUser()
	q := question{
		user: u.GetName(), uid: u.GetUID(), groups: strings.Join(u.GetGroups(), "\x00"),
		verb: a.GetVerb(), namespace: a.GetNamespace(), group: a.GetAPIGroup(), version: a.GetAPIVersion(), resource: a.GetResource(),
		subresource: a.GetSubresource(), name: a.GetName(), path: a.GetPath(), isResource: a.IsResourceRequest(),
	}
	if extra := u.GetExtra(); len(extra) > 0 {
		q.extra = fmt.Sprint(extra)
	}
	if fields, err := a.GetFieldSelector(); err == nil && len(fields) > 0 {
		q.fields = fmt.Sprint(fields)
	}
	if labels, err := a.GetLabelSelector(); err == nil && len(labels) > 0 {
		q.labels = fmt.Sprint(labels)
	}
	return q
}

// nobody stands for a user who is not known where the library needs one.
var nobody user.Info = &user.DefaultInfo{}

// authorization is the first stage: a request that is refused by it meets no
// hook.
func (t *tracer) authorization() {
	hop := extant.Hop{Stage: extant.StageAuthorization, Match: extant.Matched, Reason: extant.ReasonStageApplies}
	if t.request.user == nil {
		hop.Reason, hop.Outcome, hop.Message = extant.ReasonUndetermined, extant.OutcomeUnknown, errUserUnknown.Error()
		t.flow.unauthorized = errUserUnknown.Error() + " (name a user in spec.user)"
		t.flow.pass(hop, passing)
		return
	}
	asked := rbac.AttributesOf(t.request.user, t.request.spec)
	found := t.checks.ask(t.ctx, asked)
	hop.Reason = extant.ReasonAuthorizer
	switch {
	case found.err != nil && found.decision != authorizer.DecisionAllow:
		hop.Outcome, hop.Message = extant.OutcomeUnknown, found.err.Error()
		t.flow.unauthorized = found.err.Error()
		t.flow.pass(hop, passing)
	case found.decision == authorizer.DecisionAllow:
		hop.Outcome, hop.Message = extant.OutcomeAllows, found.reason
		t.flow.pass(hop, passing)
	default:
		hop.Outcome, hop.Message = extant.OutcomeDenies, t.forbidden(asked.Verb, found.reason)
		t.flow.pass(hop, denying)
	}
}

// forbidden says who may not do what.
func (t *tracer) forbidden(verb, reason string) string {
	message := fmt.Sprintf("user %q may not %s %s", t.request.user.GetName(), verb, t.request.named())
	if t.request.resource.Group != "" {
		message += fmt.Sprintf(" in the group %q", t.request.resource.Group)
	}
	if t.request.namespace != "" && !t.request.isNamespace() {
		message += fmt.Sprintf(" in the namespace %q", t.request.namespace)
	}
	if reason != "" {
		message += ": " + reason
	}
	return message
}
