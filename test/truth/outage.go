package truth

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"

	authenticationv1 "k8s.io/api/authentication/v1"

	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/internal/dump"
	"github.com/extant-project/extant/pkg/apis/extant"
)

// outages is an archive like that of the requests.
//
//go:embed outages.jsonl.gz
var outages []byte

// Outage is a cluster, what was taken down in it, and what happened.
type Outage struct {
	// Name is that of the recording: outage/… or incidents/….
	Name  string   `json:"name"`
	Title string   `json:"title"`
	Tests []string `json:"tests"`
	// Simulated is how the backends went.
	Simulated Simulated `json:"simulated"`
	// DownIsExact is false where Spec.Down cannot say all of what was taken
	// down, or says it in another mode than PodsLost.
	DownIsExact bool `json:"downIsExact"`
	// Spec is what a review of it asks.
	Spec extant.OutageReviewSpec `json:"spec"`
	// StartupSeconds is how long the pods took to start: not at all, unless it
	// was recorded. Spec assumes only what was recorded.
	StartupSeconds int32 `json:"startupSeconds"`
	// Objects are the cluster just before the outage, besides what every
	// cluster has.
	Objects []json.RawMessage `json:"-"`
	// Targets are objects that exist for the requests alone, and belong to
	// nothing that is reviewed.
	Targets []json.RawMessage `json:"-"`
	Truth   OutageTruth       `json:"truth"`

	cluster *recordedCluster
}

// Simulated is how backends were lost.
type Simulated string

// The ways to lose backends.
const (
	SimulatedDeleted  Simulated = "Deleted"
	SimulatedHang     Simulated = "Hang"
	SimulatedNodeDies Simulated = "NodeDies"
	SimulatedReboot   Simulated = "Reboot"
)

// OutageTruth is what happened.
type OutageTruth struct {
	RecoversUnaided   bool               `json:"recoversUnaided"`
	LostWorkloads     []LostWorkload     `json:"lostWorkloads"`
	Backends          []RecordedBackend  `json:"backends"`
	Recovered         []RecordedWorkload `json:"recovered"`
	Stuck             []RecordedWorkload `json:"stuck"`
	NamespaceDeletion NamespaceDeletion  `json:"namespaceDeletion"`
	Nodes             []RecordedNode     `json:"nodes"`
	ControlPlane      ControlPlane       `json:"controlPlane"`
	// Blocked are the requests that were refused because a backend could not be
	// called, or for which the time ran out; Denied those that were refused for
	// another reason; Refused those that were refused before the outage as well.
	Blocked []Probe `json:"blocked"`
	Denied  []Probe `json:"denied"`
	Allowed []Probe `json:"allowed"`
	Refused []Probe `json:"refusedBefore"`
	// BlockedAtEnd names the requests that were allowed before the outage and
	// are not at its end.
	BlockedAtEnd []string `json:"blockedAtEnd"`
}

// LostWorkload is a workload that lost pods.
type LostWorkload struct {
	extant.ObjectReference
	Desired int `json:"desired"`
	Lost    int `json:"lost"`
}

// RecordedWorkload is what became of a workload that lost pods.
type RecordedWorkload struct {
	extant.ObjectReference
	Desired int `json:"desired"`
	// Ready is how many pods were at the end, of a stuck workload.
	Ready int `json:"ready"`
	// Seconds is when all were, of one that recovered.
	Seconds float64 `json:"seconds"`
}

// RecordedBackend is how many endpoints of a backend answered.
type RecordedBackend struct {
	Name           string   `json:"name"`
	Callers        []string `json:"callers"`
	ReadyBefore    int      `json:"readyBefore"`
	ReadyDuring    int      `json:"readyDuring"`
	ReadyAfter     int      `json:"readyAfter"`
	AvailableAfter float64  `json:"availableAfterSeconds"`
}

