package truth

import (
	"bytes"
	"encoding/json"
	"fmt"

	authenticationv1 "k8s.io/api/authentication/v1"

	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/internal/dump"
	"github.com/extant-project/extant/pkg/apis/extant"
)

// Scenario is a cluster and what its API server made of some requests.
type Scenario struct {
	Name string `json:"name"`
	// About says what a scenario that was written by hand is about.
	About string `json:"about"`
	// Seed is the one that the scenario was generated with, or 0.
	Seed              int    `json:"seed"`
	KubernetesVersion string `json:"kubernetesVersion"`
	// DownBackends are down in Truth.SomeDown.
	DownBackends []string `json:"downBackends"`
	// Objects are the scenario's own, besides those of every cluster.
	Objects []json.RawMessage `json:"-"`
	Cases   []Case            `json:"cases"`

	cluster *recordedCluster
}

// Case is a request and what came of it.
type Case struct {
	ID    string `json:"id"`
	About string `json:"about"`
	HTTP  HTTP   `json:"http"`
	// Request is the spec.request of a review. The hub type has no JSON names,
	// but those of its fields differ from them in case alone.
	Request extant.ReviewedRequest    `json:"request"`
	User    authenticationv1.UserInfo `json:"user"`
	// Comparable is false where a review cannot state the request; Why says why.
	Comparable bool   `json:"comparable"`
	Why        string `json:"why"`
	// DefaultingSensitive tells that a condition or selector may have been
	// decided by what the API server filled in before admission.
	DefaultingSensitive bool  `json:"defaultingSensitive"`
	Truth               Truth `json:"truth"`
}

// HTTP is the request on the wire.
type HTTP struct {
	Method      string          `json:"method"`
	Path        string          `json:"path"`
	ContentType string          `json:"contentType"`
	Body        json.RawMessage `json:"body"`
}

// Truth is what came of a request, with every backend up and with some down.
type Truth struct {
	AllAvailable *Answer `json:"allAvailable"`
	SomeDown     *Answer `json:"someDown"`
}

// Answer is what the API server answered, and whom it asked.
type Answer struct {
	Code     int      `json:"code"`
	Reason   string   `json:"reason"`
	Message  string   `json:"message"`
	Warnings []string `json:"warnings"`
	Verdict  Verdict  `json:"verdict"`
	Cause    Cause    `json:"cause"`
	// Mutating is in the order of the calls, Validating in that of the names.
	Mutating   []Call                 `json:"mutating"`
	Validating []Call                 `json:"validating"`
	BlockedBy  []extant.HookReference `json:"blockedBy"`
	Policies   Policies               `json:"policies"`
}

// Verdict is a review's verdict, or Other.
type Verdict string

// Other tells that the request ended for a reason outside of admission: the
// calls up to there are recorded, the verdict says nothing.
const Other Verdict = "Other"

// Cause is what refused a request.
type Cause string

// The causes that are told apart.
const (
	CauseAuthorization       Cause = "Authorization"
	CauseMutatingPolicy      Cause = "MutatingPolicy"
	CauseMatchConditionError Cause = "MatchConditionError"
	CauseWebhookUnavailable  Cause = "WebhookUnavailable"
	CausePodSecurity         Cause = "PodSecurity"
	CauseValidatingPolicy    Cause = "ValidatingPolicy"
)

// Call is a call of a webhook.
type Call struct {
	Configuration string `json:"configuration"`
	Hook          string `json:"hook"`
	// SentAs and what follows are as the hook received them; absent where that
	// is not known.
	SentAs    *SentAs `json:"sentAs"`
	Kind      string  `json:"kind"`
	Namespace string  `json:"namespace"`
	Name      string  `json:"name"`
	// Failed is "open" or "closed" where the backend was down.
	Failed string `json:"failed"`
	// Round is 1 for a reinvocation.
	Round int `json:"round"`
	// Repeat tells that the request passed admission more than once.
	Repeat bool `json:"repeat"`
}

// SentAs is the resource that a webhook was sent.
type SentAs struct {
	extant.SentResource
	Subresource string `json:"subresource"`
}

// Policies is what admission policies did.
type Policies struct {
	Mutated   []string  `json:"mutated"`
	Evaluated []string  `json:"evaluated"`
	Denied    []Finding `json:"denied"`
	Warned    []Finding `json:"warned"`
	Audited   []Finding `json:"audited"`
}

// Finding is a failed validation, or an error, of a policy. Binding is absent
// for errors of the policy itself.
type Finding struct {
	Policy  string `json:"policy"`
	Binding string `json:"binding"`
	Message string `json:"message"`
}

// Snapshot is the scenario's cluster as it is read from a dump.
func (s *Scenario) Snapshot() (*cluster.Snapshot, error) {
	return s.cluster.with(s.Name, s.KubernetesVersion, s.Objects)
}

// with returns the cluster with further objects, as it is read from a dump.
func (c *recordedCluster) with(name, version string, objects []json.RawMessage) (*cluster.Snapshot, error) {
	var text bytes.Buffer
	if err := json.NewEncoder(&text).Encode(map[string]string{"gitVersion": version}); err != nil {
		return nil, err
	}
	text.Write(c.Discovery.API)
	text.Write(c.Discovery.APIs)
	for _, objects := range [][]json.RawMessage{c.Objects, objects} {
		for _, object := range objects {
			text.Write(object)
		}
	}
	contents, err := dump.ReadStream(name+".json", &text)
	if err != nil {
		return nil, fmt.Errorf("could not read the cluster of %s: %w", name, err)
	}
	return contents.Snapshot(), nil
}
