package fakeapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	apidiscoveryv2 "k8s.io/api/apidiscovery/v2"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/version"
	"k8s.io/apimachinery/pkg/watch"
)

// ServeHTTP answers a request.
func (s *Server) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	parts := strings.Split(strings.Trim(request.URL.Path, "/"), "/")
	switch {
	case request.Method != http.MethodGet:
		fail(w, apierrors.NewMethodNotSupported(schema.GroupResource{}, request.Method))
	case request.URL.Path == "/version":
		writeJSON(w, "application/json", version.Info{Major: "1", Minor: "37", GitVersion: Version})
	case request.URL.Path == "/api" || request.URL.Path == "/apis":
		s.serveDiscovery(w, parts[0] == "api")
	case len(parts) == 3 && parts[0] == "api":
		s.serveResource(w, request, schema.GroupVersionResource{Version: parts[1], Resource: parts[2]})
	case len(parts) == 4 && parts[0] == "apis":
		s.serveResource(w, request, schema.GroupVersionResource{Group: parts[1], Version: parts[2], Resource: parts[3]})
	default:
		http.NotFound(w, request)
	}
}

func writeJSON(w http.ResponseWriter, contentType string, value any) {
	w.Header().Set("Content-Type", contentType)
	_ = json.NewEncoder(w).Encode(value)
}

func fail(w http.ResponseWriter, err *apierrors.StatusError) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(int(err.ErrStatus.Code))
	status := err.ErrStatus
	status.Kind, status.APIVersion = "Status", "v1"
	_ = json.NewEncoder(w).Encode(status)
}

// serveDiscovery answers in the aggregated form.
func (s *Server) serveDiscovery(w http.ResponseWriter, core bool) {
	s.mu.Lock()
	groups := map[string][]*resource{}
	for name, r := range s.resources {
		if (name.Group == "") == core {
			groups[name.Group] = append(groups[name.Group], r)
		}
	}
	for _, group := range s.stale {
		if !core {
			groups[group] = append(groups[group], nil)
		}
	}
	list := apidiscoveryv2.APIGroupDiscoveryList{}
	list.Kind, list.APIVersion = "APIGroupDiscoveryList", "apidiscovery.k8s.io/v2"
	for name, resources := range groups {
		list.Items = append(list.Items, groupDiscovery(name, resources))
	}
	s.mu.Unlock()
	slices.SortFunc(list.Items, func(x, y apidiscoveryv2.APIGroupDiscovery) int { return strings.Compare(x.Name, y.Name) })
	writeJSON(w, "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList", list)
}

// groupDiscovery describes a group; a nil resource makes it stale.
func groupDiscovery(name string, resources []*resource) apidiscoveryv2.APIGroupDiscovery {
	group := apidiscoveryv2.APIGroupDiscovery{ObjectMeta: metav1.ObjectMeta{Name: name}}
	versions := map[string]*apidiscoveryv2.APIVersionDiscovery{}
	for _, r := range resources {
		if r == nil {
			group.Versions = append(group.Versions, apidiscoveryv2.APIVersionDiscovery{Version: "v1", Freshness: apidiscoveryv2.DiscoveryFreshnessStale})
			continue
		}
		if versions[r.Version] == nil {
			versions[r.Version] = &apidiscoveryv2.APIVersionDiscovery{Version: r.Version, Freshness: apidiscoveryv2.DiscoveryFreshnessCurrent}
		}
		scope := apidiscoveryv2.ScopeCluster
		if r.Namespaced {
			scope = apidiscoveryv2.ScopeNamespace
		}
		kind := &metav1.GroupVersionKind{Group: r.Group, Version: r.Version, Kind: r.Kind}
		versions[r.Version].Resources = append(versions[r.Version].Resources, apidiscoveryv2.APIResourceDiscovery{
			Resource: r.GroupVersionResource.Resource, ResponseKind: kind, Scope: scope, Verbs: []string{"create", "get", "list", "watch"},
			Subresources: []apidiscoveryv2.APISubresourceDiscovery{{Subresource: "status", ResponseKind: kind, Verbs: []string{"get"}}},
		})
	}
	for _, v := range versions {
		slices.SortFunc(v.Resources, func(x, y apidiscoveryv2.APIResourceDiscovery) int { return strings.Compare(x.Resource, y.Resource) })
		group.Versions = append(group.Versions, *v)
	}
	return group
}

