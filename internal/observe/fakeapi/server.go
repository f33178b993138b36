package fakeapi

import (
	"errors"
	"fmt"
	"iter"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/apimachinery/pkg/watch"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	apiregistrationv1 "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"

	"github.com/extant-project/extant/internal/cluster"
)

// Version is the version that the server says it has.
const Version = "v1.37.0"

var (
	scheme = func() *runtime.Scheme {
		scheme := runtime.NewScheme()
		utilruntime.Must(clientgoscheme.AddToScheme(scheme))
		utilruntime.Must(apiextensionsv1.AddToScheme(scheme))
		utilruntime.Must(apiregistrationv1.AddToScheme(scheme))
		utilruntime.Must(metav1.AddMetaToScheme(scheme))
		return scheme
	}()
	codecs = serializer.NewCodecFactory(scheme).WithoutConversion()
)

// Server is the API server.
type Server struct {
	address string

	mu        sync.Mutex
	http      *httptest.Server
	version   uint64
	resources map[schema.GroupResource]*resource
	stale     []string
}

// resource is what is served of one resource.
type resource struct {
	cluster.Resource
	objects map[key]stored
	events  []event
	// compacted is the newest resource version whose events are forgotten.
	compacted uint64
	// failure answers every request instead.
	failure *apierrors.StatusError
	// streams is false where streaming lists are refused, as old servers do.
	streams bool
	// changed closes when there is something new for watches.
	changed chan struct{}
	// watches counts the open ones; hangUp closes to end them.
	watches int
	hangUp  chan struct{}
	lists   int
}

type key struct{ namespace, name string }

// stored is an object in its type or, for what cannot be one, as JSON.
type stored struct {
	version uint64
	object  runtime.Object
	raw     []byte
}

type event struct {
	kind watch.EventType
	stored
}

// Start returns a running server that serves the table of observed resources,
// all empty, but no Gateway API.
func Start() *Server {
	s := &Server{version: 100, resources: map[schema.GroupResource]*resource{}}
	for _, row := range cluster.Resources {
		if row.Group != "gateway.networking.k8s.io" {
			s.Serve(row)
		}
	}
	s.Restart()
	return s
}

// Config is how clients reach the server.
func (s *Server) Config() *rest.Config { return &rest.Config{Host: "http://" + s.address} }

// Restart starts the server at the address that it had before.
func (s *Server) Restart() {
	address := s.address
	if address == "" {
		address = "127.0.0.1:0"
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		panic(fmt.Sprintf("could not listen on %s: %v", address, err))
	}
	server := &httptest.Server{Listener: listener, Config: &http.Server{Handler: s, ReadHeaderTimeout: time.Minute}}
	server.Start()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.address, s.http = listener.Addr().String(), server
}

// Stop ends the server and all its connections. Its objects stay.
func (s *Server) Stop() {
	s.mu.Lock()
	server := s.http
	s.http = nil
	s.mu.Unlock()
	if server == nil {
		return
	}
	// Nobody gets in again on the way out: a client sees broken connections,
	// then refused ones.
	_ = server.Listener.Close()
	server.CloseClientConnections()
	server.Close()
}

// Serve serves a further resource, or the same in another version.
func (s *Server) Serve(row cluster.Resource) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.resources[row.GroupResource()] = &resource{
		Resource: row, objects: map[key]stored{}, compacted: s.version, changed: make(chan struct{}), hangUp: make(chan struct{}), streams: true,
	}
}

// Unserve serves a resource no more.
func (s *Server) Unserve(name schema.GroupResource) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r, ok := s.resources[name]; ok {
		r.endWatches()
		delete(s.resources, name)
	}
}

// Stale makes these groups those that discovery could not reach.
func (s *Server) Stale(groups ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stale = groups
}

// Fail answers each request for a resource with that error and ends its
// watches; nil ends the failure.
func (s *Server) Fail(name schema.GroupResource, failure *apierrors.StatusError) {
	s.with(name, func(r *resource) {
		r.failure = failure
		r.endWatches()
	})
}

// Forbid answers each request for a resource as RBAC does without a rule.
func (s *Server) Forbid(name schema.GroupResource) {
	s.Fail(name, apierrors.NewForbidden(name, "", errors.New("no rule allows it")))
}

