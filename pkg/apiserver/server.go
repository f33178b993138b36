package apiserver

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	genericapiserver "k8s.io/apiserver/pkg/server"
	"k8s.io/apiserver/pkg/server/healthz"
	"k8s.io/client-go/rest"
	"k8s.io/component-base/metrics/legacyregistry"
	"k8s.io/utils/clock"

	"github.com/extant-project/extant/internal/catalogue"
	"github.com/extant-project/extant/internal/controller/analyser"
	cataloguecontroller "github.com/extant-project/extant/internal/controller/catalogue"
	"github.com/extant-project/extant/internal/controller/discovery"
	"github.com/extant-project/extant/internal/controller/openreports"
	outagecontroller "github.com/extant-project/extant/internal/controller/outage"
	"github.com/extant-project/extant/internal/controller/plugins"
	"github.com/extant-project/extant/internal/controller/prober"
	"github.com/extant-project/extant/pkg/apis/extant"
	"github.com/extant-project/extant/pkg/apis/extant/install"
	"github.com/extant-project/extant/pkg/apis/extant/v1alpha1"
	"github.com/extant-project/extant/pkg/generated/clientset/versioned"
	client "github.com/extant-project/extant/pkg/generated/clientset/versioned/typed/extant/v1alpha1"
	informers "github.com/extant-project/extant/pkg/generated/informers/externalversions"
	kinds "github.com/extant-project/extant/pkg/generated/informers/externalversions/extant/v1alpha1"
	"github.com/extant-project/extant/pkg/registry/review"
	"github.com/extant-project/extant/pkg/registry/stored"
)

// Server is Extant's API server with its controllers.
type Server struct {
	// Generic is the library's server.
	Generic *genericapiserver.GenericAPIServer

	config      *Config
	catalogue   *cataloguecontroller.Controller
	discovery   *discovery.Controller
	outage      *outagecontroller.Controller
	analyser    *analyser.Controller
	prober      *prober.Controller
	plugins     *plugins.Controller
	reports     *openreports.Controller
	named       *discovery.Named
	informers   informers.SharedInformerFactory
	inventories *discovery.Inventories
	// retiring is closed to end this replica's part in the Lease, and retired
	// when it has none any more.
	retiring, retired chan struct{}
}

// completedConfig is a Config from which nothing is missing.
type completedConfig struct {
	*Config
	generic genericapiserver.CompletedConfig
}

// CompletedConfig can only be made by Complete.
type CompletedConfig struct {
	*completedConfig
}

// Complete fills in what is missing.
func (c *Config) Complete() CompletedConfig {
	c.Generic.AddReadyzChecks(healthz.NamedCheck("observed-cluster", func(*http.Request) error {
		if !c.Source.Settled() {
			return errors.New("the observed cluster has not been read yet")
		}
		return nil
	}))
	// The library serves before it has read the authorities of the cluster, and
	// takes everybody for anonymous until then.
	if headers := c.Generic.Authentication.RequestHeaderConfig; headers != nil {
		c.Generic.AddReadyzChecks(healthz.NamedCheck("front-proxy-authority", func(*http.Request) error {
			if len(headers.CAContentProvider.CurrentCABundleContent()) == 0 {
				return errors.New("the authority of kube-aggregator's certificate has not been read yet")
			}
			return nil
		}))
	}
	// A managed certificate is a placeholder until the replicas' own is read.
	if managed, ok := c.Generic.SecureServing.Cert.(healthz.HealthChecker); ok {
		c.Generic.AddReadyzChecks(managed)
	}
	return CompletedConfig{&completedConfig{c, c.Generic.Complete()}}
}

// New makes the server.
func (c CompletedConfig) New() (*Server, error) {
	generic, err := c.generic.New("extant-apiserver", genericapiserver.NewEmptyDelegate())
	if err != nil {
		return nil, err
	}
	s := &Server{Generic: generic, config: c.Config, retiring: make(chan struct{}), retired: make(chan struct{})}
	if err := s.addControllers(c.generic.LoopbackClientConfig); err != nil {
		return nil, err
	}
	storage, err := stored.Storage(c.generic.RESTOptionsGetter, stored.Config{
		Authorizer: c.generic.Authorization.Authorizer, CallersAreKnown: c.Host != nil,
	})
	if err != nil {
		return nil, fmt.Errorf("etcd at %s cannot be used: %w: check --etcd-servers, --etcd-cafile, --etcd-certfile and --etcd-keyfile",
			strings.Join(c.Etcd.ServerList, ","), err)
	}
	if err := legacyregistry.CustomRegister(&observedCollector{source: c.Source}); err != nil {
		return nil, err
	}
	maps.Copy(storage, review.Storage(s.reviews(c.generic.Authorization.Authorizer)))
	group := genericapiserver.NewDefaultAPIGroupInfo(extant.GroupName, install.Scheme, metav1.ParameterCodec, install.Codecs)
	group.VersionedResourcesStorageMap[v1alpha1.SchemeGroupVersion.Version] = storage
	if err := generic.InstallAPIGroup(&group); err != nil {
		return nil, err
	}
	return s, nil
}

