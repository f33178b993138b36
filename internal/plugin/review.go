package plugin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/extant-project/extant/pkg/apis/extant"
	"github.com/extant-project/extant/pkg/apis/extant/install"
	"github.com/extant-project/extant/pkg/apis/extant/v1alpha1"
	columns "github.com/extant-project/extant/pkg/printers"
)

// reviewer answers a review.
type reviewer func(context.Context, *v1alpha1.RequestReview) (*v1alpha1.RequestReview, error)

// reviewOptions are the flags of `kubectl extant review`.
type reviewOptions struct {
	file, from string
	output     *output
	streams    genericiooptions.IOStreams
}

const reviewExample = `  # What a request passes through, in the cluster of the kubeconfig
  kubectl extant review -f review.yaml

  # The same over a dump, without a cluster
  kubectl extant review -f review.yaml --from dump.yaml -o wide

  # A review from the standard input, for a script
  kubectl extant review -f - -o jsonpath='{.status.verdict}'`

func newReviewCommand(kubeconfig *genericclioptions.ConfigFlags, streams genericiooptions.IOStreams) *cobra.Command {
	o := &reviewOptions{output: newOutput(), streams: streams}
	command := &cobra.Command{
		Use:     "review -f FILE",
		Short:   "Say what a request passes through, and what comes of it",
		Long:    "Review a request: the extension points that it passes, in order, and what comes of it.\nThe file holds a RequestReview.",
		Example: reviewExample,
		Args:    cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			return o.run(command.Context(), kubeconfig)
		},
	}
	command.Flags().StringVarP(&o.file, "filename", "f", "", "The file that holds the RequestReview; - is the standard input.")
	command.Flags().StringVar(&o.from, "from", "", "Answer over the dump at this path, a file, a directory, an archive or - for the standard input, in place of asking the cluster.")
	o.output.addFlags(command)
	return command
}

func (o *reviewOptions) run(ctx context.Context, kubeconfig *genericclioptions.ConfigFlags) error {
	print, err := o.output.printer()
	switch {
	case err != nil:
		return err
	case o.file == "":
		return errors.New("name the file that holds the RequestReview by -f FILE (or -f - for the standard input)")
	case o.file == stdin && o.from == stdin:
		return errors.New("-f - and --from - exclude each other: there is one standard input")
	}
	review, err := readReview(o.file, o.streams.In)
	if err != nil {
		return err
	}
	var answer reviewer
	if o.from != "" {
		answer, err = offline(ctx, o.from, o.streams.In)
	} else {
		answer, err = online(kubeconfig)
	}
	if err != nil {
		return err
	}
	answered, err := answer(ctx, review)
	if err != nil {
		return err
	}
	answered.SetGroupVersionKind(v1alpha1.SchemeGroupVersion.WithKind("RequestReview"))
	if print != nil {
		return print.PrintObj(answered, o.streams.Out)
	}
	var hub extant.RequestReview
	if err := install.Scheme.Convert(answered, &hub, nil); err != nil {
		return err
	}
	fmt.Fprintln(o.streams.Out, summary(&hub.Status))
	return printTable(o.streams.Out, columns.Hops, &hub, o.output.isWide())
}

// summary is the answer in a line or two, with an empty line behind.
func summary(status *extant.RequestReviewStatus) string {
	var text strings.Builder
	text.WriteString(string(status.Verdict))
	if status.Message != "" {
		text.WriteString(": " + status.Message)
	}
	text.WriteString("\n")
	if status.WorstCaseLatency.Duration > 0 {
		fmt.Fprintf(&text, "Worst-case latency of the hooks: %s.\n", status.WorstCaseLatency.Duration)
	}
	var unseen []string
	for _, gap := range status.Observed.Gaps {
		if decides(gap) && !slices.Contains(unseen, gap.Resource) {
			unseen = append(unseen, gap.Resource)
		}
	}
	if len(unseen) > 0 {
		fmt.Fprintf(&text, "Could not be seen: %s (-o yaml says why).\n", strings.Join(unseen, ", "))
	}
	return text.String()
}

// decides tells whether a gap makes answers Unknown, as the API says.
func decides(gap extant.Gap) bool {
	return slices.Contains([]string{"Forbidden", "NotServed", "NotSynced", "Malformed"}, gap.Reason)
}
