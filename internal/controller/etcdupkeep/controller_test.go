package etcdupkeep

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"
	"k8s.io/component-base/metrics/legacyregistry"
	"k8s.io/component-base/metrics/testutil"
	"k8s.io/klog/v2"
	clocktesting "k8s.io/utils/clock/testing"
)

// fakeEtcd has members that answer, and notes what is done to them.
type fakeEtcd struct {
	// endpoints are those of the command line.
	endpoints []string
	members   []member
	full      []uint64
	failing   error

	mu    sync.Mutex
	looks int
	done  []string
}

func (f *fakeEtcd) Endpoints() []string { return f.endpoints }

func (f *fakeEtcd) MemberList(context.Context, ...clientv3.OpOption) (*clientv3.MemberListResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.looks++
	if f.failing != nil {
		return nil, f.failing
	}
	response := &clientv3.MemberListResponse{}
	for _, m := range f.members {
		response.Members = append(response.Members, &etcdserverpb.Member{ID: m.id, ClientURLs: []string{m.endpoint}, IsLearner: m.learner})
	}
	return response, nil
}

func (f *fakeEtcd) AlarmList(context.Context) (*clientv3.AlarmResponse, error) {
	response := &clientv3.AlarmResponse{}
	for _, id := range f.full {
		response.Alarms = append(response.Alarms, &etcdserverpb.AlarmMember{MemberID: id, Alarm: etcdserverpb.AlarmType_NOSPACE})
	}
	return response, nil
}

func (f *fakeEtcd) AlarmDisarm(_ context.Context, alarm *clientv3.AlarmMember) (*clientv3.AlarmResponse, error) {
	f.note("disarm %d", alarm.MemberID)
	f.full = slices.DeleteFunc(f.full, func(id uint64) bool { return id == alarm.MemberID })
	return &clientv3.AlarmResponse{}, nil
}

func (f *fakeEtcd) Status(_ context.Context, endpoint string) (*clientv3.StatusResponse, error) {
	for _, m := range f.members {
		if m.endpoint == endpoint || "given-"+m.endpoint == endpoint {
			return &clientv3.StatusResponse{
				Header: &etcdserverpb.ResponseHeader{MemberId: m.id, Revision: 70},
				DbSize: m.size, DbSizeInUse: m.inUse, DbSizeQuota: m.quota, Leader: m.leader, RaftAppliedIndex: m.applied,
			}, m.err
		}
	}
	return nil, errors.New("no such host")
}

func (f *fakeEtcd) Defragment(_ context.Context, endpoint string) (*clientv3.DefragmentResponse, error) {
	f.note("defragment %s", endpoint)
	for i := range f.members {
		if m := &f.members[i]; m.endpoint == endpoint {
			m.size = m.inUse
		}
	}
	return &clientv3.DefragmentResponse{}, nil
}

func (f *fakeEtcd) Compact(_ context.Context, revision int64, _ ...clientv3.CompactOption) (*clientv3.CompactResponse, error) {
	f.note("compact %d", revision)
	for i := range f.members {
		f.members[i].inUse /= 4
	}
	return &clientv3.CompactResponse{}, nil
}

func (f *fakeEtcd) note(format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.done = append(f.done, fmt.Sprintf(format, args...))
}

func (f *fakeEtcd) noted() (looks int, done []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.looks, slices.Clone(f.done)
}

// policy of the tests.
var policy = Policy{Period: 10 * time.Minute, MinSize: 100 * mebi, MaxFree: 0.5}

// run runs a controller and returns its clock.
func run(t *testing.T, etcd *fakeEtcd) *clocktesting.FakeClock {
	t.Helper()
	clock := clocktesting.NewFakeClock(time.Now())
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { New(etcd, policy, clock).Run(ctx) })
	t.Cleanup(func() { cancel(); running.Wait() })
	return clock
}

// waitForPause waits until the controller waits for the clock.
func waitForPause(t *testing.T, clock *clocktesting.FakeClock) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !clock.HasWaiters(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the controller does not wait")
		}
	}
}

func TestOneMemberIsDefragmentedAtEachLook(t *testing.T) {
	etcd := &fakeEtcd{members: three(200, 50, nil)}
	clock := run(t, etcd)
	for range 4 {
		waitForPause(t, clock)
		clock.Step(policy.Period)
	}
	waitForPause(t, clock)
	looks, done := etcd.noted()
	if diff := cmp.Diff([]string{"defragment b", "defragment c", "defragment a"}, done); diff != "" || looks != 5 {
		t.Errorf("%d looks: %s", looks, diff)
	}
}

