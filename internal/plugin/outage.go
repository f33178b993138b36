package plugin

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/extant-project/extant/pkg/apis/extant"
	"github.com/extant-project/extant/pkg/apis/extant/v1alpha1"
	"github.com/extant-project/extant/pkg/generated/clientset/versioned"
	columns "github.com/extant-project/extant/pkg/printers"
)

const outageExample = `  # What is refused while something is lost, and whether it comes back
  kubectl extant outage -f outage.yaml

  # The same over a dump, without a cluster, with every operation and hook
  kubectl extant outage -f outage.yaml --from dump.yaml -o wide

  # For a script: True, False or Unknown
  kubectl extant outage -f - -o jsonpath='{.status.recovery.recoversUnaided}'`

var outageReview = kind[*v1alpha1.OutageReview, *extant.OutageReview]{
	kind:      "OutageReview",
	resource:  "outagereviews",
	newServed: func() *v1alpha1.OutageReview { return &v1alpha1.OutageReview{} },
	newHub:    func() *extant.OutageReview { return &extant.OutageReview{} },
	client: func(client versioned.Interface) creater[*v1alpha1.OutageReview] {
		return client.ExtantV1alpha1().OutageReviews()
	},
	show: showOutage,
}

func newOutageCommand(kubeconfig *genericclioptions.ConfigFlags, streams genericiooptions.IOStreams) *cobra.Command {
	return asking(&cobra.Command{
		Use:   "outage -f FILE",
		Short: "Say what is refused while something is lost, and whether it comes back",
		Long: "Review an outage: what the API server refuses while something is lost, in which order the\n" +
			"cluster gets it back, what stays stuck, and how to get out of it. The file holds an OutageReview.",
		Example: outageExample,
	}, outageReview, kubeconfig, streams)
}

// showOutage prints an answer in the order in which an operator needs it: does
// it come back, what is refused until then, what comes back when, why the rest
// does not, and what to do.
func showOutage(out io.Writer, review *extant.OutageReview, wide bool) error {
	status := &review.Status
	fmt.Fprintln(out, verdict(&status.Recovery))
	fmt.Fprint(out, unseen(&status.Observed))

	operations := review
	if !wide {
		operations = &extant.OutageReview{Status: extant.OutageReviewStatus{Blocked: status.Blocked}}
	}
	comesBack := "What comes back, in this order:"
	if len(status.Recovery.Stuck)+len(status.Recovery.Unreachable) > 0 {
		comesBack = "What comes back, in this order, and what does not:"
	}
	for _, section := range []struct {
		title   string
		columns columns.Columns[*extant.OutageReview]
		review  *extant.OutageReview
	}{
		{"What the API server refuses:", columns.Intercepted, operations},
		{"Vital operations that are not allowed:", columns.Impaired, review},
		{"What stops besides:", columns.Consequences, review},
		{comesBack, columns.Losses, review},
	} {
		if err := printSection(out, section.title, section.columns, section.review, wide); err != nil {
			return err
		}
	}
	if more := len(status.Degraded); more > 0 && !wide {
		fmt.Fprintf(out, "\nKinds of operations that go through late, or without a hook that would have run: %d (-o wide lists them).\n", more)
	}
	for i := range status.Recovery.Deadlocks {
		showDeadlock(out, i+1, &status.Recovery.Deadlocks[i])
	}
	showRemedies(out, status.Recovery.Remedies)
	return nil
}

func verdict(recovery *extant.Recovery) string {
	text := "It is unknown whether everything comes back without a human"
	switch recovery.RecoversUnaided {
	case metav1.ConditionTrue:
		text = "Everything comes back without a human"
	case metav1.ConditionFalse:
		text = "Not everything comes back without a human"
	}
	if recovery.Reason == "" {
		return text + "."
	}
	return text + ": " + recovery.Reason
}
