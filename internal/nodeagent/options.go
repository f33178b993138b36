package nodeagent

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/pflag"
	"k8s.io/utils/clock"
	"sigs.k8s.io/yaml"

	"github.com/extant-project/extant/internal/nodeagent/hostfs"
	"github.com/extant-project/extant/internal/nodeagent/inspect"
)

// Options are the agent's command line.
type Options struct {
	nodeName                             string
	hostRoot                             string
	kubeconfig, tokenFile, authorityFile string
	lookEvery, writeEvery                time.Duration
	readRate                             int
	print                                bool
	paths                                inspect.Paths
}

// NewOptions returns the defaults.
func NewOptions() *Options {
	return &Options{nodeName: os.Getenv("NODE_NAME"), hostRoot: "/", lookEvery: 10 * time.Minute, writeEvery: time.Hour, readRate: 16 << 20}
}

// AddFlags adds the flags.
func (o *Options) AddFlags(flags *pflag.FlagSet) {
	flags.StringVar(&o.nodeName, "node-name", o.nodeName, "The name of the node, and of the report. By default the environment variable NODE_NAME.")
	flags.StringVar(&o.hostRoot, "host-root", o.hostRoot, "Where the node's root directory, or parts of it, are mounted. All other paths of the node are as on the node.")
	flags.BoolVar(&o.print, "print", false, "Look once, print what was found, and write nothing.")
	flags.DurationVar(&o.lookEvery, "look-every", o.lookEvery, "How often to look although no change was seen.")
	flags.DurationVar(&o.writeEvery, "write-every", o.writeEvery, "How often to write the report although nothing has changed but its time.")
	flags.IntVar(&o.readRate, "read-bytes-per-second", o.readRate, "How much of programs is read in a second for their digests.")

	flags.StringVar(&o.kubeconfig, "kubeconfig", "", "A kubeconfig. By default the cluster that the agent runs in.")
	flags.StringVar(&o.tokenFile, "token-file", "", "In a cluster, the file with the bound token. By default that of the pod's service account.")
	flags.StringVar(&o.authorityFile, "certificate-authority", "", "In a cluster, the file with the API server's authority. By default that of the pod's service account.")

	flags.StringVar(&o.paths.NetworkConfig, "cni-config-dir", "", "The directory of CNI configuration. By default that of the container runtime's configuration, or /etc/cni/net.d.")
	flags.StringSliceVar(&o.paths.NetworkPrograms, "cni-bin-dir", nil, "The directories of CNI's programs. By default those of the container runtime's configuration, or /opt/cni/bin.")
	flags.StringVar(&o.paths.Kubelet, "kubelet-dir", "", "The kubelet's own directory. By default /var/lib/kubelet.")
	flags.StringVar(&o.paths.KubeletConfig, "kubelet-config", "", "The kubelet's configuration. By default that of its command line, or config.yaml in its own directory.")
	flags.StringVar(&o.paths.FlexVolumes, "flexvolume-dir", "", "The directory of FlexVolume drivers. By default that of the kubelet's command line or configuration.")
	flags.StringVar(&o.paths.CredentialProviders, "credential-provider-config", "", "The file, or the directory of files, of the kubelet's credential providers. By default that of its command line.")
	flags.StringVar(&o.paths.CredentialPrograms, "credential-provider-bin-dir", "", "The directory of their programs. By default that of the kubelet's command line.")
	flags.StringVar(&o.paths.Containerd, "containerd-config", "", "The configuration of containerd. By default /etc/containerd/config.toml.")
	flags.StringVar(&o.paths.CRIO, "crio-config", "", "The configuration of CRI-O; files in the directory named like it with .d behind come after it. By default /etc/crio/crio.conf.")
	flags.StringVar(&o.paths.NRIPlugins, "nri-plugin-dir", "", "The directory of the plugins of container runtimes. By default that of the container runtime's configuration, or /opt/nri/plugins.")
}

// Validate tells what is wrong with the command line.
func (o *Options) Validate() error {
	var errs []error
	if o.nodeName == "" && !o.print {
		errs = append(errs, errors.New("--node-name is required"))
	}
	for name, value := range map[string]time.Duration{"look-every": o.lookEvery, "write-every": o.writeEvery} {
		if value < time.Second {
			errs = append(errs, fmt.Errorf("--%s must be a second at least", name))
		}
	}
	if o.readRate < 1 {
		errs = append(errs, errors.New("--read-bytes-per-second must be positive"))
	}
	return errors.Join(errs...)
}

// Run is the program.
func (o *Options) Run(ctx context.Context) error {
	root, err := hostfs.Open(o.hostRoot)
	if err != nil {
		return err
	}
	defer root.Close()
	inspector := inspect.New(root, hostfs.NewPrograms(root, o.readRate), o.paths)
	if o.print {
		return printOnce(ctx, inspector)
	}
	api, err := o.api()
	if err != nil {
		return err
	}
	agent := &Agent{
		NodeName: o.nodeName, Look: inspector.Look, Apply: api.Apply,
		LookEvery: o.lookEvery, WriteEvery: o.writeEvery, Clock: clock.RealClock{},
	}
	return agent.Run(ctx)
}

func (o *Options) api() (*API, error) {
	if o.kubeconfig != "" {
		return fromKubeconfig(o.kubeconfig)
	}
	return inCluster(o.tokenFile, o.authorityFile)
}

func printOnce(ctx context.Context, inspector *inspect.Inspector) error {
	found, err := inspector.Look(ctx)
	if err != nil {
		return err
	}
	text, err := yaml.Marshal(map[string]any{"plugins": found.Plugins, "problems": found.Problems})
	if err != nil {
		return err
	}
	_, err = os.Stdout.Write(text)
	return err
}

// Main is the program with its command line. Its error is pflag.ErrHelp where
// that is what was asked for.
func Main(ctx context.Context, args []string) error {
	o := NewOptions()
	flags := pflag.NewFlagSet("extant-node-agent", pflag.ContinueOnError)
	o.AddFlags(flags)
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	if err := o.Validate(); err != nil {
		return err
	}
	return o.Run(ctx)
}
