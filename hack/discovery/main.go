// Command discovery writes the table of Kubernetes' own resources that
// internal/cluster embeds. It asks a kube-apiserver of the newest version what
// it serves, by default and with everything switched on, and the API types
// when they were introduced and removed; what neither of them knows is in
// facts.go.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
)

const header = `# Kubernetes' own resources, written by hack/update-discovery.sh. Columns: group and version, resource,
# kind (as kind.version.group where it is of another group), scope, verbs, and the minor versions
# of Kubernetes that serve it: "28-34" is from 1.28 until it was removed in 1.34; 0 stands for 1.20 and
# everything before. "off" means that an API server serves it only when told to.
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "discovery: %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) != 3 {
		return errors.New("usage: discovery PROGRAMS TABLE DEFAULTS, where PROGRAMS is the directory of etcd and kube-apiserver")
	}
	defaults, err := record(ctx, args[0])
	if err != nil {
		return fmt.Errorf("could not record what is served by default: %w", err)
	}
	// StorageVersionAPI makes an API server wait for itself.
	everything, err := record(ctx, args[0], "--runtime-config=api/all=true",
		"--feature-gates=AllAlpha=true,AllBeta=true,StorageVersionAPI=false")
	if err != nil {
		return fmt.Errorf("could not record everything that can be served: %w", err)
	}
	recorded := rowsOf(defaults)
	table := complete(rowsOf(everything), recorded)
	if err := write(args[1], header, table, row.String); err != nil {
		return err
	}
	return write(args[2], "# What a kube-apiserver serves by default, recorded by hack/update-discovery.sh, in its order.\n", recorded, row.served)
}

func write(path, header string, rows []row, line func(row) string) error {
	b := bytes.NewBufferString(header)
	for _, r := range rows {
		fmt.Fprintln(b, line(r))
	}
	return os.WriteFile(path, b.Bytes(), 0o644)
}