func TestAnEtcdOutOfSpaceIsHealedAtOnce(t *testing.T) {
	etcd := &fakeEtcd{members: three(1001, 1001, nil), full: []uint64{1, 3}}
	clock := run(t, etcd)
	for range 6 {
		waitForPause(t, clock)
		clock.Step(urgent)
	}
	waitForPause(t, clock)
	want := []string{"compact 70", "defragment b", "defragment c", "defragment a", "disarm 1", "disarm 3"}
	looks, done := etcd.noted()
	if diff := cmp.Diff(want, done); diff != "" {
		t.Error(diff)
	}
	// The last look found everything in order, and there is time until the next.
	if looks != 6 {
		t.Errorf("%d looks", looks)
	}
}

func TestMembersAreAskedWhereTheCommandLineSaysThatTheyAre(t *testing.T) {
	etcd := &fakeEtcd{endpoints: []string{"given-a", "given-gone"}, members: three(200, 190, nil)}
	s, err := look(t.Context(), etcd)
	if err != nil {
		t.Fatal(err)
	}
	var endpoints []string
	for _, m := range s.members {
		endpoints = append(endpoints, m.endpoint)
	}
	if diff := cmp.Diff([]string{"given-a", "b", "c"}, endpoints); diff != "" || s.revision != 70 {
		t.Errorf("revision %d, endpoints: %s", s.revision, diff)
	}
}

func TestWhatIsWrongIsLoggedOnceAndMeasured(t *testing.T) {
	var log bytes.Buffer
	klog.LogToStderr(false)
	klog.SetOutput(&log)
	t.Cleanup(func() { klog.LogToStderr(true) })

	etcd := &fakeEtcd{members: three(200, 190, nil)}
	c := New(etcd, policy, clocktesting.NewFakeClock(time.Now()))
	healthy := etcd.members[1]
	broken := member{id: 2, endpoint: "b", err: errors.New("connection refused")}
	for _, m := range []member{healthy, broken, broken, healthy, healthy} {
		etcd.members[1] = m
		if c.tend(t.Context()) {
			t.Error("there is nothing to hurry for")
		}
	}
	etcd.failing = errors.New("etcdserver: no leader")
	c.tend(t.Context())
	c.tend(t.Context())
	klog.Flush()
	for text, times := range map[string]int{"connection refused": 1, "Etcd is in order": 1, "could not list the members of etcd: etcdserver: no leader": 1} {
		if got := strings.Count(log.String(), text); got != times {
			t.Errorf("%q is logged %d times:\n%s", text, got, log.String())
		}
	}

	etcd.failing, etcd.members[1], etcd.full = nil, broken, []uint64{1}
	c.tend(t.Context())
	want := `# HELP extant_etcd_alarm [ALPHA] Whether a member of Extant's etcd has raised the alarm: NOSPACE, which refuses writes, or CORRUPT.
# TYPE extant_etcd_alarm gauge
extant_etcd_alarm{alarm="CORRUPT"} 0
extant_etcd_alarm{alarm="NOSPACE"} 1
# HELP extant_etcd_db_in_use_bytes [ALPHA] What of the file of a member of Extant's etcd holds data, by endpoint. The rest can be freed by defragmentation.
# TYPE extant_etcd_db_in_use_bytes gauge
extant_etcd_db_in_use_bytes{endpoint="a"} 1.9922944e+08
extant_etcd_db_in_use_bytes{endpoint="c"} 1.9922944e+08
# HELP extant_etcd_member_up [ALPHA] Whether a member of Extant's etcd can be asked, by endpoint.
# TYPE extant_etcd_member_up gauge
extant_etcd_member_up{endpoint="a"} 1
extant_etcd_member_up{endpoint="b"} 0
extant_etcd_member_up{endpoint="c"} 1
`
	if err := testutil.GatherAndCompare(legacyregistry.DefaultGatherer, strings.NewReader(want),
		"extant_etcd_alarm", "extant_etcd_db_in_use_bytes", "extant_etcd_member_up"); err != nil {
		t.Error(err)
	}
}
