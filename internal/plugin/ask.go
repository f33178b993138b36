package plugin

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/extant-project/extant/pkg/apis/extant"
	"github.com/extant-project/extant/pkg/apis/extant/install"
	"github.com/extant-project/extant/pkg/apis/extant/v1alpha1"
	"github.com/extant-project/extant/pkg/generated/clientset/versioned"
)

// kind is what differs between the kinds that can be asked for: S as it is
// served, H the hub type.
type kind[S, H runtime.Object] struct {
	kind, resource string
	newServed      func() S
	newHub         func() H
	// client is what creates the kind through the API.
	client func(versioned.Interface) creater[S]
	// show prints an answer for people.
	show func(out io.Writer, answered H, wide bool) error
}

// creater is the part of a client that every create-only kind has.
type creater[S runtime.Object] interface {
	Create(context.Context, S, metav1.CreateOptions) (S, error)
}

// asker answers a review.
type asker[S runtime.Object] func(context.Context, S) (S, error)

// question is the flags of a command that asks for a review.
type question[S, H runtime.Object] struct {
	kind       kind[S, H]
	file, from string
	output     *output
	streams    genericiooptions.IOStreams
}

// asking completes a command to one that reads a review, asks for the answer
// and prints it.
func asking[S, H runtime.Object](command *cobra.Command, k kind[S, H], kubeconfig *genericclioptions.ConfigFlags, streams genericiooptions.IOStreams) *cobra.Command {
	q := &question[S, H]{kind: k, output: newOutput(), streams: streams}
	command.Args = cobra.NoArgs
	command.RunE = func(command *cobra.Command, _ []string) error {
		return q.run(command.Context(), kubeconfig)
	}
	command.Flags().StringVarP(&q.file, "filename", "f", "", "The file that holds the "+k.kind+"; - is the standard input.")
	command.Flags().StringVar(&q.from, "from", "", "Answer over the dump at this path, a file, a directory, an archive or - for the standard input, in place of asking the cluster.")
	q.output.addFlags(command)
	return command
}

func (q *question[S, H]) run(ctx context.Context, kubeconfig *genericclioptions.ConfigFlags) error {
	print, err := q.output.printer()
	switch {
	case err != nil:
		return err
	case q.file == "":
		return errors.New("name the file that holds the " + q.kind.kind + " by -f FILE (or -f - for the standard input)")
	case q.file == stdin && q.from == stdin:
		return errors.New("-f - and --from - exclude each other: there is one standard input")
	}
	review, err := readReview(q.kind, q.file, q.streams.In)
	if err != nil {
		return err
	}
	var answer asker[S]
	if q.from != "" {
		answer, err = offline(ctx, q.kind, q.from, q.streams.In)
	} else {
		answer, err = online(q.kind, kubeconfig)
	}
	if err != nil {
		return err
	}
	answered, err := answer(ctx, review)
	if err != nil {
		return err
	}
	answered.GetObjectKind().SetGroupVersionKind(v1alpha1.SchemeGroupVersion.WithKind(q.kind.kind))
	if print != nil {
		return print.PrintObj(answered, q.streams.Out)
	}
	hub := q.kind.newHub()
	if err := install.Scheme.Convert(answered, hub, nil); err != nil {
		return err
	}
	return q.kind.show(q.streams.Out, hub, q.output.isWide())
}

// unseen names the resources whose absence makes answers Unknown, or nothing.
func unseen(observed *extant.Observation) string {
	var resources []string
	for _, gap := range observed.Gaps {
		if decides(gap) && !slices.Contains(resources, gap.Resource) {
			resources = append(resources, gap.Resource)
		}
	}
	if len(resources) == 0 {
		return ""
	}
	return "Could not be seen: " + strings.Join(resources, ", ") + " (-o yaml says why).\n"
}

// decides tells whether a gap makes answers Unknown, as the API says.
func decides(gap extant.Gap) bool {
	return slices.Contains([]string{"Forbidden", "NotServed", "NotSynced", "Malformed"}, gap.Reason)
}
