package apiserver

import (
	"context"
	"fmt"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/component-base/metrics"
	"k8s.io/klog/v2"
)

// defaultDataReserve is the space that an embedded etcd keeps. A segment of its
// log takes 64 MiB, and its file grows by 16 MiB at a time.
const defaultDataReserve = 128 << 20

// diskSpace refuses writes while the disk of the data directory is almost full.
// An etcd that cannot write ends its process, reads and reviews included. A nil
// diskSpace refuses nothing.
type diskSpace struct {
	metrics.BaseStableCollector
	dir     string
	reserve int64
	// free returns the bytes that are free for the process on a directory's disk.
	free func(dir string) (int64, error)

	mu sync.Mutex
	// low is what was logged last.
	low bool
}

// check refuses a write for want of space. Where nobody can tell how much there
// is, it does not.
func (d *diskSpace) check(ctx context.Context) error {
	if d == nil {
		return nil
	}
	free, err := d.free(d.dir)
	low := err == nil && free < d.reserve
	d.mu.Lock()
	changed := low != d.low
	d.low = low
	d.mu.Unlock()
	if changed && low {
		klog.FromContext(ctx).Info("Refusing writes: the disk of the data directory is almost full", "dir", d.dir, "freeBytes", free, "reserveBytes", d.reserve)
	} else if changed {
		klog.FromContext(ctx).Info("Accepting writes again: there is room on the disk of the data directory", "dir", d.dir)
	}
	if low {
		return apierrors.NewServiceUnavailable(fmt.Sprintf("the disk of Extant's data directory %s is almost full, and Extant refuses writes while less than %d MiB are free; "+
			"reads, deletions and reviews go on. Make room on it", d.dir, d.reserve>>20))
	}
	return nil
}

var freeDesc = metrics.NewDesc("extant_data_free_bytes",
	"Space that is free on the disk of a standalone server's data directory. Writes are refused while it is less than --data-reserve-bytes.",
	nil, nil, metrics.ALPHA, "")

// DescribeWithStability describes the gauge.
func (d *diskSpace) DescribeWithStability(ch chan<- *metrics.Desc) { ch <- freeDesc }

// CollectWithStability asks the disk.
func (d *diskSpace) CollectWithStability(ch chan<- metrics.Metric) {
	if free, err := d.free(d.dir); err == nil {
		ch <- metrics.NewLazyConstMetric(freeDesc, metrics.GaugeValue, float64(free))
	}
}
