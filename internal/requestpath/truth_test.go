package requestpath_test

import (
	"cmp"
	"flag"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/extant-project/extant/internal/inventory"
	"github.com/extant-project/extant/internal/rbac"
	"github.com/extant-project/extant/internal/requestpath"
	"github.com/extant-project/extant/pkg/apis/extant"
	"github.com/extant-project/extant/test/truth"
)

var onlyCase = flag.String("truth", "", "review this recorded case alone, such as edge-25/c01, and print what was recorded beside it")

// TestRecordedTruth holds the engine to what a real API server did. Unknown is
// an answer only where the recording says that the input does not decide.
func TestRecordedTruth(t *testing.T) {
	scenarios, err := truth.Requests()
	if err != nil {
		t.Fatal(err)
	}
	engine := requestpath.NewEngine() // of all: what it keeps must not leak from one cluster into another
	tally := newTally()
	for _, scenario := range scenarios {
		name := scenario.Name
		if *onlyCase != "" && !strings.HasPrefix(name, strings.Split(*onlyCase, "/")[0]) {
			continue
		}
		observed, authorizer := observe(t, scenario)
		for i := range scenario.Cases {
			c := &scenario.Cases[i]
			if *onlyCase != "" && strings.Contains(*onlyCase, "/") && !strings.HasSuffix(*onlyCase, "/"+c.ID) {
				continue
			}
			if !c.Comparable {
				tally.apart++
				continue
			}
			for _, state := range []struct {
				name   string
				answer *truth.Answer
				down   []string
			}{{"allAvailable", c.Truth.AllAvailable, nil}, {"someDown", c.Truth.SomeDown, scenario.DownBackends}} {
				if state.answer == nil {
					continue
				}
				spec := &extant.RequestReviewSpec{
					Request: c.Request, User: &c.User, IncludeUnmatched: *onlyCase != "",
					Assume: extant.RequestAssumptions{Backends: extant.BackendsAllAvailable, Unavailable: state.down},
				}
				status, err := engine.Trace(t.Context(), observed, authorizer, spec)
				if err != nil {
					tally.fail(t, name, c, state.name, "Trace: "+err.Error())
					continue
				}
				if *onlyCase != "" {
					t.Log(sideBySide(name, c, state.name, state.answer, status))
				}
				tally.count(t, name, c, state.name, state.answer.Compare(status))
			}
		}
	}
	tally.report(t)
}

func observe(t *testing.T, scenario *truth.Scenario) (requestpath.Observed, requestpath.Authorizer) {
	t.Helper()
	snapshot, err := scenario.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	params, err := scenario.Params(snapshot)
	if err != nil {
		t.Fatal(err)
	}
	return requestpath.Observed{
		Snapshot: snapshot, Inventory: inventory.Take(snapshot, nil, nil), Params: params,
		Time: metav1.NewTime(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)),
	}, rbac.New(snapshot, rbac.Options{})
}

// tally counts the answers.
type tally struct {
	agree, disagree, apart int
	// sensitive are the answers of cases that the server's defaulting may have
	// decided; of those unknown are left open.
	sensitive, unknown int
	reasons            map[string]int
}

func newTally() *tally { return &tally{reasons: map[string]int{}} }

// converted are the cases in which a condition reads what only the API server's
// own conversion of a built-in kind supplies: the metrics of a
// HorizontalPodAutoscaler of v1 as a hook for v2 sees them, and the other way
// round. Those conversions are in no published library.
var converted = map[string]bool{
	"edge-25-conditions-and-conversion/c01": true,
	"edge-25-conditions-and-conversion/c02": true,
}

func (n *tally) count(t *testing.T, scenario string, c *truth.Case, state string, compared *truth.Comparison) {
	t.Helper()
	if c.DefaultingSensitive {
		n.sensitive++
	}
	problems := compared.Disagreements
	if compared.IsUnknown() {
		n.unknown++
		for _, reason := range compared.Unknown {
			n.reasons[reason]++
		}
		if !c.DefaultingSensitive && !converted[scenario+"/"+c.ID] {
			problems = append(problems, "Unknown, and the input decides it: "+strings.Join(compared.Unknown, "; "))
		}
	}
	if len(problems) == 0 {
		n.agree++
		return
	}
	n.fail(t, scenario, c, state, problems...)
}

func (n *tally) fail(t *testing.T, scenario string, c *truth.Case, state string, problems ...string) {
	t.Helper()
	n.disagree++
	t.Run(scenario+"/"+c.ID+"/"+state, func(t *testing.T) {
		t.Errorf("%s %s: %s", c.HTTP.Method, c.HTTP.Path, strings.Join(problems, "\n\t"))
	})
}

func (n *tally) report(t *testing.T) {
	t.Helper()
	total := n.agree + n.disagree
	t.Logf("%d of %d answers agree (%.2f %%); %d are Unknown, of %d that the server's defaulting may have decided; %d cases cannot be stated",
		n.agree, total, 100*float64(n.agree)/float64(max(total, 1)), n.unknown, n.sensitive, n.apart)
	for _, reason := range slices.SortedFunc(maps.Keys(n.reasons), func(x, y string) int {
		return cmp.Or(n.reasons[y]-n.reasons[x], strings.Compare(x, y))
	}) {
		t.Logf("Unknown %d times: %s", n.reasons[reason], reason)
	}
	if total == 0 {
		t.Fatal("nothing was compared")
	}
}

// sideBySide prints a case, what came of it, and the review.
func sideBySide(scenario string, c *truth.Case, state string, answer *truth.Answer, status *extant.RequestReviewStatus) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s/%s %s: %s %s %s by %s\n", scenario, c.ID, state, c.HTTP.Method, c.HTTP.Path, c.HTTP.ContentType, c.User.Username)
	for _, sent := range []struct {
		what string
		text []byte
	}{{"object", c.Request.Object.Raw}, {"oldObject", c.Request.OldObject.Raw}, {"options", c.Request.Options.Raw}} {
		if len(sent.text) > 0 {
			fmt.Fprintf(&b, "  %s: %s\n", sent.what, sent.text)
		}
	}
	b.WriteString(truth.SideBySide(answer, status))
	return b.String()
}
