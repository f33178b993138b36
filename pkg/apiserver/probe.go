package apiserver

import (
	"context"

	"github.com/spf13/pflag"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/record"

	"github.com/extant-project/extant/pkg/apis/extant/install"
)

// ProbeOptions say which backends are called.
type ProbeOptions struct {
	// Backends: backends are called at all.
	Backends bool
	// LocalAddresses: those on loopback and link-local addresses too.
	LocalAddresses bool
}

const probeBackendsFlag = "probe-backends"

func (o *ProbeOptions) addFlags(fs *pflag.FlagSet) {
	fs.BoolVar(&o.Backends, probeBackendsFlag, o.Backends,
		"Connect to the backends of the observed cluster's hooks, as its API server would, to tell whether they answer. No request is sent. An Extension's spec.probe says how; a standalone server never does.")
	fs.BoolVar(&o.LocalAddresses, "probe-local-addresses", o.LocalAddresses,
		"Connect also to backends on loopback, link-local and cloud metadata addresses, which whoever registers a hook may name.")
}

const standaloneDoesNotProbe = "a standalone server does not probe, as it is not where the API server is"

// probesOff says why backends are not called; empty where they are. Only from within
// the observed cluster, a backend that does not answer is one that is down.
func (o *Options) probesOff(what *observed) string {
	switch {
	case what.run == nil:
		return "a dump cannot be probed"
	case o.Standalone.Enabled:
		return standaloneDoesNotProbe
	case o.Observe.Kubeconfig != "":
		return "another cluster than Extant's own is not probed"
	case !o.Probe.Backends:
		return "probing is off (--probe-backends)"
	default:
		return ""
	}
}

// events returns what takes events about Extant's own objects, and writes them
// to the host cluster until the context of run ends.
func events(host *rest.Config) (recorder record.EventRecorder, run func(context.Context), err error) {
	client, err := kubernetes.NewForConfig(rest.AddUserAgent(rest.CopyConfig(host), "events"))
	if err != nil {
		return nil, nil, err
	}
	broadcaster := record.NewBroadcaster()
	run = func(ctx context.Context) {
		watch := broadcaster.StartRecordingToSink(&typedcorev1.EventSinkImpl{Interface: client.CoreV1().Events("")})
		<-ctx.Done()
		watch.Stop()
		broadcaster.Shutdown()
	}
	return broadcaster.NewRecorder(install.Scheme, corev1.EventSource{Component: "extant-prober"}), run, nil
}
