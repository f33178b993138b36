package apiserver

import (
	"context"
	"fmt"
	"time"

	"k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/internal/dump"
	"github.com/extant-project/extant/internal/observe"
)

// observed is a source with what people call it.
type observed struct {
	source cluster.Source
	// run brings a live source up to date until the context ends; nil for
	// dumps.
	run func(context.Context)
	// asker asks a live source's cluster; nil for dumps.
	asker *observe.Asker
	// config is how a live source's cluster is reached; nil for dumps.
	config *rest.Config
	// name is what is observed, for people.
	name string
}

// observed returns what the options say is observed, with what they declare.
// host is nil for a standalone server.
func (o *Options) observed(ctx context.Context, host *rest.Config) (*observed, error) {
	found, err := o.cluster(ctx, host)
	if err != nil || o.Observe.StaticAdmission == "" {
		return found, err
	}
	if found.source, err = dump.Declare(ctx, found.source, o.Observe.StaticAdmission, dump.Options{}); err != nil {
		return nil, fmt.Errorf("--observe-static-admission %s: %w", o.Observe.StaticAdmission, err)
	}
	return found, nil
}

func (o *Options) cluster(ctx context.Context, host *rest.Config) (*observed, error) {
	switch {
	case o.Observe.From != "":
		source, err := dump.Open(ctx, o.Observe.From, dump.Options{})
		if err != nil {
			return nil, err
		}
		name := "the dump at " + o.Observe.From
		if o.Observe.From == "-" {
			name = "the dump on standard input"
		}
		return &observed{source: source, name: name}, nil
	case o.Observe.Kubeconfig != "":
		config, err := clientcmd.BuildConfigFromFlags("", o.Observe.Kubeconfig)
		if err != nil {
			return nil, fmt.Errorf("--observe-kubeconfig %s: %w", o.Observe.Kubeconfig, err)
		}
		return live(config, "the cluster at "+config.Host)
	case host != nil:
		return live(host, "the cluster that Extant runs in")
	}
	config, reason := environmentCluster()
	if config != nil {
		return live(config, "the cluster at "+config.Host)
	}
	source, err := dump.FromFS(dump.Example())
	if err != nil {
		return nil, err
	}
	return &observed{source: source, name: "the bundled example cluster (" + reason + ")"}, nil
}

func live(config *rest.Config, name string) (*observed, error) {
	source, err := observe.New(rest.CopyConfig(config))
	if err != nil {
		return nil, fmt.Errorf("could not observe %s: %w", name, err)
	}
	asker, err := observe.NewAsker(config)
	if err != nil {
		return nil, fmt.Errorf("could not observe %s: %w", name, err)
	}
	return &observed{source: source, run: source.Run, asker: asker, config: config, name: name}, nil
}

// reachable is how long the environment's cluster may take to say its version.
const reachable = 2 * time.Second

// environmentCluster returns the cluster of the environment's kubeconfig, or
// why there is none to observe.
func environmentCluster() (_ *rest.Config, reason string) {
	loader := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(clientcmd.NewDefaultClientConfigLoadingRules(), &clientcmd.ConfigOverrides{})
	raw, err := loader.RawConfig()
	if err != nil {
		return nil, "the kubeconfig cannot be read: " + err.Error()
	}
	if raw.CurrentContext == "" {
		return nil, "no kubeconfig names a cluster"
	}
	if raw.CurrentContext == standaloneContext {
		return nil, "the kubeconfig names this server"
	}
	config, err := loader.ClientConfig()
	if err != nil {
		return nil, "the kubeconfig cannot be used: " + err.Error()
	}
	probe := rest.CopyConfig(config)
	probe.Timeout = reachable
	client, err := discovery.NewDiscoveryClientForConfig(probe)
	if err != nil {
		return nil, "the kubeconfig cannot be used: " + err.Error()
	}
	if _, err := client.ServerVersion(); err != nil {
		return nil, fmt.Sprintf("the cluster %q of the kubeconfig cannot be reached", raw.CurrentContext)
	}
	return config, ""
}
