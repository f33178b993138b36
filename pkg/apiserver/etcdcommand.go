package apiserver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/etcdutl/v3/snapshot"
	"go.uber.org/zap"
	"k8s.io/apiserver/pkg/storage/storagebackend"
	"k8s.io/klog/v2"
)

// newEtcdCommand returns the subcommand "etcd": a backup of Extant's etcd, and a
// standalone server's data made from one.
func newEtcdCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "etcd",
		Short: "Back up Extant's etcd, and restore a backup",
		Long:  "Backs up Extant's etcd, and restores a backup. docs/etcd.md says what to do when.",
		Args:  cobra.NoArgs,
		PersistentPreRun: func(*cobra.Command, []string) {
			// What fails is said once; the libraries would log each attempt.
			klog.LogToStderr(false)
			klog.SetOutput(io.Discard)
		},
	}
	command.AddCommand(newSnapshotCommand(), newRestoreCommand())
	return command
}

// oneFile wants the one argument of the subcommands.
func oneFile(command *cobra.Command, args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("one FILE is needed: %s", command.UseLine())
	}
	return nil
}

func newSnapshotCommand() *cobra.Command {
	var etcd storagebackend.TransportConfig
	command := &cobra.Command{
		Use:   "snapshot FILE",
		Short: "Write a snapshot of a running etcd to a file, or to standard output (-)",
		Long: `Writes a snapshot of the running etcd at --etcd-servers to FILE, or to standard
output where FILE is -. It has all objects of Extant, at one moment, and is what
"etcdctl snapshot save" writes: etcdutl reads it too.`,
		Example: `  kubectl -n extant-system exec deploy/extant-apiserver -- extant-apiserver etcd snapshot - \
    --etcd-servers=https://extant-etcd-0.extant-etcd.extant-system.svc:2379 --etcd-cafile=/etc/extant/etcd/ca.crt \
    --etcd-certfile=/etc/extant/etcd/tls.crt --etcd-keyfile=/etc/extant/etcd/tls.key > extant.db`,
		Args:         oneFile,
		SilenceUsage: true,
		RunE: func(command *cobra.Command, args []string) error {
			if len(etcd.ServerList) == 0 {
				return errors.New("--etcd-servers is needed: it says which etcd to back up")
			}
			if args[0] == "-" {
				_, err := writeSnapshot(command.Context(), etcd, command.OutOrStdout())
				return err
			}
			return saveSnapshot(command.Context(), etcd, args[0], command.OutOrStdout())
		},
	}
	flags := command.Flags()
	flags.StringSliceVar(&etcd.ServerList, "etcd-servers", nil, "Members of etcd, as given to the server. One of them is asked.")
	flags.StringVar(&etcd.TrustedCAFile, "etcd-cafile", "", "Certificate authority of etcd.")
	flags.StringVar(&etcd.CertFile, "etcd-certfile", "", "Client certificate for etcd.")
	flags.StringVar(&etcd.KeyFile, "etcd-keyfile", "", "Key of the client certificate.")
	return command
}

// saveSnapshot writes a snapshot to a file that is there only once it is whole.
func saveSnapshot(ctx context.Context, etcd storagebackend.TransportConfig, path string, out io.Writer) error {
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".part-*")
	if err != nil {
		return fmt.Errorf("could not write the snapshot: %w", err)
	}
	defer os.Remove(file.Name()) // it is gone already when all went well
	defer file.Close()
	size, err := writeSnapshot(ctx, etcd, file)
	if err != nil {
		return err
	}
	if err := errors.Join(file.Sync(), file.Close()); err != nil {
		return fmt.Errorf("could not write the snapshot: %w", err)
	}
	if err := os.Rename(file.Name(), path); err != nil {
		return fmt.Errorf("could not write the snapshot: %w", err)
	}
	fmt.Fprintf(out, "Wrote %s: %d bytes.\n", path, size)
	return nil
}

