package apiserver

import (
	"fmt"
	"syscall"
	"testing"

	"go.uber.org/zap"
)

func TestTheLastWordsOfEtcdSayWhatIsWrongAndWhere(t *testing.T) {
	got := lastWords{"/data"}.of("failed to commit tx", []zap.Field{zap.String("term", "2"), zap.Error(fmt.Errorf("write /data/db: %w", syscall.ENOSPC))})
	want := "extant-apiserver: the etcd on the data in /data cannot go on: failed to commit tx: write /data/db: no space left on device. What it has acknowledged is kept: put that right and start again"
	if got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}
