package apiserver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/endpoints/openapi"
	genericapiserver "k8s.io/apiserver/pkg/server"
	"k8s.io/apiserver/pkg/storage/storagebackend"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	basecompatibility "k8s.io/component-base/compatibility"
	"k8s.io/component-base/metrics/legacyregistry"
	"k8s.io/klog/v2"

	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/internal/controller/etcdupkeep"
	"github.com/extant-project/extant/internal/observe"
	"github.com/extant-project/extant/pkg/apis/extant/install"
	generatedopenapi "github.com/extant-project/extant/pkg/generated/openapi"
)

// Config is what a server is made of.
type Config struct {
	// Generic is the library's part.
	Generic *genericapiserver.RecommendedConfig
	// Source hands out snapshots of the observed cluster.
	Source cluster.Source
	// RunSource brings the source up to date until the context ends.
	RunSource func(context.Context)
	// Asker asks the observed cluster what the source does not show; nil where
	// there is nobody to ask.
	Asker *observe.Asker
	// Host is the cluster that Extant runs in; nil for a standalone server.
	Host *rest.Config
	// Namespace is where Extant runs in the host cluster.
	Namespace string
	// Probe says which backends are called, and ProbesOff why none is; empty where
	// they are.
	Probe     ProbeOptions
	ProbesOff string
	// Reports takes the findings that are exported; nil: none are.
	Reports dynamic.Interface
	// Etcd is where the objects are kept, and EtcdUpkeep how that is kept in
	// order; without a period it is not.
	Etcd       storagebackend.TransportConfig
	EtcdUpkeep etcdupkeep.Policy
}

// Config turns completed options into a config. It reads what the host cluster
// says about authentication, and waits for it.
func (o *Options) Config(ctx context.Context) (*Config, error) {
	generic := genericapiserver.NewRecommendedConfig(install.Codecs)
	o.describe(&generic.Config)
	if err := o.ServerRun.ApplyTo(&generic.Config); err != nil {
		return nil, err
	}
	// The gates of the library are asked by the library; the version that is
	// told is Extant's.
	generic.EffectiveVersion = servedVersion{generic.EffectiveVersion}
	generic.FeatureGate = o.ServerRun.ComponentGlobalsRegistry.FeatureGateFor(basecompatibility.DefaultKubeComponent)

	config := &Config{Generic: generic, Namespace: o.ServingCertificate.Namespace, Probe: o.Probe}
	switch {
	case o.Standalone.Enabled:
		if err := o.Standalone.issueServingCertificate(o.Recommended.SecureServing); err != nil {
			return nil, err
		}
	default:
		host, err := o.hostConfig()
		if err != nil {
			return nil, err
		}
		config.Host = host
		if err := o.prepareForHost(ctx, host); err != nil {
			return nil, err
		}
		if err := o.prepareServingCertificate(); err != nil {
			return nil, err
		}
	}
	o.Recommended.ExtraAdmissionInitializers = func(*genericapiserver.RecommendedConfig) ([]admission.PluginInitializer, error) {
		return nil, nil
	}
	if err := o.listen(); err != nil {
		return nil, err
	}
	err := o.Recommended.ApplyTo(generic)
	if err != nil {
		return nil, err
	}
	if o.Standalone.Enabled {
		err = o.Standalone.secure(&generic.Config)
	} else {
		err = o.ServingCertificate.manage(generic.SecureServing, config.Host)
	}
	if err != nil {
		return nil, err
	}
	config.Etcd, config.EtcdUpkeep = o.Recommended.Etcd.StorageConfig.Transport, o.EtcdUpkeep.policy()
	space := o.Standalone.diskSpace()
	if space != nil {
		if err := legacyregistry.CustomRegister(space); err != nil {
			return nil, err
		}
	}
	generic.RESTOptionsGetter = deadlineGetter{generic.RESTOptionsGetter, space}
	// The controllers of this process write in bursts when the cluster changes.
	generic.LoopbackClientConfig.QPS, generic.LoopbackClientConfig.Burst = 200, 400
	return config, nil
}

