package inventory

import (
	"maps"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/version"

	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/pkg/apis/extant"
)

// maxExtensionNames bounds the names in a point's status.
const maxExtensionNames = 20

// pointStatuses counts what is registered at each point, in whatever
// extension or in none.
func (t *taker) pointStatuses() map[string]extant.ExtensionPointStatus {
	occupants := map[string]map[string]bool{}
	for _, r := range t.registrations {
		g := t.groupOf[r.part]
		if g == nil {
			continue
		}
		if occupants[r.point] == nil {
			occupants[r.point] = map[string]bool{}
		}
		occupants[r.point][g.name] = true
	}
	statuses := make(map[string]extant.ExtensionPointStatus, len(t.points))
	for _, point := range t.points {
		names := slices.Sorted(maps.Keys(occupants[point.Name]))
		statuses[point.Name] = extant.ExtensionPointStatus{
			Supported:      t.supported(point.Spec.Availability),
			Hooks:          t.counted[point.Name],
			Extensions:     int32(len(names)),
			ExtensionNames: names[:min(len(names), maxExtensionNames)],
		}
	}
	return statuses
}

// supported tells whether the observed cluster's version has a point. A
// version that was assumed, or that cannot be compared, tells nothing.
func (t *taker) supported(availability extant.Availability) metav1.ConditionStatus {
	if t.informs("version", cluster.GapAssumed) {
		return metav1.ConditionUnknown
	}
	observed := t.snapshot.Version()
	if availability.Since != "" {
		since, err := version.ParseGeneric(availability.Since)
		if err != nil {
			return metav1.ConditionUnknown
		}
		if minor(observed).LessThan(since) {
			return metav1.ConditionFalse
		}
	}
	if availability.RemovedIn != "" {
		removed, err := version.ParseGeneric(availability.RemovedIn)
		if err != nil {
			return metav1.ConditionUnknown
		}
		if !minor(observed).LessThan(removed) {
			return metav1.ConditionFalse
		}
	}
	return metav1.ConditionTrue
}

// minor drops the patch and what follows: availability is by minor versions.
func minor(v *version.Version) *version.Version { return version.MajorMinor(v.Major(), v.Minor()) }