// serveResource lists or watches.
func (s *Server) serveResource(w http.ResponseWriter, request *http.Request, name schema.GroupVersionResource) {
	query := request.URL.Query()
	watching := query.Get("watch") == "true" || query.Get("watch") == "1"
	streaming := query.Get("sendInitialEvents") == "true"
	s.mu.Lock()
	r, ok := s.resources[name.GroupResource()]
	var failure *apierrors.StatusError
	switch {
	case !ok || r.Version != name.Version:
		failure = apierrors.NewGenericServerResponse(http.StatusNotFound, request.Method, name.GroupResource(), "", "the server could not find the requested resource", 0, true)
	case r.failure != nil:
		failure = r.failure
	case streaming && !r.streams:
		failure = apierrors.NewInvalid(schema.GroupKind{Kind: "ListOptions"}, "", nil)
	}
	if failure != nil {
		s.mu.Unlock()
		fail(w, failure)
		return
	}
	all, at, watched := []stored(nil), s.version, s.version
	if !watching || streaming {
		all = r.sorted()
		r.lists++
	} else if from, err := strconv.ParseUint(query.Get("resourceVersion"), 10, 64); err == nil {
		watched = from
	}
	// Taken with the decision to answer, so that no failure comes in between.
	hangUp := r.hangUp
	s.mu.Unlock()

	encoding := negotiate(request.Header.Get("Accept"), r.Resource, all)
	if !watching {
		writeList(w, request, encoding, all, at)
		return
	}
	stream := encoding.stream(w)
	for _, entry := range all {
		if stream.send(watch.Added, entry) != nil {
			return
		}
	}
	if streaming && stream.bookmark(at) != nil {
		return
	}
	s.follow(request, r, stream, watched, hangUp)
}

// follow sends the events after a resource version until the watch ends.
func (s *Server) follow(request *http.Request, r *resource, stream *stream, from uint64, hangUp <-chan struct{}) {
	s.mu.Lock()
	r.watches++
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		r.watches--
	}()
	for {
		s.mu.Lock()
		expired := from < r.compacted
		news := slices.Clone(r.events[after(r.events, from):])
		changed := r.changed
		s.mu.Unlock()
		if expired {
			stream.fail(apierrors.NewResourceExpired(fmt.Sprintf("too old resource version: %d", from)))
			return
		}
		for _, e := range news {
			if stream.send(e.kind, e.stored) != nil {
				return
			}
			from = e.version
		}
		stream.w.(http.Flusher).Flush()
		select {
		case <-request.Context().Done():
			return
		case <-hangUp:
			return
		case <-changed:
		}
	}
}

func after(events []event, version uint64) int {
	i, _ := slices.BinarySearchFunc(events, version+1, func(e event, v uint64) int {
		switch {
		case e.version < v:
			return -1
		case e.version > v:
			return 1
		default:
			return 0
		}
	})
	return i
}

// writeList writes a page.
func writeList(w http.ResponseWriter, request *http.Request, encoding encoding, all []stored, at uint64) {
	query := request.URL.Query()
	from, _ := strconv.Atoi(query.Get("continue"))
	limit, _ := strconv.Atoi(query.Get("limit"))
	listMeta := metav1.ListMeta{ResourceVersion: fmt.Sprint(at)}
	end := len(all)
	if limit > 0 && from+limit < end {
		end = from + limit
		listMeta.Continue = strconv.Itoa(end)
	}
	body, err := encoding.list(all[min(from, end):end], listMeta)
	if err != nil {
		fail(w, apierrors.NewInternalError(err))
		return
	}
	w.Header().Set("Content-Type", encoding.contentType)
	_, _ = w.Write(body)
}
