package outage

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/internal/requestpath"
)

// assumeNamespaces adds the namespaces that every cluster has, in which the
// components of Kubernetes work, to a dump that lacks them: manifests of an
// extension, say. The API server makes them itself, without further labels. It
// returns the names of those that it added.
func assumeNamespaces(observed requestpath.Observed) (requestpath.Observed, []string) {
	if _, hidden := observed.Snapshot.DecidingGap(namespaceResource); hidden || observed.Snapshot.Origin != "dump" {
		return observed, nil
	}
	var edits []cluster.Edit
	var added []string
	for _, name := range []string{corev1.NamespaceNodeLease, metav1.NamespaceSystem} {
		if _, ok := observed.Snapshot.Namespaces().Get("", name); ok {
			continue
		}
		namespace := &corev1.Namespace{
			ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{corev1.LabelMetadataName: name}},
			Status:     corev1.NamespaceStatus{Phase: corev1.NamespaceActive},
		}
		edits = append(edits, cluster.Edit{Resource: namespaceResource, Name: name, Object: namespace})
		added = append(added, name)
	}
	if len(added) == 0 {
		return observed, nil
	}
	observed.Snapshot = observed.Snapshot.Edited(edits...)
	// The copy tells the engine of requests that this is another cluster.
	inventory := *observed.Inventory
	observed.Inventory = &inventory
	return observed, added
}

// noteNamespaces says which namespaces were added.
func (a *analysis) noteNamespaces(added []string) {
	if len(added) > 0 {
		a.note("namespaces", cluster.GapAssumed, "the dump lacks namespaces that every cluster has; they are taken to exist, without labels of their own: "+strings.Join(added, ", "))
	}
}
