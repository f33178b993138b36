package observe

import (
	"context"
	"net/http"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/flowcontrol"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apiregistrationv1 "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"

	"github.com/extant-project/extant/internal/cluster"
)

const (
	userAgent = "extant-observer"
	// defaultQPS and defaultBurst let the lists of a start through at once and
	// stay far below what would bother an API server. Watches are not limited.
	defaultQPS   = 50
	defaultBurst = 100
	protobuf     = "application/vnd.kubernetes.protobuf"
)

// scheme has the types of the table of observed resources.
var scheme = func() *runtime.Scheme {
	scheme := runtime.NewScheme()
	utilruntime.Must(clientgoscheme.AddToScheme(scheme))
	utilruntime.Must(apiextensionsv1.AddToScheme(scheme))
	utilruntime.Must(apiregistrationv1.AddToScheme(scheme))
	return scheme
}()

// clients talk to one cluster over one HTTP client and one rate limiter.
type clients struct {
	config    *rest.Config
	http      *http.Client
	discovery *discovery.DiscoveryClient
	metadata  metadata.Interface
	dynamic   dynamic.Interface

	mu sync.Mutex
	// typed has a client for each group version.
	typed map[schema.GroupVersion]*rest.RESTClient
}

func newClients(given *rest.Config) (*clients, error) {
	config := rest.CopyConfig(given)
	config.UserAgent = userAgent
	// A timeout of the whole exchange would end every watch.
	config.Timeout = 0
	if config.QPS == 0 {
		config.QPS, config.Burst = defaultQPS, defaultBurst
	}
	if config.RateLimiter == nil && config.QPS > 0 {
		config.RateLimiter = flowcontrol.NewTokenBucketRateLimiter(config.QPS, max(config.Burst, 1))
	}
	c := &clients{config: config, typed: map[schema.GroupVersion]*rest.RESTClient{}}
	var err error
	if c.http, err = rest.HTTPClientFor(config); err != nil {
		return nil, err
	}
	if c.discovery, err = discovery.NewDiscoveryClientForConfigAndClient(config, c.http); err != nil {
		return nil, err
	}
	if c.metadata, err = metadata.NewForConfigAndClient(config, c.http); err != nil {
		return nil, err
	}
	if c.dynamic, err = dynamic.NewForConfigAndClient(config, c.http); err != nil {
		return nil, err
	}
	return c, nil
}

// access is how one resource is read.
type access struct {
	list  func(context.Context, metav1.ListOptions) (runtime.Object, error)
	watch func(context.Context, metav1.ListOptions) (watch.Interface, error)
}

// access returns how a row of the table is read in its version: metadata-only,
// in its type, or as it comes where its types are another project's.
func (c *clients) access(row cluster.Resource) (access, error) {
	if row.MetadataOnly {
		client := c.metadata.Resource(row.GroupVersionResource)
		return access{
			list: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
				return client.List(ctx, options)
			},
			watch: client.Watch,
		}, nil
	}
	if isUnstructured(row) {
		client := c.dynamic.Resource(row.GroupVersionResource)
		return access{
			list: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
				return client.List(ctx, options)
			},
			watch: client.Watch,
		}, nil
	}
	client, err := c.typedClient(row.GroupVersion())
	if err != nil {
		return access{}, err
	}
	request := func(options metav1.ListOptions) *rest.Request {
		return client.Get().Resource(row.Resource).VersionedParams(&options, metav1.ParameterCodec)
	}
	return access{
		list: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			return request(options).Do(ctx).Get()
		},
		watch: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			options.Watch = true
			var timeout time.Duration
			if options.TimeoutSeconds != nil {
				timeout = time.Duration(*options.TimeoutSeconds) * time.Second
			}
			return request(options).Timeout(timeout).Watch(ctx)
		},
	}, nil
}

func (c *clients) typedClient(version schema.GroupVersion) (*rest.RESTClient, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if client, ok := c.typed[version]; ok {
		return client, nil
	}
	config := rest.CopyConfig(c.config)
	config.GroupVersion = &version
	config.APIPath = "/apis"
	if version.Group == "" {
		config.APIPath = "/api"
	}
	config.ContentType = protobuf
	config.AcceptContentTypes = protobuf + ",application/json"
	config.NegotiatedSerializer = tolerantSerializer{serializer.NewCodecFactory(scheme).WithoutConversion()}
	client, err := rest.RESTClientForConfigAndClient(config, c.http)
	if err == nil {
		c.typed[version] = client
	}
	return client, err
}

// decodable tells whether the objects of a row can be read in its version.
func decodable(row cluster.Resource) bool {
	return row.MetadataOnly || isUnstructured(row) || scheme.Recognizes(row.GroupVersion().WithKind(row.Kind))
}

func isUnstructured(row cluster.Resource) bool {
	_, ok := row.New().(runtime.Unstructured)
	return ok
}
