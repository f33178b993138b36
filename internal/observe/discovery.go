package observe

import (
	"context"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/discovery"
	"k8s.io/klog/v2"

	"github.com/extant-project/extant/internal/cluster"
)

const (
	// discoveryResource and versionResource name in gaps what is no resource.
	discoveryResource = "discovery"
	versionResource   = "version"

	// discoverEvery is how often what is served is read without a cause.
	discoverEvery = time.Minute
	// discoverTimeout bounds one reading: without aggregated discovery, each
	// dead group takes its time.
	discoverTimeout = 20 * time.Second
)

// discoverAfter is when what is served is read after a cause, such as a new
// CRD: soon, and once more because the API server takes a moment to serve it.
var discoverAfter = []time.Duration{time.Second, 5 * time.Second}

// discovered is what is known of what the cluster serves.
type discovered struct {
	// attempted is true once it was tried to read it.
	attempted bool
	// resources is nil until it succeeded.
	resources *cluster.Discovery
	// failed are the groups that did not answer.
	failed sets.Set[string]
	// changed closes after the next reading.
	changed chan struct{}
	// unreachable is true where the last attempt learned nothing.
	unreachable bool
	// readAt is when it succeeded last.
	readAt time.Time
	// gap is what is missing, logged the gap that was last logged.
	gap, logged cluster.Gap
}

// discover reads what the cluster serves, again and again until the context
// ends.
func (s *Source) discover(ctx context.Context) {
	backoff := retries()
	var followUps []time.Duration
	for {
		next := wait.Jitter(discoverEvery, 0.1)
		if err := s.readDiscovery(ctx); err != nil {
			next = backoff.Step()
		} else {
			backoff = retries()
		}
		if len(followUps) > 0 {
			next, followUps = min(next, followUps[0]), followUps[1:]
		}
		timer := s.clock.NewTimer(next)
		select {
		case <-ctx.Done():
		case <-timer.C():
		case <-s.rediscover:
			// Further causes in this time are covered by the same reading.
			s.pause(ctx, discoverAfter[0], nil)
			followUps = discoverAfter[1:]
		}
		timer.Stop()
		if ctx.Err() != nil {
			return
		}
	}
}

// readDiscovery reads what the cluster serves and its version once. Groups that
// do not answer are no error: whoever waited for them would wait for others'
// extensions.
func (s *Source) readDiscovery(ctx context.Context) error {
	requests, cancel := context.WithTimeout(ctx, discoverTimeout)
	defer cancel()
	groups, lists, err := discovery.ServerGroupsAndResourcesWithContext(requests, s.clients.discovery)
	failed, partial := discovery.GroupDiscoveryFailedErrorGroups(err)
	version, versionErr := s.clients.discovery.ServerVersionWithContext(requests)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var served *cluster.Discovery
	var gap cluster.Gap
	switch {
	case partial:
		served = discoveryOf(groups, lists)
		gap = cluster.Gap{Reason: cluster.GapNotSynced, Message: "these groups do not answer: " + strings.Join(sets.List(groupsOf(failed)), ", ")}
	case err != nil:
		gap = cluster.Gap{Reason: cluster.GapNotSynced, Message: messageOf(err)}
	default:
		served = discoveryOf(groups, lists)
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	if now := s.clock.Now(); served != nil {
		s.discovery.readAt = now
	} else if s.discovery.resources != nil && now.Sub(s.discovery.readAt) < lostAfter {
		// What was read stands for a while, as that of resources does.
		gap = s.discovery.gap
	}
	changed := s.discovery.update(s.builder, served, groupsOf(failed), gap)
	s.discovery.log(s.logger)
	if versionErr == nil {
		changed = s.builder.SetVersion(version.GitVersion) || changed
		changed = s.builder.SetGaps(versionResource) || changed
	}
	if changed {
		s.notify()
	}
	s.settle()
	if served == nil {
		return err
	}
	return versionErr
}

// update records a reading: what is served, nil where nothing was learned, the
// groups that did not answer, and what is missing, where anything is.
func (d *discovered) update(builder *cluster.Builder, served *cluster.Discovery, failed sets.Set[string], gap cluster.Gap) (changed bool) {
	if served != nil {
		d.failed = failed
		if changed = builder.SetDiscovery(served); changed || d.resources == nil {
			d.resources = served
		}
	}
	d.gap = gap
	var gaps []cluster.Gap
	if gap.Reason != "" {
		gaps = append(gaps, gap)
	}
	changed = builder.SetGaps(discoveryResource, gaps...) || changed
	d.attempted, d.unreachable = true, served == nil
	close(d.changed)
	d.changed = make(chan struct{})
	return changed
}

// log logs a transition once.
func (d *discovered) log(logger klog.Logger) {
	switch {
	case d.gap == d.logged:
	case d.gap.Reason == "":
		logger.Info("Discovery of the observed cluster is complete again")
	default:
		logger.Info("Discovery of the observed cluster is incomplete", "message", d.gap.Message)
	}
	d.logged = d.gap
}

func groupsOf(failed map[schema.GroupVersion]error) sets.Set[string] {
	groups := sets.New[string]()
	for version := range failed {
		groups.Insert(version.Group)
	}
	return groups
}

// discoveryOf orders what is served by group and preference.
func discoveryOf(groups []*metav1.APIGroup, lists []*metav1.APIResourceList) *cluster.Discovery {
	byVersion := make(map[string]*metav1.APIResourceList, len(lists))
	for _, list := range lists {
		byVersion[list.GroupVersion] = list
	}
	var all []cluster.APIResource
	for _, group := range groups {
		versions := slices.Clone(group.Versions)
		slices.SortStableFunc(versions, func(x, y metav1.GroupVersionForDiscovery) int {
			return preference(group, y) - preference(group, x)
		})
		for _, version := range versions {
			if list := byVersion[version.GroupVersion]; list != nil {
				all = append(all, resourcesOf(schema.GroupVersion{Group: group.Name, Version: version.Version}, list)...)
			}
		}
	}
	return cluster.NewDiscovery(all)
}

func preference(group *metav1.APIGroup, version metav1.GroupVersionForDiscovery) int {
	if version.Version == group.PreferredVersion.Version {
		return 1
	}
	return 0
}

func resourcesOf(version schema.GroupVersion, list *metav1.APIResourceList) []cluster.APIResource {
	resources := make([]cluster.APIResource, 0, len(list.APIResources))
	for i := range list.APIResources {
		served := &list.APIResources[i]
		resource, subresource, _ := strings.Cut(served.Name, "/")
		kind := schema.GroupVersionKind{Kind: served.Kind}
		if of := (schema.GroupVersion{Group: served.Group, Version: served.Version}); served.Version != "" && of != version {
			kind = of.WithKind(served.Kind)
		}
		resources = append(resources, cluster.APIResource{
			Group: version.Group, Version: version.Version, Resource: resource, Subresource: subresource,
			Kind: kind, Namespaced: served.Namespaced, Verbs: served.Verbs,
		})
	}
	return resources
}
