package apiserver

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	genericoptions "k8s.io/apiserver/pkg/server/options"
	cliflag "k8s.io/component-base/cli/flag"
	"k8s.io/component-base/logs"
	logsapi "k8s.io/component-base/logs/api/v1"

	"github.com/extant-project/extant/pkg/apis/extant"
	"github.com/extant-project/extant/pkg/apis/extant/install"
	"github.com/extant-project/extant/pkg/apis/extant/v1alpha1"
)

const (
	// etcdPrefix is where the group's objects are kept.
	etcdPrefix = "/registry/extant.dev"
	// standalonePort is the port of a standalone server unless another is asked for.
	standalonePort = 7443
	// defaultDataDir is where a standalone server keeps its data.
	defaultDataDir = ".extant"
)

// Options are the command line of the server.
type Options struct {
	// ServerRun and Recommended are the options of every k8s.io/apiserver server.
	ServerRun   *genericoptions.ServerRunOptions
	Recommended *genericoptions.RecommendedOptions
	// Logs says how and how much is logged.
	Logs *logs.Options

	// Standalone makes the server its own cluster's: see StandaloneOptions.
	Standalone StandaloneOptions
	// Observe says which cluster is observed.
	Observe ObserveOptions
	// ServingCertificate says who makes the serving certificate in a cluster.
	ServingCertificate ServingCertificateOptions
	// EtcdUpkeep says how etcd is kept in order.
	EtcdUpkeep EtcdUpkeepOptions
	// Probe says which backends are called.
	Probe ProbeOptions
	// ExportOpenReports exports findings into the observed cluster.
	ExportOpenReports bool

	flags *pflag.FlagSet
}

// StandaloneOptions are the options of a server that runs on its own: etcd in
// the process, loopback only, and nothing in the observed cluster is acted on.
type StandaloneOptions struct {
	Enabled bool
	DataDir string
	// DataReserve is the space, in bytes, that must be free on the disk of DataDir
	// for writes to be accepted.
	DataReserve   int64
	KubeconfigOut string
}

// ObserveOptions say which cluster is observed.
type ObserveOptions struct {
	From       string
	Kubeconfig string
	// StaticAdmission is where the manifests are that a live cluster's API servers
	// load webhooks and policies from.
	StaticAdmission string
}

// ServingCertificateOptions are about the certificate with which the server
// answers kube-aggregator.
type ServingCertificateOptions struct {
	Managed   bool
	Namespace string
	Service   string
}

// NewOptions returns the defaults.
func NewOptions() *Options {
	o := &Options{
		ServerRun: newServerRunOptions(),
		Recommended: genericoptions.NewRecommendedOptions(etcdPrefix,
			install.Codecs.LegacyCodec(v1alpha1.SchemeGroupVersion)),
		Logs: logs.NewOptions(),
		Standalone: StandaloneOptions{
			DataDir:       defaultDataDir,
			DataReserve:   defaultDataReserve,
			KubeconfigOut: "extant.kubeconfig",
		},
		ServingCertificate: ServingCertificateOptions{
			Namespace: podNamespace(),
			Service:   "extant-apiserver",
		},
		EtcdUpkeep: newEtcdUpkeepOptions(),
		Probe:      ProbeOptions{Backends: true},
	}
	storage := &o.Recommended.Etcd.StorageConfig
	storage.EncodeVersioner = runtime.NewMultiGroupVersioner(v1alpha1.SchemeGroupVersion, schema.GroupKind{Group: extant.GroupName})
	// Objects are stored as protobuf: smaller, and cheaper to decode.
	o.Recommended.Etcd.DefaultStorageMediaType = runtime.ContentTypeProtobuf
	o.Recommended.Features.EnableProfiling = false
	// A request that kube-aggregator gives up on must not be worked on for longer.
	o.ServerRun.ShutdownDelayDuration = 0
	// Without it the server waits a minute for watches that never end by
	// themselves, and the kubelet kills it in the middle of that.
	o.ServerRun.ShutdownWatchTerminationGracePeriod = watchTermination
	// A review may hold two objects, each as large as the API server takes.
	o.ServerRun.MaxRequestBodyBytes = 4 << 20
	o.Recommended.Authorization.AlwaysAllowPaths = publicPaths
	// Extant never waits for the webhooks that it watches.
	o.Recommended.Admission.DefaultOffPlugins = admissionOffByDefault()
	return o
}

// watchTermination is how long a server that goes waits for the watches that it
// told to end.
const watchTermination = 5 * time.Second

