package integration

import (
	"flag"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/extant-project/extant/internal/scenario/random"
	"github.com/extant-project/extant/pkg/apis/extant"
	"github.com/extant-project/extant/test/truth"
)

var (
	firstSeed = flag.Uint64("seed", 1, "the differential test begins with this seed")
	seeds     = flag.Uint64("seeds", 12, "how many seeds the differential test goes through, one after another")
	duration  = flag.Duration("duration", time.Minute, "how long the differential test goes on at most")
	perRound  = flag.Int("requests", 60, "how many requests the differential test makes to each cluster")
)

// TestReviewsAgreeWithTheAPIServer makes random configurations and requests,
// and holds the review of each request to what kube-apiserver does with it:
// whom it calls, in which order, with what, and what comes of the request. By
// hand it goes on for as long as one likes:
//
//	go test ./test/integration -run TestReviewsAgree -seed 1000 -seeds 10000 -duration 1h -timeout 2h
func TestReviewsAgreeWithTheAPIServer(t *testing.T) {
	w := newWire(t)
	d := &differential{wire: w, review: newReviewer(t), reasons: map[string]int{}}
	defer w.removeAll(t, w.foundations(t, d.review))
	begin := time.Now()
	for seed := *firstSeed; seed < *firstSeed+*seeds && time.Since(begin) < *duration && !t.Failed(); seed++ {
		d.round(t, seed, begin.Add(*duration))
	}
	t.Logf("%d requests with %d calls and %d evaluated policies: %d agree, %d end outside of admission; %d reviews leave something open (%.1f %%)",
		d.requests, d.calls, d.policies, d.requests-d.disagree, d.other, d.unknown, 100*float64(d.unknown)/float64(max(d.requests, 1)))
	for _, reason := range slices.SortedFunc(maps.Keys(d.reasons), func(x, y string) int { return d.reasons[y] - d.reasons[x] }) {
		t.Logf("Unknown %d times: %s", d.reasons[reason], reason)
	}
	if d.calls == 0 || d.policies == 0 {
		t.Error("nothing was called")
	}
}

// differential counts what the rounds found.
type differential struct {
	*wire
	review                                              reviewer
	requests, calls, policies, disagree, other, unknown int
	reasons                                             map[string]int
}

// round makes one cluster and requests to it.
func (d *differential) round(t *testing.T, seed uint64, until time.Time) {
	t.Helper()
	g := random.New(seed, fmt.Sprint(seed), d.endpoints(4))
	cluster := g.Cluster(5, 8)
	markers := g.Mark(cluster)
	d.learn(cluster)
	defer d.removeAll(t, d.populate(t, g, cluster))
	d.waitSynced(t, markers, d.review)
	cluster.Namespaces = cluster.Namespaces[:len(cluster.Namespaces)-1] // the markers' own
	for i := 0; i < *perRound && time.Now().Before(until); i++ {
		// The garbage collector may end at any time what is being deleted.
		ending := false
		request := g.Request(cluster, func(path string) map[string]any {
			object := d.stored(t)(path)
			_, deleted, _ := unstructured.NestedFieldNoCopy(object, "metadata", "deletionTimestamp")
			ending = ending || deleted
			return object
		})
		if request != nil && !ending {
			d.compare(t, fmt.Sprintf("seed %d, request %d", seed, i), cluster, request, i%3 == 2)
		}
	}
}

// learn notes which hooks fail closed.
func (d *differential) learn(c *random.Cluster) {
	clear(d.failClosed)
	for _, configuration := range c.MutatingWebhooks {
		for _, hook := range configuration.Webhooks {
			d.failClosed["mutating/"+configuration.Name+"/"+hook.Name] = hook.FailurePolicy == nil || *hook.FailurePolicy == "Fail"
		}
	}
	for _, configuration := range c.ValidatingWebhooks {
		for _, hook := range configuration.Webhooks {
			d.failClosed["validating/"+configuration.Name+"/"+hook.Name] = hook.FailurePolicy == nil || *hook.FailurePolicy == "Fail"
		}
	}
}

// compare reviews a request, makes it, and compares. The review comes first,
// as it does for whoever asks.
func (d *differential) compare(t *testing.T, name string, c *random.Cluster, request *random.Request, down bool) {
	t.Helper()
	spec := &extant.RequestReviewSpec{Request: request.Review, User: &request.User, Assume: extant.RequestAssumptions{Backends: extant.BackendsAllAvailable}}
	for path := range d.failClosed {
		d.dying.setDown(path, down)
	}
	if down {
		spec.Assume.Unavailable = []string{d.dying.backend()}
	}
	status, err := d.review(t.Context(), spec)
	if err != nil {
		t.Errorf("%s: %v\n%s", name, err, describe(request))
		return
	}
	answer := d.send(t, request)
	d.seeMutations(answer, request, status)
	d.requests++
	d.calls += len(answer.Mutating) + len(answer.Validating)
	d.policies += len(answer.Policies.Evaluated) + len(answer.Policies.Mutated)
	if answer.Verdict == truth.Other {
		d.other++
	}
	compared := answer.Compare(status)
	if compared.IsUnknown() {
		d.unknown++
		for _, reason := range compared.Unknown {
			d.reasons[reason]++
		}
	}
	if len(compared.Disagreements) > 0 {
		d.disagree++
		problems := strings.Join(compared.Disagreements, "\n  ")
		t.Errorf("%s, down=%t: %s\n%s\n%s%s", name, down, problems, describe(request), truth.SideBySide(answer, status), concerned(c, problems))
	}
}

// seeMutations takes the review's word for what cannot be seen: a mark that was
// there before, or one on an object that nobody gets back.
func (d *differential) seeMutations(answer *truth.Answer, request *random.Request, status *extant.RequestReviewStatus) {
	review := &request.Review
	visible := review.Subresource == "" && len(review.Object.Raw) > 0 && request.Method != "DELETE"
	before := marks(review.OldObject.Raw)
	answer.Policies.Mutated = slices.DeleteFunc(answer.Policies.Mutated, func(policy string) bool { return !visible || slices.Contains(before, policy) })
	for i := range status.Hops {
		hop := &status.Hops[i]
		if hop.Outcome == extant.OutcomeMutates && (!visible || slices.Contains(before, hop.Configuration)) {
			answer.Policies.Mutated = append(answer.Policies.Mutated, hop.Configuration)
		}
	}
}

// concerned prints the configurations that a text names.
func concerned(c *random.Cluster, text string) string {
	var b strings.Builder
	for _, object := range c.Configurations() {
		accessor, err := meta.Accessor(object)
		if err != nil || !strings.Contains(text, accessor.GetName()+" ") {
			continue
		}
		written, err := yaml.Marshal(object)
		if err != nil {
			continue
		}
		fmt.Fprintf(&b, "---\n%s", written)
	}
	return b.String()
}
