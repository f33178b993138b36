// Package plugin is the command line `kubectl extant`. It asks Extant's API, or
// answers by itself over a dump: then it serves the API's own storages in the
// process, so that validation, engines and columns are the server's. It has no
// knowledge of its own. It stands on the review registry, the dump source and
// the generated clientset.
package plugin

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
)

// Main runs a command line and returns the exit code: 1 for everything that
// went wrong, as kubectl does.
func Main(ctx context.Context, args []string, streams genericiooptions.IOStreams) int {
	command := NewCommand(streams)
	command.SetArgs(args)
	if err := command.ExecuteContext(ctx); err != nil {
		printError(streams.ErrOut, err)
		return 1
	}
	return 0
}

// NewCommand returns the plugin's command line.
func NewCommand(streams genericiooptions.IOStreams) *cobra.Command {
	kubeconfig := genericclioptions.NewConfigFlags(true)
	command := &cobra.Command{
		Use:   "kubectl-extant",
		Short: "See what extends a cluster, what a request passes through, and what an outage breaks",
		Long: "kubectl extant asks Extant, the API that shows what extends a Kubernetes cluster.\n" +
			"With --from it needs no cluster: it answers over a dump by itself.",
		Annotations:   map[string]string{cobra.CommandDisplayNameAnnotation: "kubectl extant"},
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	command.SetIn(streams.In)
	command.SetOut(streams.Out)
	command.SetErr(streams.ErrOut)
	kubeconfig.AddFlags(command.PersistentFlags())
	command.AddCommand(newReviewCommand(kubeconfig, streams), newOutageCommand(kubeconfig, streams))
	return command
}

// printError says what went wrong in the words that kubectl has for it.
func printError(out io.Writer, err error) {
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		fmt.Fprintf(out, "error: %v\n", err)
		return
	}
	details := status.Status().Details
	switch {
	case apierrors.IsInvalid(err) && details != nil && len(details.Causes) > 0:
		fmt.Fprintf(out, "The %s is invalid:\n", details.Kind)
		for _, cause := range details.Causes {
			fmt.Fprintf(out, "* %s: %s\n", cause.Field, cause.Message)
		}
	case status.Status().Reason != "":
		fmt.Fprintf(out, "Error from server (%s): %s\n", status.Status().Reason, status.Status().Message)
	default:
		fmt.Fprintf(out, "Error from server: %s\n", status.Status().Message)
	}
}