// NamespaceDeletion is what came of deleting an empty namespace.
type NamespaceDeletion struct {
	// Accepted tells whether the deletion was; otherwise it was refused.
	Accepted bool `json:"accepted"`
	// Finished tells whether the namespace went within 30 s.
	Finished bool `json:"finished"`
	// Why is the types of the conditions that say why it did not.
	Why []string `json:"why"`
}

// RecordedNode is how a node fared.
type RecordedNode struct {
	Name        string `json:"name"`
	Ready       string `json:"ready"`
	WasNotReady bool   `json:"wasNotReady"`
	// Lost tells that the node itself was taken down.
	Lost bool `json:"lost"`
}

// ControlPlane is how the leaders fared.
type ControlPlane struct {
	ControllerManagerExits int  `json:"controllerManagerExits"`
	SchedulerExits         int  `json:"schedulerExits"`
	LeadersAtEnd           bool `json:"leadersAtEnd"`
}

// Probe is a request that was made during the outage, and what came of it.
type Probe struct {
	Name    string                     `json:"probe"`
	Request extant.ReviewedRequest     `json:"request"`
	User    *authenticationv1.UserInfo `json:"user"`
	// ObjectNumber is the number of the object that was sent.
	ObjectNumber *int `json:"object"`
	// Labels are those of the object, where it was not recorded itself.
	Labels map[string]string `json:"labels"`
	Code   int               `json:"code"`
	// Hook is the webhook or policy that the answer names, or "conversion".
	Hook string `json:"hook"`
	// Seconds is how long it took, where that was longer than a second.
	Seconds  float64 `json:"seconds"`
	TimedOut bool    `json:"timedOut"`
}

// archivedOutage is an Outage with the numbers of its objects.
type archivedOutage struct {
	Outage
	Objects []int `json:"objects"`
	Targets []int `json:"targets"`
}

// Outages returns the recorded outages, in order of their names.
func Outages() ([]*Outage, error) {
	var scenarios []*Outage
	err := scan(bytes.NewReader(outages), func(head *archiveHead, archived *archivedOutage) {
		scenario := &archived.Outage
		scenario.cluster = &head.Cluster
		scenario.Objects = head.numbered(archived.Objects)
		scenario.Targets = head.numbered(archived.Targets)
		for _, probes := range [][]Probe{scenario.Truth.Blocked, scenario.Truth.Denied, scenario.Truth.Allowed, scenario.Truth.Refused} {
			for i := range probes {
				if number := probes[i].ObjectNumber; number != nil {
					probes[i].Request.Object.Raw = head.Objects[*number]
				}
			}
		}
		scenarios = append(scenarios, scenario)
	})
	if err != nil {
		return nil, fmt.Errorf("could not read the recorded outages: %w", err)
	}
	return scenarios, nil
}

// Snapshot is the outage's cluster, just before it, as it is read from a dump
// that has everything: RBAC objects, and what discovery says.
func (s *Outage) Snapshot() (*cluster.Snapshot, error) {
	added, err := s.added()
	if err != nil {
		return nil, err
	}
	return s.cluster.with(s.Name, s.cluster.KubernetesVersion, slices.Concat(added, s.Objects))
}

// added is what the cluster has besides, and nobody recorded: what discovery
// says of its custom resources, and the rights of workloads to what they need.
func (s *Outage) added() ([]json.RawMessage, error) {
	served, err := s.customResources()
	if err != nil {
		return nil, err
	}
	rights, err := s.rights()
	return slices.Concat(served, rights), err
}

// BareSnapshot is the same as it is read from the recorded objects alone, of
// which no Kubernetes version, RBAC object or discovery document is one.
func (s *Outage) BareSnapshot() (*cluster.Snapshot, error) {
	contents, err := dump.ReadStream(s.Name+".json", bytes.NewReader(slices.Concat(s.Objects...)))
	if err != nil {
		return nil, fmt.Errorf("could not read the cluster of %s: %w", s.Name, err)
	}
	return contents.Snapshot(), nil
}
