package finding

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/authorization/authorizer"

	"github.com/extant-project/extant/internal/inventory"
	"github.com/extant-project/extant/internal/requestpath"
	"github.com/extant-project/extant/pkg/apis/extant"
)

// asked is what an evaluation has asked for, besides its subject.
type asked struct{ namespaces, workloads, time bool }

// epochs count how often that has changed.
type epochs struct{ namespaces, workloads int }

// facts are what expressions can ask of a cluster. An answer is kept while
// nothing changes that it hangs on.
type facts struct {
	ctx      context.Context
	requests *requestpath.Engine
	observed requestpath.Observed
	now      epochs
	// namespaces and workloads are the revisions of what the epochs count.
	namespaces, workloads uint64
	// answers are what hooks intercept, by question.
	answers map[question]answer
	// wanted are the questions that the expressions of the rule at hand ask.
	wanted map[question]bool
}

// maxQuestions bounds the kinds of requests that a rule may ask about, over all
// its subjects. A call costs an expression next to nothing, but each further
// question is a review of a request, whose answer is kept.
const maxQuestions = 1024

var errQuestions = fmt.Errorf("the rule asks what hooks intercept of more than %d kinds of requests", maxQuestions)

// forRule makes the questions those of another rule.
func (f *facts) forRule() { f.wanted = map[question]bool{} }

var (
	namespaceResource = schema.GroupResource{Resource: "namespaces"}
	// intercepting are the resources, besides the registering objects, of which
	// what a hook intercepts hangs on.
	intercepting = []schema.GroupResource{namespaceResource, {Group: "apiextensions.k8s.io", Resource: "customresourcedefinitions"}}
	// running are those of workloads, of what leads to them, and their budgets.
	running = []schema.GroupResource{
		{Group: "apps", Resource: "deployments"}, {Group: "apps", Resource: "statefulsets"}, {Group: "apps", Resource: "daemonsets"},
		{Group: "apps", Resource: "replicasets"}, {Group: "policy", Resource: "poddisruptionbudgets"}, namespaceResource,
		{Resource: "services"}, {Group: "discovery.k8s.io", Resource: "endpointslices"},
	}
)

func newFacts(ctx context.Context, requests *requestpath.Engine, observed requestpath.Observed, before *facts) *facts {
	snapshot := observed.Snapshot
	f := &facts{
		ctx: ctx, requests: requests, observed: observed, now: epochs{1, 1}, answers: map[question]answer{},
		namespaces: snapshot.Revision(intercepting...), workloads: snapshot.Revision(running...),
	}
	if before == nil {
		return f
	}
	f.now = before.now
	old := before.observed.Snapshot
	seen := slices.Equal(old.Gaps(), snapshot.Gaps())
	if !seen || old.Discovery != snapshot.Discovery || old.Version().String() != snapshot.Version().String() || f.namespaces != before.namespaces {
		f.now.namespaces++
	} else if before.observed.Inventory == observed.Inventory {
		f.answers = before.answers
	}
	if !seen || f.workloads != before.workloads {
		f.now.workloads++
	}
	return f
}

// read are the epochs of what an evaluation asked for.
func (f *facts) read(a asked) epochs {
	var of epochs
	if a.namespaces {
		of.namespaces = f.now.namespaces
	}
	if a.workloads {
		of.workloads = f.now.workloads
	}
	return of
}

// unchanged tells whether what an evaluation read is still so.
func (f *facts) unchanged(of epochs) bool {
	return (of.namespaces == 0 || of.namespaces == f.now.namespaces) && (of.workloads == 0 || of.workloads == f.now.workloads)
}

// question is a kind of request. The object is that of a pod, by the workload
// that makes it; absent for any object.
type question struct {
	operation, group, resource, namespace string
	workload                              extant.ObjectReference
	// narrowly: the hooks that do not match count as MatchUnknown where it is
	// their conditions that say so.
	narrowly bool
}