// publicPaths are served to everybody: health for probes, and the version.
var publicPaths = []string{"/healthz", "/readyz", "/livez", "/healthz/*", "/readyz/*", "/livez/*", "/version"}

const exportOpenReportsFlag = "export-openreports"

// podNamespace is the namespace that the process runs in.
func podNamespace() string {
	if namespace := os.Getenv("POD_NAMESPACE"); namespace != "" {
		return namespace
	}
	const file = "/var/run/secrets/kubernetes.io/serviceaccount/namespace"
	if namespace, err := os.ReadFile(file); err == nil {
		return strings.TrimSpace(string(namespace))
	}
	return "extant-system"
}

// Flags returns the flags in named sections.
func (o *Options) Flags() cliflag.NamedFlagSets {
	var sections cliflag.NamedFlagSets
	fs := sections.FlagSet("Extant")
	fs.BoolVar(&o.Standalone.Enabled, "standalone", o.Standalone.Enabled,
		"Run on its own: etcd in the process, loopback only, with a generated CA and an admin kubeconfig. Nothing in the observed cluster is acted on.")
	fs.StringVar(&o.Standalone.DataDir, "data-dir", o.Standalone.DataDir,
		"Directory for etcd and certificates of a standalone server, kept between runs.")
	fs.Int64Var(&o.Standalone.DataReserve, "data-reserve-bytes", o.Standalone.DataReserve,
		"Space on the disk of --data-dir that a standalone server leaves free: with less, it refuses writes. Its etcd would end the process on a full disk.")
	fs.StringVar(&o.Standalone.KubeconfigOut, "kubeconfig-out", o.Standalone.KubeconfigOut,
		"File to which a standalone server writes its admin kubeconfig once it is ready.")
	fs.StringVar(&o.Observe.From, "observe-from", o.Observe.From,
		"Observe a dump in place of a live cluster: a file, a directory, or - for standard input, with YAML or JSON of Kubernetes objects. Read again when it changes.")
	fs.StringVar(&o.Observe.Kubeconfig, "observe-kubeconfig", o.Observe.Kubeconfig,
		"Observe the cluster of this kubeconfig in place of the one that Extant runs in.")
	fs.StringVar(&o.Observe.StaticAdmission, "observe-static-admission", o.Observe.StaticAdmission,
		"File or directory with copies of the manifests from which the observed API servers load webhooks and policies (their staticManifestsDir, Kubernetes 1.36 and later). The API does not show those. Read again when they change.")
	fs.BoolVar(&o.ServingCertificate.Managed, "manage-serving-certificate", o.ServingCertificate.Managed,
		"Issue and rotate the serving certificate in a Secret of --namespace, and keep the APIService's caBundle right. Off when --tls-cert-file is given.")
	fs.StringVar(&o.ServingCertificate.Namespace, "namespace", o.ServingCertificate.Namespace,
		"Namespace that Extant runs in: its Lease, its Secrets and its Service are there.")
	fs.StringVar(&o.ServingCertificate.Service, "service-name", o.ServingCertificate.Service,
		"Name of the Service that the APIService refers to.")
	o.EtcdUpkeep.addFlags(fs)
	o.Probe.addFlags(fs)
	fs.BoolVar(&o.ExportOpenReports, exportOpenReportsFlag, o.ExportOpenReports,
		"Export findings to the observed cluster as the ClusterReport extant of openreports.io, where that API is served. Needs the rights of the ClusterRole extant-openreports there.")

	o.ServerRun.AddUniversalFlags(sections.FlagSet("server"))
	o.Recommended.Etcd.AddFlags(sections.FlagSet("etcd"))
	o.Recommended.SecureServing.AddFlags(sections.FlagSet("secure serving"))
	o.Recommended.Authentication.AddFlags(sections.FlagSet("authentication"))
	o.Recommended.Authorization.AddFlags(sections.FlagSet("authorization"))
	o.Recommended.CoreAPI.AddFlags(sections.FlagSet("cluster"))
	o.Recommended.Admission.AddFlags(sections.FlagSet("admission"))
	o.Recommended.Audit.AddFlags(sections.FlagSet("audit"))
	o.Recommended.Features.AddFlags(sections.FlagSet("features"))
	o.Recommended.EgressSelector.AddFlags(sections.FlagSet("egress"))
	o.Recommended.Traces.AddFlags(sections.FlagSet("traces"))
	logsapi.AddFlags(o.Logs, sections.FlagSet("logs"))

	o.flags = pflag.NewFlagSet("", pflag.ContinueOnError)
	for _, section := range sections.FlagSets {
		o.flags.AddFlagSet(section)
	}
	return sections
}

