package apiserver

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/pflag"
	"go.etcd.io/etcd/client/pkg/v3/transport"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"k8s.io/apiserver/pkg/storage/storagebackend"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"

	"github.com/extant-project/extant/internal/controller/etcdupkeep"
)

// EtcdUpkeepOptions say how etcd is kept in order.
type EtcdUpkeepOptions struct {
	Period      time.Duration
	MinBytes    int64
	FreePercent int
}

func newEtcdUpkeepOptions() EtcdUpkeepOptions {
	return EtcdUpkeepOptions{Period: time.Minute, MinBytes: 64 << 20, FreePercent: 50}
}

func (o *EtcdUpkeepOptions) addFlags(fs *pflag.FlagSet) {
	fs.DurationVar(&o.Period, "etcd-upkeep-period", o.Period,
		"Time between two looks at the members of etcd. At each their sizes are measured, at most one member is defragmented, and an etcd that refuses writes because its quota is used up is brought back. 0 leaves all this to others.")
	fs.Int64Var(&o.MinBytes, "etcd-defragment-min-bytes", o.MinBytes,
		"Size of a member's file below which it is never defragmented.")
	fs.IntVar(&o.FreePercent, "etcd-defragment-free-percent", o.FreePercent,
		"Part of a member's file that must be free before it is defragmented, in percent.")
}

func (o *EtcdUpkeepOptions) validate() []error {
	var errs []error
	if o.Period < 0 {
		errs = append(errs, fmt.Errorf("--etcd-upkeep-period %s: must not be negative (0 turns it off)", o.Period))
	}
	if o.MinBytes < 0 {
		errs = append(errs, fmt.Errorf("--etcd-defragment-min-bytes %d: must not be negative", o.MinBytes))
	}
	if o.FreePercent < 1 || o.FreePercent > 99 {
		errs = append(errs, fmt.Errorf("--etcd-defragment-free-percent %d: must be between 1 and 99", o.FreePercent))
	}
	return errs
}

func (o *EtcdUpkeepOptions) policy() etcdupkeep.Policy {
	return etcdupkeep.Policy{Period: o.Period, MinSize: o.MinBytes, MaxFree: float64(o.FreePercent) / 100}
}

// keepEtcd keeps etcd in order until the context ends.
func keepEtcd(ctx context.Context, etcd storagebackend.TransportConfig, policy etcdupkeep.Policy) {
	client, err := newEtcdClient(etcd)
	if err != nil {
		klog.FromContext(ctx).Error(err, "Etcd is not kept in order")
		return
	}
	defer client.Close()
	etcdupkeep.New(client, policy, clock.RealClock{}).Run(ctx)
}

// etcdDialTimeout is how long etcd may take to accept a connection.
const etcdDialTimeout = 5 * time.Second

// newEtcdClient returns a client that reaches etcd as the storage does. It
// connects when it is first used.
func newEtcdClient(etcd storagebackend.TransportConfig) (*clientv3.Client, error) {
	config := clientv3.Config{Endpoints: etcd.ServerList, DialTimeout: etcdDialTimeout, Logger: zap.NewNop()}
	var err error
	if config.TLS, err = etcdTLS(etcd); err != nil {
		return nil, fmt.Errorf("could not read the credentials for etcd: %w", err)
	}
	return clientv3.New(config)
}

func etcdTLS(etcd storagebackend.TransportConfig) (*tls.Config, error) {
	files := transport.TLSInfo{CertFile: etcd.CertFile, KeyFile: etcd.KeyFile, TrustedCAFile: etcd.TrustedCAFile}
	if files.Empty() && files.TrustedCAFile == "" {
		return nil, nil // which the client takes for no TLS
	}
	if (files.CertFile == "") != (files.KeyFile == "") {
		return nil, errors.New("--etcd-certfile and --etcd-keyfile go together")
	}
	return files.ClientConfig()
}