// RefuseStreams makes the lists of a resource come in pages.
func (s *Server) RefuseStreams(name schema.GroupResource) {
	s.with(name, func(r *resource) { r.streams = false })
}

// Expire forgets the events of a resource and ends its watches: whoever goes on
// from before is told that its resource version is too old.
func (s *Server) Expire(name schema.GroupResource) {
	s.with(name, func(r *resource) {
		s.version++
		r.events, r.compacted = nil, s.version
		r.endWatches()
	})
}

// EndWatches ends the open watches of a resource.
func (s *Server) EndWatches(name schema.GroupResource) {
	s.with(name, (*resource).endWatches)
}

// Watches is the number of open watches of a resource.
func (s *Server) Watches(name schema.GroupResource) int {
	watches := 0
	s.with(name, func(r *resource) { watches = r.watches })
	return watches
}

// Lists is the number of lists of a resource so far, streaming ones included.
func (s *Server) Lists(name schema.GroupResource) int {
	lists := 0
	s.with(name, func(r *resource) { lists = r.lists })
	return lists
}

// Load adds objects to a resource without events. It is for before clients
// come.
func (s *Server) Load(name schema.GroupResource, objects iter.Seq[runtime.Object]) {
	s.with(name, func(r *resource) {
		for object := range objects {
			s.store(r, object)
		}
		r.compacted = s.version
	})
}

// Put creates or updates an object.
func (s *Server) Put(name schema.GroupResource, object runtime.Object) {
	s.with(name, func(r *resource) {
		kind, entry := s.store(r, object)
		r.tell(event{kind, entry})
	})
}

// PutRaw creates or updates an object whose JSON its type does not fit.
func (s *Server) PutRaw(name schema.GroupResource, namespace, objectName, json string) {
	s.with(name, func(r *resource) {
		s.version++
		entry := stored{version: s.version, raw: []byte(json)}
		r.objects[key{namespace, objectName}] = entry
		r.tell(event{watch.Modified, entry})
	})
}

// Delete deletes an object.
func (s *Server) Delete(name schema.GroupResource, namespace, objectName string) {
	s.with(name, func(r *resource) {
		entry, ok := r.objects[key{namespace, objectName}]
		if !ok {
			return
		}
		delete(r.objects, key{namespace, objectName})
		s.version++
		entry.version = s.version
		r.tell(event{watch.Deleted, entry})
	})
}

// Get returns an object as it is stored, which must not be changed.
func (s *Server) Get(name schema.GroupResource, namespace, objectName string) runtime.Object {
	var object runtime.Object
	s.with(name, func(r *resource) { object = r.objects[key{namespace, objectName}].object })
	return object
}

func (s *Server) with(name schema.GroupResource, do func(*resource)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.resources[name]
	if !ok {
		panic(fmt.Sprintf("%s is not served", name))
	}
	do(r)
}

// store keeps an object in a new resource version. The caller holds mu.
func (s *Server) store(r *resource, object runtime.Object) (watch.EventType, stored) {
	accessor, err := meta.Accessor(object)
	if err != nil {
		panic(err)
	}
	s.version++
	accessor.SetResourceVersion(fmt.Sprint(s.version))
	k := key{accessor.GetNamespace(), accessor.GetName()}
	kind := watch.Added
	if _, ok := r.objects[k]; ok {
		kind = watch.Modified
	}
	entry := stored{version: s.version, object: object}
	r.objects[k] = entry
	return kind, entry
}

// tell hands an event to the watches. The caller holds mu.
func (r *resource) tell(e event) {
	r.events = append(r.events, e)
	close(r.changed)
	r.changed = make(chan struct{})
}

func (r *resource) endWatches() {
	close(r.hangUp)
	r.hangUp = make(chan struct{})
}

// sorted returns the stored objects in order. The caller holds mu.
func (r *resource) sorted() []stored {
	keys := make([]key, 0, len(r.objects))
	for k := range r.objects {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(x, y key) int {
		return strings.Compare(x.namespace+"\x00"+x.name, y.namespace+"\x00"+y.name)
	})
	all := make([]stored, 0, len(keys))
	for _, k := range keys {
		all = append(all, r.objects[k])
	}
	return all
}
