package apiserver

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"go.etcd.io/etcd/client/pkg/v3/fileutil"
	"go.etcd.io/etcd/server/v3/embed"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// embeddedEtcd is an etcd of one member in this process. It listens on a
// socket in a directory that only its owner may enter, so that it needs no
// port and nobody else on the machine can reach it.
type embeddedEtcd struct {
	etcd    *embed.Etcd
	lock    *fileutil.LockedFile
	sockets string
}

// etcdStartTimeout is how long etcd may take to replay what it has.
const etcdStartTimeout = 30 * time.Second

// startEmbeddedEtcd starts etcd on the data in dir. The log goes to logFile.
func startEmbeddedEtcd(ctx context.Context, dir, logFile string) (_ *embeddedEtcd, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("could not make the data directory: %w", err)
	}
	e := &embeddedEtcd{}
	defer func() {
		if err != nil {
			e.stop()
		}
	}()
	if e.lock, err = lockDataDir(dir); err != nil {
		return nil, err
	}
	// The path of a socket is at most about 100 bytes long, whatever the
	// length of the data directory's.
	if e.sockets, err = os.MkdirTemp("", "extant-"); err != nil {
		return nil, err
	}
	config, err := etcdConfig(dir, e.sockets, logFile)
	if err != nil {
		return nil, err
	}
	if e.etcd, err = embed.StartEtcd(config); err != nil {
		return nil, fmt.Errorf("could not start etcd on the data in %s: %w", dir, err)
	}
	select {
	case <-e.etcd.Server.ReadyNotify():
		return e, nil
	case err := <-e.etcd.Err():
		return nil, fmt.Errorf("could not start etcd on the data in %s: %w", dir, err)
	case <-time.After(etcdStartTimeout):
		return nil, fmt.Errorf("etcd on the data in %s was not ready within %s", dir, etcdStartTimeout)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// lockDataDir makes sure that nobody else uses the directory. etcd itself would
// wait for the lock of its database without a word.
func lockDataDir(dir string) (*fileutil.LockedFile, error) {
	lock, err := fileutil.TryLockFile(filepath.Join(dir, "lock"), os.O_WRONLY|os.O_CREATE, 0o600)
	if errors.Is(err, fileutil.ErrLocked) {
		return nil, fmt.Errorf("data directory %s is in use by another process: stop it, or choose another with --data-dir", dir)
	}
	if err != nil {
		return nil, fmt.Errorf("could not lock the data directory: %w", err)
	}
	return lock, nil
}

// standaloneMember says who the one member on the data in dir is. It never
// changes: etcd compares it with what it finds there.
func standaloneMember(dir string) *embed.Config {
	config := embed.NewConfig()
	config.Name = "standalone"
	config.Dir = filepath.Join(dir, "etcd")
	// A member insists on being advertised by a host and a port. Nobody dials it.
	config.AdvertisePeerUrls = []url.URL{{Scheme: "http", Host: "localhost:2380"}}
	config.InitialCluster = config.InitialClusterFromName(config.Name)
	return config
}

func etcdConfig(dir, sockets, logFile string) (*embed.Config, error) {
	client := url.URL{Scheme: "unix", Path: filepath.Join(sockets, "client")}
	// For peers, unlike for clients, etcd takes the host of the URL for the path
	// of the socket; without one it would listen where everybody can reach it.
	peer := url.URL{Scheme: "unix", Host: filepath.Join(sockets, "peer")}
	config := standaloneMember(dir)
	config.ListenClientUrls, config.AdvertiseClientUrls = []url.URL{client}, []url.URL{client}
	config.ListenPeerUrls = []url.URL{peer}
	// Alone, it elects itself as soon as it is up.
	config.TickMs, config.ElectionMs = 10, 100

	zapConfig := zap.NewProductionConfig()
	zapConfig.Level = zap.NewAtomicLevelAt(zapcore.WarnLevel)
	zapConfig.OutputPaths, zapConfig.ErrorOutputPaths = []string{logFile}, []string{logFile}
	logger, err := zapConfig.Build()
	if err != nil {
		return nil, fmt.Errorf("could not open the log file: %w", err)
	}
	config.ZapLoggerBuilder = embed.NewZapLoggerBuilder(logger.WithOptions(zap.WithFatalHook(lastWords{dir})))
	return config, nil
}

// lastWords says for people why etcd ends the process, which it does when it
// cannot write: the log may be on the same disk.
type lastWords struct{ dir string }

// OnWrite ends the process, as etcd relies on.
func (l lastWords) OnWrite(entry *zapcore.CheckedEntry, fields []zapcore.Field) {
	fmt.Fprintln(os.Stderr, l.of(entry.Message, fields))
	os.Exit(1)
}

func (l lastWords) of(message string, fields []zapcore.Field) string {
	for _, field := range fields {
		if err, ok := field.Interface.(error); ok {
			message += ": " + err.Error()
		}
	}
	return fmt.Sprintf("extant-apiserver: the etcd on the data in %s cannot go on: %s. What it has acknowledged is kept: put that right and start again", l.dir, message)
}

// endpoint is where the storage finds etcd.
func (e *embeddedEtcd) endpoint() string {
	return "unix://" + filepath.Join(e.sockets, "client")
}

// stop ends etcd; what it acknowledged is on disk.
func (e *embeddedEtcd) stop() {
	if e.etcd != nil {
		e.etcd.Close()
	}
	if e.sockets != "" {
		_ = os.RemoveAll(e.sockets)
	}
	if e.lock != nil {
		_ = e.lock.Close()
	}
}
