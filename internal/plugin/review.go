package plugin

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/extant-project/extant/pkg/apis/extant"
	"github.com/extant-project/extant/pkg/apis/extant/v1alpha1"
	"github.com/extant-project/extant/pkg/generated/clientset/versioned"
	columns "github.com/extant-project/extant/pkg/printers"
)

const reviewExample = `  # What a request passes through, in the cluster of the kubeconfig
  kubectl extant review -f review.yaml

  # The same over a dump, without a cluster
  kubectl extant review -f review.yaml --from dump.yaml -o wide

  # A review from the standard input, for a script
  kubectl extant review -f - -o jsonpath='{.status.verdict}'`

var requestReview = kind[*v1alpha1.RequestReview, *extant.RequestReview]{
	kind:      "RequestReview",
	resource:  "requestreviews",
	newServed: func() *v1alpha1.RequestReview { return &v1alpha1.RequestReview{} },
	newHub:    func() *extant.RequestReview { return &extant.RequestReview{} },
	client: func(client versioned.Interface) creater[*v1alpha1.RequestReview] {
		return client.ExtantV1alpha1().RequestReviews()
	},
	show: func(out io.Writer, review *extant.RequestReview, wide bool) error {
		fmt.Fprintln(out, summary(&review.Status))
		return printTable(out, columns.Hops, review, wide)
	},
}

func newReviewCommand(kubeconfig *genericclioptions.ConfigFlags, streams genericiooptions.IOStreams) *cobra.Command {
	return asking(&cobra.Command{
		Use:     "review -f FILE",
		Short:   "Say what a request passes through, and what comes of it",
		Long:    "Review a request: the extension points that it passes, in order, and what comes of it.\nThe file holds a RequestReview.",
		Example: reviewExample,
	}, requestReview, kubeconfig, streams)
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
	text.WriteString(unseen(&status.Observed))
	return text.String()
}
