// Command observer-role writes the ClusterRole by which Extant observes a
// cluster, from the table of observed resources, so that a further row of the
// table is a further right and nothing else is.
package main

import (
	"bytes"
	"fmt"
	"os"

	"github.com/extant-project/extant/internal/cluster"
)

//go:generate go run . ../../artifacts/base/observer.yaml

const header = `# Written by hack/observer-role (make generate) from cluster.Resources. DO NOT EDIT.
#
# What Extant reads of the cluster by itself, in every namespace: no Secret is in
# it, and nothing of it can be changed.
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: extant-observer
rules:
`

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: observer-role FILE")
		os.Exit(2)
	}
	if err := os.WriteFile(os.Args[1], manifest(cluster.Resources), 0o644); err != nil {
		fmt.Fprintf(os.Stderr, "observer-role: %v\n", err)
		os.Exit(1)
	}
}

// manifest is the ClusterRole, with one rule for each API group.
func manifest(resources []cluster.Resource) []byte {
	var groups []string
	names := map[string][]string{}
	for i := range resources {
		group := resources[i].Group
		if names[group] == nil {
			groups = append(groups, group)
		}
		names[group] = append(names[group], resources[i].Resource)
	}
	out := bytes.NewBufferString(header)
	for _, group := range groups {
		fmt.Fprintf(out, "- apiGroups: [%q]\n  resources:\n", group)
		for _, name := range names[group] {
			fmt.Fprintf(out, "  - %s\n", name)
		}
		fmt.Fprintf(out, "  verbs: [list, watch]\n")
	}
	return out.Bytes()
}