// answer says which hooks intercept such a request.
type answer struct {
	hooks map[hookName]extant.MatchResult
	err   error
}

type hookName struct{ point, object, hook string }

// of is what comes of a hook: some object is sent to it if the result is not
// NotMatched, and each if it is Matched.
func (a answer) of(h *inventory.Hook) extant.MatchResult {
	if result, ok := a.hooks[hookName{h.Point, h.Object, h.Name}]; ok {
		return result
	}
	return extant.NotMatched
}

// ask asks which hooks intercept a request, once.
func (f *facts) ask(q question, object func() (*extant.ReviewedRequest, error)) answer {
	if q.workload == (extant.ObjectReference{}) && !f.wanted[q] { // there are only so many workloads
		if len(f.wanted) >= maxQuestions {
			return answer{err: errQuestions}
		}
		f.wanted[q] = true
	}
	if known, ok := f.answers[q]; ok {
		return known
	}
	a := f.trace(q, object)
	f.answers[q] = a
	return a
}

var operations = []string{"CREATE", "UPDATE", "DELETE", "CONNECT"}

func (f *facts) trace(q question, object func() (*extant.ReviewedRequest, error)) answer {
	if !slices.Contains(operations, q.operation) {
		return answer{err: fmt.Errorf("the operation %q is none of %s", q.operation, strings.Join(operations, ", "))}
	}
	for _, resource := range intercepting {
		if gap, ok := f.observed.Snapshot.DecidingGap(resource); ok && (q.namespace != "" || resource != namespaceResource) {
			return answer{err: fmt.Errorf("%s cannot be seen: %s", resource, gap.Reason)}
		}
	}
	request, err := object()
	if err != nil {
		return answer{err: err}
	}
	if request == nil {
		return answer{} // the cluster does not serve it: there are no requests
	}
	status, err := f.requests.Trace(f.ctx, f.observed, nobody{}, &extant.RequestReviewSpec{
		Request: *request, Assume: extant.RequestAssumptions{Backends: extant.BackendsAllAvailable}, IncludeUnmatched: q.narrowly,
	})
	if err != nil {
		return answer{err: err}
	}
	a := answer{hooks: map[hookName]extant.MatchResult{}}
	for i := range status.Hops {
		if hop := &status.Hops[i]; hop.Configuration != "" {
			match := hop.Match
			if q.narrowly && match == extant.NotMatched && hop.Reason == extant.ReasonMatchCondition {
				match = extant.MatchUnknown
			}
			a.hooks[hookName{hop.Point, hop.Configuration, hop.Hook}] = match
		}
	}
	return a
}

// anyObject is a request for any object of a resource, in the version that the
// cluster prefers; nil where it does not serve the resource.
func (f *facts) anyObject(q question) func() (*extant.ReviewedRequest, error) {
	return func() (*extant.ReviewedRequest, error) {
		resource, subresource, _ := strings.Cut(q.resource, "/")
		versions := f.observed.Snapshot.Discovery.Versions(schema.GroupResource{Group: q.group, Resource: resource})
		if len(versions) == 0 {
			return nil, nil
		}
		request := &extant.ReviewedRequest{
			Operation: extant.RequestOperation(q.operation), Group: q.group, Version: versions[0].Version,
			Resource: resource, Subresource: subresource, Namespace: q.namespace,
		}
		if !versions[0].Namespaced {
			request.Namespace = ""
		} else if q.namespace == "" {
			return nil, fmt.Errorf("%s are in namespaces: name one", q.resource)
		}
		if q.operation != "CREATE" || subresource != "" {
			request.Name = "any"
		}
		return request, nil
	}
}

// nobody asks for anything, so that nobody is known to be allowed to.
type nobody struct{}

var errNobody = errors.New("nobody asks")

func (nobody) Authorize(context.Context, authorizer.Attributes) (authorizer.Decision, string, error) {
	return authorizer.DecisionNoOpinion, "", errNobody
}
