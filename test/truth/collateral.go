package truth

import (
	"slices"

	"github.com/extant-project/extant/pkg/apis/extant"
)

// collateral compares what the cluster's own controllers could not do, as far
// as it was recorded: deleting a namespace, keeping leaders, keeping nodes
// ready. What only shows at the next start of the controller manager was seen
// nowhere.
func (c *OutageComparison) collateral() {
	c.namespaceDeletion()
	c.leaders()
	c.nodes()
	for i := range c.status.Collateral {
		if entry := &c.status.Collateral[i]; entry.Because == "" {
			c.wrong("%s has no reason", entry.Effect)
		}
	}
}

// effects are the entries of an effect that show at once.
func (c *OutageComparison) effects(effect extant.CollateralEffect) []extant.Collateral {
	return slices.DeleteFunc(slices.Clone(c.status.Collateral), func(entry extant.Collateral) bool {
		return entry.Effect != effect || entry.Latent
	})
}

// emptyNamespace is what the namespace that was deleted held, and could be
// called by.
var emptyNamespace = []string{"", "configmaps", "serviceaccounts", "truth-doomed-namespace"}

// namespaceDeletion compares whether an empty namespace could be deleted: it
// held what each namespace has. Entries about other resources or namespaces are
// neither right nor wrong. A refused request never got that far. Without a
// controller manager the namespace stayed for no reason of its own, and an
// entry that says so is not wrong.
func (c *OutageComparison) namespaceDeletion() {
	deletion := &c.outage.Truth.NamespaceDeletion
	said := slices.ContainsFunc(c.effects(extant.CollateralNamespaceDeletionStuck), func(entry extant.Collateral) bool {
		return slices.Contains(emptyNamespace, entry.Scope)
	})
	switch {
	case !deletion.Accepted || !deletion.Finished && len(deletion.Why) == 0:
	case deletion.Finished && said:
		c.wrong("the deletion of namespaces is stuck, and was not")
	case !deletion.Finished && len(c.effects(extant.CollateralNamespaceDeletionStuck)) == 0:
		c.wrong("the deletion of namespaces is not stuck, and was: %v", deletion.Why)
	}
}

// leaders compares whether leaders were lost because of their leases. They
// also exited without credentials, where their leases were renewed.
func (c *OutageComparison) leaders() {
	leaders := &c.outage.Truth.ControlPlane
	blocked := c.happened([]string{"renew-controller-manager-lease", "renew-scheduler-lease"}) == extant.VitalBlocked
	lost := blocked && leaders.ControllerManagerExits+leaders.SchedulerExits > 0
	said := len(c.effects(extant.CollateralLeaderElectionLost)) > 0
	if said != lost {
		c.wrong("LeaderElectionLost is %t and was %t", said, lost)
	}
}

// nodes compares whether nodes that were not taken down became NotReady. It is
// the controller manager that calls them so: where it was lost first, nobody
// did, and it shows only once it is back. Where the lease could be renewed
// again before the nodes' grace period ended, it was a race that a slower pod
// would lose: without an assumption of how slow, either is right.
func (c *OutageComparison) nodes() {
	lost := slices.ContainsFunc(c.outage.Truth.Nodes, func(n RecordedNode) bool {
		return !n.Lost && (n.WasNotReady || n.Ready == "false")
	})
	said := len(c.effects(extant.CollateralNodesNotReady)) > 0
	raced := c.happened([]string{"renew-node-lease"}) == extant.VitalBlocked &&
		!slices.Contains(c.outage.Truth.BlockedAtEnd, "renew-node-lease") && c.spec.Assume.StartupSeconds == nil
	if said != lost && !raced {
		c.wrong("NodesNotReady is %t and was %t", said, lost)
	}
}