// describe sets what the API says about itself.
func (o *Options) describe(config *genericapiserver.Config) {
	namer := openapi.NewDefinitionNamer(install.Scheme)
	config.OpenAPIConfig = genericapiserver.DefaultOpenAPIConfig(generatedopenapi.GetOpenAPIDefinitions, namer)
	config.OpenAPIConfig.Info.Title = "Extant"
	config.OpenAPIV3Config = genericapiserver.DefaultOpenAPIV3Config(generatedopenapi.GetOpenAPIDefinitions, namer)
	config.OpenAPIV3Config.Info.Title = "Extant"
}

// hostConfig is how the host cluster is reached.
func (o *Options) hostConfig() (*rest.Config, error) {
	path := o.Recommended.CoreAPI.CoreAPIKubeconfigPath
	if path == "" {
		config, err := rest.InClusterConfig()
		if errors.Is(err, rest.ErrNotInCluster) {
			return nil, errors.New("--kubeconfig is needed outside of a cluster (or --standalone, which needs none)")
		}
		return config, err
	}
	config, err := clientcmd.BuildConfigFromFlags("", path)
	if err != nil {
		return nil, fmt.Errorf("--kubeconfig %s: %w", path, err)
	}
	return config, nil
}

// prepareForHost waits until the host cluster says how requests are
// authenticated, and turns off what it does not offer.
func (o *Options) prepareForHost(ctx context.Context, host *rest.Config) error {
	client, err := kubernetes.NewForConfig(host)
	if err != nil {
		return err
	}
	if !o.Recommended.Authentication.SkipInClusterLookup && !o.Recommended.Authentication.TolerateInClusterLookupFailure {
		if err := waitForAuthentication(ctx, client); err != nil {
			return err
		}
	}
	o.turnOffUnservable(ctx, client)
	return nil
}

// authenticationWait is how long a server waits for the ConfigMap without
// which it can't tell the aggregator from anybody else. The library reads it
// once and gives up, which makes a crash loop of a late RoleBinding.
const authenticationWait = 5 * time.Minute

func waitForAuthentication(ctx context.Context, client kubernetes.Interface) error {
	const namespace, name = metav1.NamespaceSystem, "extension-apiserver-authentication"
	logger := klog.FromContext(ctx)
	var last error
	err := wait.PollUntilContextTimeout(ctx, time.Second, authenticationWait, true, func(ctx context.Context) (bool, error) {
		found, err := client.CoreV1().ConfigMaps(namespace).Get(ctx, name, metav1.GetOptions{})
		if err == nil && found.Data["requestheader-client-ca-file"] == "" {
			err = errors.New("it has no requestheader-client-ca-file: kube-apiserver runs without the --requestheader-* flags that aggregation needs")
		}
		if err != nil && (last == nil || last.Error() != err.Error()) {
			logger.Info("Waiting for the ConfigMap that says how requests are authenticated", "configMap", klog.KRef(namespace, name), "err", err, "hint", authenticationHint(err))
		}
		last = err
		return err == nil, nil
	})
	if err != nil {
		return fmt.Errorf("could not read ConfigMap %s/%s, which says how requests are authenticated (%s): %w", namespace, name, authenticationHint(last), last)
	}
	return nil
}

func authenticationHint(err error) string {
	if apierrors.IsForbidden(err) {
		return "bind the Role extension-apiserver-authentication-reader in kube-system to Extant's ServiceAccount"
	}
	return "check that the API server of the host cluster can be reached and has aggregation enabled"
}

// listen opens the port first, so that a port in use is said in one sentence.
func (o *Options) listen() error {
	serving := o.Recommended.SecureServing
	if serving.PermitPortSharing || serving.PermitAddressSharing {
		return nil // the library sets these options on the socket that it opens
	}
	address := net.JoinHostPort(serving.BindAddress.String(), fmt.Sprint(serving.BindPort))
	listener, err := net.Listen(cmp.Or(serving.BindNetwork, "tcp"), address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("port %d is in use: choose another with --secure-port (0 takes a free one)", serving.BindPort)
	}
	if err != nil {
		return fmt.Errorf("could not listen on %s: %w", address, err)
	}
	serving.Listener, serving.BindPort = listener, listener.Addr().(*net.TCPAddr).Port
	return nil
}