// given tells whether a flag was on the command line.
func (o *Options) given(flag string) bool {
	return o.flags != nil && o.flags.Changed(flag)
}

// Complete derives what the mode decides.
func (o *Options) Complete() error {
	if err := o.ServerRun.ComponentGlobalsRegistry.Set(); err != nil {
		return err
	}
	if !o.Standalone.Enabled {
		return nil
	}
	dir, err := filepath.Abs(o.Standalone.DataDir)
	if err != nil {
		return fmt.Errorf("--data-dir %q: %w", o.Standalone.DataDir, err)
	}
	o.Standalone.DataDir = dir
	if !o.given("secure-port") {
		o.Recommended.SecureServing.BindPort = standalonePort
	}
	if !o.given("bind-address") {
		o.Recommended.SecureServing.BindAddress = net.IPv4(127, 0, 0, 1)
	}
	// Nothing of the observed cluster decides here, and nothing acts in it.
	o.Recommended.CoreAPI = nil
	o.Recommended.Admission = nil
	o.Recommended.Authentication = nil
	o.Recommended.Authorization = nil
	o.Recommended.Features.EnablePriorityAndFairness = false
	// Ctrl-C ends watches that nobody will miss.
	if !o.given("shutdown-watch-termination-grace-period") {
		o.ServerRun.ShutdownWatchTerminationGracePeriod = time.Second
	}
	return nil
}

// Validate says what is wrong with the options, in one sentence each.
func (o *Options) Validate() error {
	var errs []error
	if o.Standalone.Enabled {
		errs = append(errs, o.validateStandalone()...)
	} else {
		errs = append(errs, o.Recommended.Validate()...)
		if len(o.Recommended.Etcd.StorageConfig.Transport.ServerList) == 0 {
			errs = []error{errors.New("--etcd-servers is needed (or --standalone, which brings an etcd of its own)")}
		}
	}
	errs = append(errs, o.ServerRun.Validate()...)
	errs = append(errs, o.EtcdUpkeep.validate()...)
	if o.Observe.From != "" && o.Observe.Kubeconfig != "" {
		errs = append(errs, errors.New("--observe-from and --observe-kubeconfig exclude each other: one cluster is observed"))
	}
	if o.Observe.From != "" && o.ExportOpenReports {
		errs = append(errs, errors.New("--"+exportOpenReportsFlag+" has no meaning with --observe-from: a dump takes no report"))
	}
	if o.Observe.From != "" && o.Observe.StaticAdmission != "" {
		errs = append(errs, errors.New("--observe-static-admission has no meaning with --observe-from: put the manifests into the dump"))
	}
	return utilerrors.NewAggregate(errs)
}

func (o *Options) validateStandalone() []error {
	var errs []error
	if len(o.Recommended.Etcd.StorageConfig.Transport.ServerList) != 0 {
		errs = append(errs, errors.New("--standalone and --etcd-servers exclude each other: a standalone server brings an etcd of its own"))
	}
	// The library would say that 0 is no port. Here it takes a free one.
	if port := o.Recommended.SecureServing.BindPort; port < 0 || port > 65535 {
		errs = append(errs, fmt.Errorf("--secure-port %d: must be between 1 and 65535, or 0 for a free port", port))
	}
	if !o.Recommended.SecureServing.BindAddress.IsLoopback() {
		errs = append(errs, fmt.Errorf("--bind-address %s: a standalone server listens on loopback only", o.Recommended.SecureServing.BindAddress))
	}
	if o.Standalone.DataReserve < 0 {
		errs = append(errs, fmt.Errorf("--data-reserve-bytes %d: must not be negative", o.Standalone.DataReserve))
	}
	if o.given(probeBackendsFlag) && o.Probe.Backends {
		errs = append(errs, errors.New("--probe-backends has no meaning with --standalone: "+standaloneDoesNotProbe))
	}
	if o.ExportOpenReports {
		errs = append(errs, errors.New("--"+exportOpenReportsFlag+" has no meaning with --standalone: a standalone server acts in no other cluster"))
	}
	for _, flag := range []string{"authentication-kubeconfig", "authorization-kubeconfig", "kubeconfig", "client-ca-file"} {
		if o.given(flag) {
			errs = append(errs, fmt.Errorf("--%s has no meaning with --standalone: name the cluster to observe by --observe-kubeconfig", flag))
		}
	}
	return errs
}
