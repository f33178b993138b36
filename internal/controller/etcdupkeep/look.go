package etcdupkeep

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// Etcd is what is needed of a client of etcd.
type Etcd interface {
	Endpoints() []string
	MemberList(ctx context.Context, opts ...clientv3.OpOption) (*clientv3.MemberListResponse, error)
	AlarmList(ctx context.Context) (*clientv3.AlarmResponse, error)
	AlarmDisarm(ctx context.Context, alarm *clientv3.AlarmMember) (*clientv3.AlarmResponse, error)
	Status(ctx context.Context, endpoint string) (*clientv3.StatusResponse, error)
	Defragment(ctx context.Context, endpoint string) (*clientv3.DefragmentResponse, error)
	Compact(ctx context.Context, revision int64, opts ...clientv3.CompactOption) (*clientv3.CompactResponse, error)
}

var _ Etcd = (*clientv3.Client)(nil)

// askTimeout is how long one answer of etcd may take.
const askTimeout = 5 * time.Second

// look asks every member. What the members together cannot answer is an error.
func look(ctx context.Context, etcd Etcd) (state, error) {
	list, err := ask(ctx, func(ctx context.Context) (*clientv3.MemberListResponse, error) { return etcd.MemberList(ctx) })
	if err != nil {
		return state{}, fmt.Errorf("could not list the members of etcd: %w", err)
	}
	alarms, err := ask(ctx, etcd.AlarmList)
	if err != nil {
		return state{}, fmt.Errorf("could not list the alarms of etcd: %w", err)
	}
	var s state
	for _, alarm := range alarms.Alarms {
		switch alarm.Alarm {
		case etcdserverpb.AlarmType_NOSPACE:
			s.full = append(s.full, alarm.MemberID)
		case etcdserverpb.AlarmType_CORRUPT:
			s.corrupt = append(s.corrupt, alarm.MemberID)
		}
	}
	// A member is asked where the command line says that it is, which works for
	// the storage too, or else where it says so itself.
	given := map[uint64]member{}
	for _, endpoint := range etcd.Endpoints() {
		if m, revision := askMember(ctx, etcd, endpoint); m.err == nil {
			given[m.id] = m
			s.revision = max(s.revision, revision)
		}
	}
	for _, listed := range list.Members {
		m, ok := given[listed.ID]
		if !ok {
			m = member{id: listed.ID, err: errors.New("it has no address yet")}
			for _, endpoint := range listed.ClientURLs {
				var revision int64
				if m, revision = askMember(ctx, etcd, endpoint); m.err == nil {
					s.revision = max(s.revision, revision)
					break
				}
				m.id = listed.ID
			}
		}
		m.learner = listed.IsLearner
		s.members = append(s.members, m)
	}
	return s, nil
}

func askMember(ctx context.Context, etcd Etcd, endpoint string) (_ member, revision int64) {
	status, err := ask(ctx, func(ctx context.Context) (*clientv3.StatusResponse, error) { return etcd.Status(ctx, endpoint) })
	if err != nil {
		return member{endpoint: endpoint, err: err}, 0
	}
	return member{
		id: status.Header.MemberId, endpoint: endpoint,
		size: status.DbSize, inUse: status.DbSizeInUse, quota: status.DbSizeQuota,
		leader: status.Leader, applied: status.RaftAppliedIndex,
	}, status.Header.Revision
}

func ask[T any](ctx context.Context, question func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	return question(ctx)
}
