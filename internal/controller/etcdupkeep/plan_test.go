package etcdupkeep

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const mebi = 1 << 20

// three returns members with files of that size, of which that much is in use.
// The first leads.
func three(size, inUse int64, change func(members []member)) []member {
	members := []member{{id: 1, endpoint: "a"}, {id: 2, endpoint: "b"}, {id: 3, endpoint: "c"}}
	for i := range members {
		m := &members[i]
		m.size, m.inUse, m.quota, m.leader, m.applied = size*mebi, inUse*mebi, 1000*mebi, 1, 50_000
	}
	if change != nil {
		change(members)
	}
	return members
}

func TestWhatIsDoneNext(t *testing.T) {
	full := []uint64{2}
	for _, test := range []struct {
		name      string
		state     state
		compacted int64
		want      step
	}{
		{
			name:  "nothing where little is free",
			state: state{members: three(200, 101, nil)},
		},
		{
			name:  "nothing where a file is small, however much of it is free",
			state: state{members: three(99, 1, nil)},
		},
		{
			name: "the most fragmented member is defragmented",
			state: state{members: three(200, 90, func(members []member) {
				members[2].inUse = 80 * mebi
			})},
			want: step{defragment: "c"},
		},
		{
			name: "the leader waits for the others",
			state: state{members: three(200, 90, func(members []member) {
				members[0].inUse = 10 * mebi
			})},
			want: step{defragment: "b"},
		},
		{
			name: "the leader is defragmented when no other needs it",
			state: state{members: three(200, 190, func(members []member) {
				members[0].inUse = 10 * mebi
			})},
			want: step{defragment: "a"},
		},
		{
			name: "none is defragmented while another cannot be asked",
			state: state{members: three(200, 50, func(members []member) {
				members[1] = member{id: 2, endpoint: "b", err: errors.New("connection refused")}
			})},
			want: step{reason: "member 2 at b cannot be asked: connection refused"},
		},
		{
			name: "none is defragmented while another is behind",
			state: state{members: three(200, 50, func(members []member) {
				members[2].applied -= 1001
			})},
			want: step{reason: "member 3 at c is 1001 entries behind"},
		},
		{
			name: "none is defragmented while another follows nobody",
			state: state{members: three(200, 50, func(members []member) {
				members[2].leader = 0
			})},
			want: step{reason: "member 3 at c does not follow the leader"},
		},
		{
			name: "none is defragmented while another is being replaced",
			state: state{members: three(200, 50, func(members []member) {
				members[2].learner = true
			})},
			want: step{reason: "member 3 at c is still learning"},
		},
		{
			name:  "corrupt data is left for people",
			state: state{members: three(200, 50, nil), corrupt: []uint64{3}},
			want:  step{reason: "the data of members [3] is corrupt: restore them from a healthy member or from a snapshot"},
		},
		{
			name:  "out of space: the history is forgotten first",
			state: state{members: three(1000, 1000, nil), full: full, revision: 70},
			want:  step{compact: 70},
		},
		{
			name:      "out of space: then every member is defragmented",
			state:     state{members: three(1000, 300, nil), full: full, revision: 70},
			compacted: 70,
			want:      step{defragment: "b"},
		},
		{
			name:      "out of space: the alarm is disarmed once all are below the quota",
			state:     state{members: three(310, 300, nil), full: full, revision: 70},
			compacted: 70,
			want:      step{disarm: full},
		},
		{
			name:      "out of space: what is in use needs a larger quota, or people who delete",
			state:     state{members: three(1001, 990, nil), full: full, revision: 70},
			compacted: 70,
			want:      step{reason: "the quota of 1048576000 bytes is used up by what is in use: raise --quota-backend-bytes of etcd, or delete objects"},
		},
		{
			name:      "out of space: what people delete then is forgotten at once",
			state:     state{members: three(1001, 990, nil), full: full, revision: 75},
			compacted: 70,
			want:      step{compact: 75},
		},
		{
			name: "out of space where etcd does not tell its quota",
			state: state{members: three(310, 300, func(members []member) {
				for i := range members {
					members[i].quota = 0
				}
			}), full: full, revision: 70},
			compacted: 70,
			want:      step{disarm: full},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			policy := Policy{MinSize: 100 * mebi, MaxFree: 0.5}
			got := policy.plan(test.state, test.compacted)
			if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(step{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}