// reviews says what reviews are answered from. In a cluster, the host cluster
// authenticates the callers and decides who may name whom, and the observed one
// is taken to know the same users; a standalone server knows only an identity
// that it made up itself.
func (s *Server) reviews(authorizer authorizer.UnconditionalAuthorizer) review.Config {
	config := review.Config{
		Source:          s.config.Source,
		Inventory:       s.inventories.Take,
		Now:             time.Now,
		Authorizer:      authorizer,
		CallersAreKnown: s.config.Host != nil,
	}
	if s.config.Asker != nil {
		config.Cluster = s.config.Asker
	}
	return config
}

func (s *Server) addControllers(loopback *rest.Config) error {
	config := rest.CopyConfig(loopback)
	config.ContentType = "application/vnd.kubernetes.protobuf"
	config.UserAgent = "extant-controllers"
	client, err := versioned.NewForConfig(config)
	if err != nil {
		return err
	}
	s.informers = informers.NewSharedInformerFactory(client, 0)
	kinds := s.informers.Extant().V1alpha1()
	if s.catalogue, err = cataloguecontroller.New(catalogue.Points(), catalogue.Policies(), client.ExtantV1alpha1(), kinds.ExtensionPoints()); err != nil {
		return err
	}
	s.inventories = discovery.NewInventories(kinds, catalogue.Points(), clock.RealClock{})
	if s.named, err = discovery.NewNamed(s.config.Source, kinds.ExtensionPoints()); err != nil {
		return err
	}
	if s.discovery, err = discovery.New(s.config.Source, s.inventories, client.ExtantV1alpha1(), kinds); err != nil {
		return err
	}
	reviews := s.reviews(nil)
	if s.outage, err = outagecontroller.New(outagecontroller.Config{
		Source: s.config.Source, Inventory: s.inventories.Take, Params: reviews.ParamsOf, Client: client.ExtantV1alpha1(), Kinds: kinds,
	}); err != nil {
		return err
	}
	if s.analyser, err = analyser.New(analyser.Config{
		Source: s.config.Source, Inventory: s.inventories.Take, Params: reviews.ParamsOf, Client: client.ExtantV1alpha1(), Kinds: kinds, Clock: clock.RealClock{},
	}); err != nil {
		return err
	}
	if s.plugins, err = plugins.New(s.config.Source, client.ExtantV1alpha1(), kinds, clock.RealClock{}); err != nil {
		return err
	}
	if err := s.addProber(client.ExtantV1alpha1(), kinds); err != nil {
		return err
	}
	if s.config.Reports != nil {
		if s.reports, err = openreports.New(s.config.Source, s.config.Reports, kinds.Findings(), clock.RealClock{}); err != nil {
			return err
		}
	}
	if s.config.RunSource != nil {
		s.Generic.AddPostStartHookOrDie("observe-cluster", func(ctx genericapiserver.PostStartHookContext) error {
			go s.config.RunSource(ctx)
			return nil
		})
	}
	if s.config.Host != nil {
		s.Generic.AddPreShutdownHookOrDie("give-back-lease", s.retire)
	}
	s.Generic.AddPostStartHookOrDie("run-controllers", func(ctx genericapiserver.PostStartHookContext) error {
		s.informers.Start(ctx.Done())
		go s.named.Run(ctx)
		if s.config.Host == nil {
			go s.runControllers(ctx)
			return nil
		}
		return s.lead(ctx)
	})
	return nil
}

func (s *Server) addProber(client client.ExtantV1alpha1Interface, kinds kinds.Interface) (err error) {
	config := prober.Config{
		Source: s.config.Source, Inventory: s.inventories.Unprobed, Client: client, Kinds: kinds, Clock: clock.RealClock{},
		Off: s.config.ProbesOff, AllowLocal: s.config.Probe.LocalAddresses, Namespace: s.config.Namespace,
	}
	if s.config.Host != nil {
		var record func(context.Context)
		if config.Events, record, err = events(s.config.Host); err != nil {
			return err
		}
		s.Generic.AddPostStartHookOrDie("record-events", func(ctx genericapiserver.PostStartHookContext) error {
			go record(ctx)
			return nil
		})
	}
	if s.prober, err = prober.New(config); err != nil {
		return err
	}
	return legacyregistry.CustomRegister(s.prober.Collector())
}

// runControllers runs what only one replica may do, and returns when nothing
// of it runs any more. It may be called again then: a replica can have several
// terms.
func (s *Server) runControllers(ctx context.Context) {
	select {
	case <-ctx.Done():
		return
	case <-s.named.Followed(): // nothing is concluded from what is not observed yet
	}
	var running sync.WaitGroup
	defer running.Wait()
	for _, run := range []func(context.Context){
		s.catalogue.Run, s.discovery.Run, s.outage.Run, s.prober.Run, s.analyser.Run, s.plugins.Run,
	} {
		running.Go(func() { run(ctx) })
	}
	if s.reports != nil {
		running.Go(func() { s.reports.Run(ctx) })
	}
	if s.config.EtcdUpkeep.Period > 0 {
		running.Go(func() { keepEtcd(ctx, s.config.Etcd, s.config.EtcdUpkeep) })
	}
}

// Run serves until the context ends, and then goes quietly.
func (s *Server) Run(ctx context.Context) error {
	return s.Generic.PrepareRun().RunWithContext(ctx)
}
