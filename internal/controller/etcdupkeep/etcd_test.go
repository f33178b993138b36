package etcdupkeep

import (
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/embed"
	"go.uber.org/zap"
	clocktesting "k8s.io/utils/clock/testing"
)

// startEtcd starts an etcd of one member with that quota.
func startEtcd(t *testing.T, quota int64) *clientv3.Client {
	t.Helper()
	sockets, err := os.MkdirTemp("", "etcd-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(sockets) })
	config := embed.NewConfig()
	config.Dir = t.TempDir()
	client := url.URL{Scheme: "unix", Path: filepath.Join(sockets, "client")}
	config.ListenClientUrls, config.AdvertiseClientUrls = []url.URL{client}, []url.URL{client}
	config.ListenPeerUrls = []url.URL{{Scheme: "unix", Host: filepath.Join(sockets, "peer")}}
	config.QuotaBackendBytes = quota
	config.ZapLoggerBuilder = embed.NewZapLoggerBuilder(zap.NewNop())
	etcd, err := embed.StartEtcd(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(etcd.Close)
	<-etcd.Server.ReadyNotify()
	connection, err := clientv3.New(clientv3.Config{Endpoints: []string{client.String()}, Logger: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = connection.Close() })
	return connection
}

// TestARealEtcdOutOfSpaceAcceptsWritesAgain fills the quota with the history of
// one key.
func TestARealEtcdOutOfSpaceAcceptsWritesAgain(t *testing.T) {
	const quota = 8 * mebi
	etcd := startEtcd(t, quota)
	write := func() error {
		_, err := etcd.Put(t.Context(), "key", strings.Repeat("x", mebi/4))
		return err
	}
	deadline := time.Now().Add(time.Minute)
	for {
		err := write()
		if errors.Is(err, rpctypes.ErrNoSpace) {
			break
		}
		if err != nil || time.Now().After(deadline) {
			t.Fatalf("the quota is not used up: %v", err)
		}
	}
	filled, err := look(t.Context(), etcd)
	if err != nil || len(filled.full) != 1 || filled.members[0].quota != quota {
		t.Fatalf("no alarm is seen: %+v, %v", filled, err)
	}

	c := New(etcd, policy, clocktesting.NewFakeClock(time.Now()))
	for c.tend(t.Context()) {
		if time.Now().After(deadline) {
			t.Fatalf("etcd is not healed: %s", c.said)
		}
	}
	if err := write(); err != nil {
		t.Errorf("a write is refused: %v", err)
	}
	healed, err := look(t.Context(), etcd)
	if err != nil || len(healed.full) != 0 {
		t.Errorf("the alarm is still raised: %+v, %v", healed, err)
	}
	if before, after := filled.members[0].size, healed.members[0].size; after > before/2 {
		t.Errorf("the file had %d bytes and has %d", before, after)
	}
}
