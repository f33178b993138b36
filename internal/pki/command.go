package pki

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/utils/clock"
)

// serviceAccountNamespace is where a pod finds the namespace that it runs in.
const serviceAccountNamespace = "/var/run/secrets/kubernetes.io/serviceaccount/namespace"

// NewCommand returns the subcommand "pki", which brings the certificates of
// Extant's etcd in order. It is run by a Job on installation and by a CronJob
// from then on.
func NewCommand() *cobra.Command {
	var kubeconfig string
	etcd := Etcd{Service: "extant-etcd", Members: 3}
	command := &cobra.Command{
		Use:   "pki",
		Short: "Create and renew the certificates of Extant's etcd",
		Long: `Creates the certificate authority of Extant's etcd, and the certificates of its
members and of its client, as Secrets of one namespace:

  ` + strings.Join([]string{EtcdAuthoritySecret, EtcdServerSecret, EtcdPeerSecret, EtcdClientSecret}, "\n  ") + `

Secrets that exist and are empty are filled. Run again, it renews what is in the
last third of its life and keeps the rest. It never touches a Secret that
somebody else filled.`,
		Args:         cobra.NoArgs,
		SilenceUsage: true,
		RunE: func(command *cobra.Command, _ []string) error {
			if err := defaultNamespace(&etcd.Namespace); err != nil {
				return err
			}
			if etcd.Members < 1 {
				return errors.New("--members must be at least 1")
			}
			// Without a kubeconfig this is the cluster that the pod runs in.
			config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
			if err != nil {
				return fmt.Errorf("could not configure client: %w", err)
			}
			client, err := kubernetes.NewForConfig(config)
			if err != nil {
				return fmt.Errorf("could not make client: %w", err)
			}
			outcomes, err := Ensure(command.Context(), client.CoreV1().Secrets(etcd.Namespace), etcd, clock.RealClock{})
			if err != nil {
				return err
			}
			return printOutcomes(command.OutOrStdout(), outcomes)
		},
	}
	flags := command.Flags()
	flags.StringVar(&kubeconfig, "kubeconfig", "", "Kubeconfig of the cluster. Absent: the cluster that the pod runs in.")
	flags.StringVar(&etcd.Namespace, "namespace", "", "Namespace of the Secrets. Absent: the pod's own.")
	flags.StringVar(&etcd.Service, "service", etcd.Service, "Headless Service and StatefulSet of the etcd members.")
	flags.IntVar(&etcd.Members, "members", etcd.Members, "Number of etcd members.")
	return command
}

func defaultNamespace(namespace *string) error {
	if *namespace != "" {
		return nil
	}
	own, err := os.ReadFile(serviceAccountNamespace)
	if err != nil {
		return fmt.Errorf("--namespace is required outside a pod: %w", err)
	}
	*namespace = strings.TrimSpace(string(own))
	return nil
}

func printOutcomes(out io.Writer, outcomes []Outcome) error {
	table := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(table, "SECRET\tACTION\tEXPIRES")
	for _, outcome := range outcomes {
		fmt.Fprintf(table, "%s\t%s\t%s\n", outcome.Secret, outcome.Action, outcome.NotAfter.Format(time.RFC3339))
	}
	return table.Flush()
}
