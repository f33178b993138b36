package etcdupkeep

import (
	"cmp"
	"fmt"
	"slices"
)

// state is what was seen of etcd in one look.
type state struct {
	members []member
	// revision is the newest of the store.
	revision int64
	// full has the members that raised the alarm that the quota is used up. All
	// writes are refused until none has.
	full []uint64
	// corrupt has those that found their data to differ from the others'.
	corrupt []uint64
}

// member is one member of etcd.
type member struct {
	id       uint64
	endpoint string
	// err says why it cannot be asked.
	err error
	// size is that of its file, inUse what of it holds data, quota how large it
	// may get; a quota of 0 is not known.
	size, inUse, quota int64
	leader, applied    uint64
	learner            bool
}

// step is the one thing to do next. At most one of its fields is set, besides
// reason.
type step struct {
	// compact is the revision up to which to forget the history.
	compact int64
	// defragment is the endpoint of the member to defragment.
	defragment string
	// disarm has the members whose alarm is over.
	disarm []uint64
	// reason says why nothing is done about what should be.
	reason string
}

const (
	// maxLag is how many entries of the log a member may be behind the others
	// and still be taken for healthy.
	maxLag = 1000
	// worthwhile is the part of a file that must be free for a member to be
	// defragmented when writes are refused anyway.
	worthwhile = 0.1
)

// plan decides what to do next. compacted is the revision up to which it had
// the history forgotten before.
func (p Policy) plan(s state, compacted int64) step {
	if len(s.corrupt) > 0 {
		return step{reason: fmt.Sprintf("the data of members %x is corrupt: restore them from a healthy member or from a snapshot", s.corrupt)}
	}
	if reason := s.unhealthy(); reason != "" {
		return step{reason: reason}
	}
	if len(s.full) == 0 {
		return step{defragment: s.mostFragmented(func(m member) bool {
			return m.size >= p.MinSize && m.free() > p.MaxFree
		})}
	}
	// The library cannot compact an etcd that refuses writes, because it notes
	// the revision in etcd first.
	if s.revision > compacted {
		return step{compact: s.revision}
	}
	if endpoint := s.mostFragmented(func(m member) bool { return m.free() > worthwhile }); endpoint != "" {
		return step{defragment: endpoint}
	}
	for _, m := range s.members {
		if m.quota > 0 && m.size >= m.quota {
			return step{reason: fmt.Sprintf("the quota of %d bytes is used up by what is in use: raise --quota-backend-bytes of etcd, or delete objects", m.quota)}
		}
	}
	return step{disarm: s.full}
}

// unhealthy says why no member may be taken away from the others for a while,
// which defragmenting it does; empty if one may.
func (s state) unhealthy() string {
	var newest, leader uint64
	for _, m := range s.members {
		newest, leader = max(newest, m.applied), max(leader, m.leader)
	}
	for _, m := range s.members {
		switch {
		case m.err != nil:
			return fmt.Sprintf("member %x at %s cannot be asked: %v", m.id, m.endpoint, m.err)
		case m.learner:
			return fmt.Sprintf("member %x at %s is still learning", m.id, m.endpoint)
		case m.leader == 0 || m.leader != leader:
			return fmt.Sprintf("member %x at %s does not follow the leader", m.id, m.endpoint)
		case newest-m.applied > maxLag:
			return fmt.Sprintf("member %x at %s is %d entries behind", m.id, m.endpoint, newest-m.applied)
		}
	}
	return ""
}

// mostFragmented returns the endpoint of the member with the largest free part
// among those that qualify, the leader only if no other does: while it is
// defragmented, it may lose an election.
func (s state) mostFragmented(qualifies func(member) bool) string {
	candidates := slices.DeleteFunc(slices.Clone(s.members), func(m member) bool { return !qualifies(m) })
	if len(candidates) == 0 {
		return ""
	}
	return slices.MinFunc(candidates, func(x, y member) int {
		if x.leads() != y.leads() {
			if x.leads() {
				return 1
			}
			return -1
		}
		return cmp.Or(cmp.Compare(y.free(), x.free()), cmp.Compare(x.id, y.id))
	}).endpoint
}

func (m member) leads() bool { return m.leader == m.id }

// free is the part of the file that holds nothing.
func (m member) free() float64 {
	if m.size == 0 {
		return 0
	}
	return float64(m.size-m.inUse) / float64(m.size)
}
