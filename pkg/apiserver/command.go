package apiserver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/util/wait"
	genericapiserver "k8s.io/apiserver/pkg/server"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	cliflag "k8s.io/component-base/cli/flag"
	"k8s.io/component-base/logs"
	logsapi "k8s.io/component-base/logs/api/v1"
	"k8s.io/component-base/term"
	"k8s.io/klog/v2"

	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/internal/pki"
)

// NewCommand returns the command line of the server. The context ends the
// server.
func NewCommand(ctx context.Context) *cobra.Command {
	options := NewOptions()
	command := &cobra.Command{
		Use:   "extant-apiserver",
		Short: "Serve what extends a Kubernetes cluster as an API",
		Long: "extant-apiserver observes a Kubernetes cluster and serves what extends it as the API group extant.dev:\n" +
			"behind kube-aggregator with an etcd of its own, or, with --standalone, on its own.\n\n" +
			"Its subcommands pki and etcd make the certificates of that etcd, and back it up.",
		Version:      gitVersion,
		Args:         cobra.NoArgs,
		SilenceUsage: true,
		RunE: func(command *cobra.Command, _ []string) error {
			if err := options.Complete(); err != nil {
				return err
			}
			if err := options.Validate(); err != nil {
				return err
			}
			return run(command.Context(), options, command.OutOrStdout())
		},
	}
	command.SetContext(ctx)
	command.AddCommand(pki.NewCommand(), newEtcdCommand())
	sections := options.Flags()
	command.Flags().AddFlagSet(options.flags)
	// Subcommands keep a help of their own: the server's names all its flags.
	plain := &cobra.Command{}
	for _, subcommand := range command.Commands() {
		subcommand.SetUsageFunc(plain.UsageFunc())
		subcommand.SetHelpFunc(plain.HelpFunc())
	}
	columns, _, _ := term.TerminalSize(os.Stdout)
	cliflag.SetUsageAndHelpFunc(command, sections, columns)
	return command
}

func run(ctx context.Context, options *Options, out io.Writer) error {
	limitGarbage()
	if options.Standalone.Enabled {
		return runStandalone(ctx, options, out)
	}
	if err := logsapi.ValidateAndApply(options.Logs, nil); err != nil {
		return err
	}
	server, _, err := newServer(ctx, options)
	if err != nil {
		return err
	}
	return server.Run(ctx)
}

func newServer(ctx context.Context, options *Options) (*Server, *observed, error) {
	config, err := options.Config(ctx)
	if err != nil {
		return nil, nil, err
	}
	what, err := options.observed(ctx, config.Host)
	if err != nil {
		return nil, nil, err
	}
	config.Source, config.RunSource, config.Asker = what.source, what.run, what.asker
	config.ProbesOff = options.probesOff(what)
	if options.ExportOpenReports {
		if config.Reports, err = dynamic.NewForConfig(rest.AddUserAgent(rest.CopyConfig(what.config), "openreports")); err != nil {
			return nil, nil, err
		}
	}
	server, err := config.Complete().New()
	return server, what, err
}

// runStandalone runs etcd around the server, and tells people what to do next.
func runStandalone(ctx context.Context, options *Options, out io.Writer) error {
	standalone := &options.Standalone
	if err := os.MkdirAll(standalone.DataDir, 0o700); err != nil {
		return fmt.Errorf("could not make the data directory: %w", err)
	}
	log, err := os.OpenFile(standalone.logFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("could not open the log file: %w", err)
	}
	defer log.Close()
	if err := logsapi.ValidateAndApplyWithOptions(options.Logs, &logsapi.LoggingOptions{ErrorStream: log, InfoStream: log}, nil); err != nil {
		return err
	}
	klog.LogToStderr(false)
	klog.SetOutput(log)
	defer logs.FlushLogs()

	etcd, err := startEmbeddedEtcd(ctx, standalone.DataDir, standalone.logFile())
	if err != nil {
		return err
	}
	// Last of all: the server ends with every accepted write in etcd.
	defer etcd.stop()
	options.Recommended.Etcd.StorageConfig.Transport.ServerList = []string{etcd.endpoint()}

	server, what, err := newServer(ctx, options)
	if err != nil {
		return err
	}
	failed := make(chan error, 1)
	server.Generic.AddPostStartHookOrDie("announce", func(hook genericapiserver.PostStartHookContext) error {
		go func() {
			if err := announce(hook, standalone, server, what, out); err != nil && hook.Err() == nil {
				failed <- err
			}
		}()
		return nil
	})
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case err := <-failed:
			cancel(err)
		case <-ctx.Done():
		}
	}()
	if err := server.Run(ctx); err != nil {
		return err
	}
	if err := context.Cause(ctx); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	fmt.Fprintln(out, "Stopped.")
	return nil
}

