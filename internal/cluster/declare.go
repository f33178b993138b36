package cluster

import "slices"

// declarations is how much the revisions of a snapshot grow by each change of
// what is declared: more than a cluster changes in the life of a process.
const declarations = 1 << 40

// Declared returns the snapshot with objects that the cluster has and does not
// show, and with gaps that say what is not known of them: what an operator says
// of the cluster. Generation counts how often that changed, so that snapshots
// of the same cluster with different declarations have different revisions.
func (s *Snapshot) Declared(generation uint64, declared []Edit, gaps ...Gap) *Snapshot {
	edited := s.Edited(declared...)
	for resource, t := range edited.tables {
		edited.tables[resource] = table{t.objects, t.revision + generation*declarations}
	}
	// One without changes has a revision, too.
	head := edited.tables[headRevision]
	edited.tables[headRevision] = table{head.objects, max(head.revision, generation*declarations)}
	if len(gaps) > 0 {
		edited.gaps = slices.Concat(edited.gaps, gaps)
		slices.SortFunc(edited.gaps, compareGaps)
	}
	return edited
}