// isWhole tells whether a snapshot has that many bytes: sectors of a database,
// and then a checksum, by which etcd's tools tell it from a part of one.
func isWhole(size int64) bool {
	const sector, checksum = 512, 32
	return size > checksum && size%sector == checksum
}

func writeSnapshot(ctx context.Context, etcd storagebackend.TransportConfig, to io.Writer) (size int64, err error) {
	client, err := newEtcdClient(etcd)
	if err != nil {
		return 0, err
	}
	defer client.Close()
	asked, cancel := context.WithTimeout(ctx, etcdDialTimeout)
	defer cancel()
	if _, err := client.MemberList(asked); err != nil {
		return 0, fmt.Errorf("etcd does not answer at %s (%w): check --etcd-servers, --etcd-cafile, --etcd-certfile and --etcd-keyfile", strings.Join(etcd.ServerList, ","), err)
	}
	stream, err := client.SnapshotWithVersion(ctx)
	if err != nil {
		return 0, fmt.Errorf("could not take a snapshot of etcd: %w", err)
	}
	defer stream.Snapshot.Close()
	size, err = io.Copy(to, stream.Snapshot)
	if err == nil && !isWhole(size) {
		err = errors.New("it ends early")
	}
	if err != nil {
		return size, fmt.Errorf("could not take a snapshot of etcd: %w", err)
	}
	return size, nil
}

// revisionBump is by how much the revisions of a restored etcd are ahead of the
// snapshot's, so that clients that saw later ones than it has never take new
// changes for ones that they know.
const revisionBump = 1_000_000_000

func newRestoreCommand() *cobra.Command {
	dataDir := defaultDataDir
	command := &cobra.Command{
		Use:   "restore FILE",
		Short: "Make the data directory of a standalone server from a snapshot",
		Long: `Makes the data directory of a standalone server from a snapshot, of whichever
etcd it is: "extant-apiserver --standalone --data-dir DIR" then serves what was
in it. The directory must not hold data of etcd yet. Members of an etcd cluster
are restored with etcdutl, as docs/etcd.md says.`,
		Args:         oneFile,
		SilenceUsage: true,
		RunE: func(command *cobra.Command, args []string) error {
			if err := restore(args[0], dataDir); err != nil {
				return err
			}
			fmt.Fprintf(command.OutOrStdout(), "Restored. See what is in it:\n  extant-apiserver --standalone --data-dir %s\n", dataDir)
			return nil
		},
	}
	command.Flags().StringVar(&dataDir, "data-dir", dataDir, "Data directory to make.")
	return command
}

func restore(path, dataDir string) error {
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("could not read the snapshot: %w", err)
	}
	dir, err := filepath.Abs(dataDir)
	if err != nil {
		return fmt.Errorf("--data-dir %q: %w", dataDir, err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("could not make the data directory: %w", err)
	}
	lock, err := lockDataDir(dir)
	if err != nil {
		return err
	}
	defer lock.Close()
	if info.IsDir() || !isWhole(info.Size()) {
		return fmt.Errorf("%s is no snapshot of etcd, or a part of one: take it by extant-apiserver etcd snapshot, or etcdctl snapshot save", path)
	}
	config := standaloneMember(dir)
	if entries, err := os.ReadDir(config.Dir); err == nil && len(entries) > 0 {
		return fmt.Errorf("data directory %s holds data already: choose another with --data-dir, or move %s away", dir, config.Dir)
	}
	if err := snapshot.NewV3(zap.NewNop()).Restore(snapshot.RestoreConfig{
		SnapshotPath: path, OutputDataDir: config.Dir,
		Name: config.Name, PeerURLs: []string{config.AdvertisePeerUrls[0].String()}, InitialCluster: config.InitialCluster, InitialClusterToken: config.InitialClusterToken,
		RevisionBump: revisionBump, MarkCompacted: true,
	}); err != nil {
		_ = os.RemoveAll(config.Dir) // it had nothing, and has half of something
		return fmt.Errorf("could not restore %s: %w", path, err)
	}
	return nil
}