// firstInventory is how long the announcement waits for the inventory to be
// written, beyond readiness.
const firstInventory = 10 * time.Second

// saysWaiting is how long a user sees nothing.
const saysWaiting = 3 * time.Second

// announce writes the kubeconfig once the server is ready and the first
// inventory is in it, and says what can be done.
func announce(ctx context.Context, standalone *StandaloneOptions, server *Server, what *observed, out io.Writer) error {
	client, err := kubernetes.NewForConfig(rest.CopyConfig(server.Generic.LoopbackClientConfig))
	if err != nil {
		return err
	}
	waiting := time.AfterFunc(saysWaiting, func() {
		fmt.Fprintf(out, "Waiting until %s is read, for half a minute at most.\n", what.name)
	})
	defer waiting.Stop()
	if err := wait.PollUntilContextCancel(ctx, 20*time.Millisecond, true, func(ctx context.Context) (bool, error) {
		_, err := client.Discovery().RESTClient().Get().AbsPath("/readyz").DoRaw(ctx)
		return err == nil, nil
	}); err != nil {
		return err
	}
	waiting.Stop()
	late := time.After(firstInventory)
	for _, written := range []<-chan struct{}{server.discovery.Written(), server.prober.Written()} {
		select {
		case <-written:
		case <-late:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	address := server.Generic.SecureServingInfo.Listener.Addr()
	if err := standalone.writeKubeconfig(address); err != nil {
		return err
	}
	fmt.Fprintf(out, `Extant is ready at https://%s.
It observes %s, version %s.
Kubeconfig: %s. Data and log: %s. Ctrl-C stops it.

Try:
  kubectl --kubeconfig %[4]s get extensions
  kubectl --kubeconfig %[4]s get backends
  kubectl --kubeconfig %[4]s get findings
  kubectl --kubeconfig %[4]s get extensionpoints -o wide
`, address, what.name, what.source.Snapshot().GitVersion, standalone.KubeconfigOut, standalone.DataDir)
	snapshot := what.source.Snapshot()
	if isEmpty(snapshot) {
		fmt.Fprintln(out, "\nNo object of Kubernetes is there. If there should be, check what --observe-from or the kubeconfig names.")
	}
	printGaps(out, snapshot)
	return nil
}

func isEmpty(snapshot *cluster.Snapshot) bool {
	return !slices.ContainsFunc(cluster.Resources, func(resource cluster.Resource) bool {
		return snapshot.Objects(resource.GroupResource()).Len() > 0
	})
}

// printedGaps bounds the gaps that the announcement names.
const printedGaps = 5

// printGaps says what of the observed cluster cannot be seen, so that nobody
// takes an Unknown for a fault of Extant.
func printGaps(out io.Writer, snapshot *cluster.Snapshot) {
	deciding := slices.DeleteFunc(slices.Clone(snapshot.Gaps()), func(gap cluster.Gap) bool { return !gap.Reason.Decides() })
	if len(deciding) == 0 {
		return
	}
	fmt.Fprintln(out, "\nWhat cannot be seen, so that what depends on it is Unknown:")
	for _, gap := range deciding[:min(len(deciding), printedGaps)] {
		fmt.Fprintf(out, "  %s: %s: %s\n", gap.Resource, gap.Reason, gap.Message)
	}
	if more := len(deciding) - printedGaps; more > 0 {
		fmt.Fprintf(out, "  and %d more, in the log\n", more)
	}
}
