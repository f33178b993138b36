package discovery

import (
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/extant-project/extant/internal/inventory"
	"github.com/extant-project/extant/pkg/apis/extant"
	"github.com/extant-project/extant/pkg/apis/extant/install"
	"github.com/extant-project/extant/pkg/apis/extant/v1alpha1"
	listers "github.com/extant-project/extant/pkg/generated/listers/extant/v1alpha1"
)

// laid is an inventory with what probes found laid over it. It is the same one
// until an inventory, a result, or whether a result is recent differs: engines
// keep what they computed for an inventory.
type laid struct {
	pure    *inventory.Inventory
	results map[string]result
	answer  *inventory.Inventory
}

// result is the stored status of a backend, as it was when it was read.
type result struct {
	stored *v1alpha1.Backend
	status *extant.BackendStatus
	recent bool
}

// over returns the inventory with the results in the API.
func (l *laid) over(pure *inventory.Inventory, backends listers.BackendLister, now time.Time) (*inventory.Inventory, error) {
	same := pure == l.pure && l.answer != nil
	results := make(map[string]result, len(pure.Backends))
	for i := range pure.Backends {
		name := pure.Backends[i].Name
		stored, err := backends.Get(name)
		if apierrors.IsNotFound(err) {
			stored = nil
		} else if err != nil {
			return nil, err
		}
		before := l.results[name]
		read := result{stored: stored}
		switch {
		case stored == nil:
		case before.stored == stored:
			read.status = before.status
		default:
			hub := &extant.Backend{}
			if err := install.Scheme.Convert(stored, hub, nil); err != nil {
				return nil, err
			}
			read.status = &hub.Status
		}
		if stored != nil {
			read.recent = inventory.RecentAt(stored.Status.LastProbeTime, pure.Probes[name], now)
		}
		same = same && before.recent == read.recent && (before.stored == read.stored || !before.recent && !read.recent)
		results[name] = read
	}
	l.results = results
	if same {
		return l.answer, nil
	}
	l.pure = pure
	l.answer = pure.Probed(func(name string) *extant.BackendStatus { return results[name].status }, now)
	return l.answer, nil
}
