package observe

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/rest"

	"github.com/extant-project/extant/internal/cluster"
	"github.com/extant-project/extant/internal/observe/fakeapi"
	"github.com/extant-project/extant/internal/scenario/synthetic"
)

// serveLarge in the environment makes the test binary the API server of a large
// cluster, so that the memory of the observing process is the observer's alone.
const serveLarge = "EXTANT_SERVE_LARGE_CLUSTER"

func TestMain(m *testing.M) {
	if os.Getenv(serveLarge) != "" {
		serveLargeCluster()
		return
	}
	os.Exit(m.Run())
}

// serveLargeCluster prints the address of the server and changes one pod for
// each line that it reads.
func serveLargeCluster() {
	server := fakeapi.Start()
	defer server.Stop()
	for _, resource := range synthetic.Resources() {
		server.Load(resource, synthetic.Large.Objects(resource))
	}
	var first corev1.Pod
	for object := range synthetic.Large.Objects(pods) {
		object.(*corev1.Pod).DeepCopyInto(&first)
		break
	}
	fmt.Println(server.Config().Host)
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		changed := first.DeepCopy()
		changed.Labels["change"] = lines.Text()
		server.Put(pods, changed)
	}
}

// largeCluster starts the server of a large cluster and returns its address and
// a function that changes a pod.
func largeCluster(b *testing.B) (config *rest.Config, change func(label string)) {
	b.Helper()
	executable, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	command := exec.Command(executable)
	command.Env = append(os.Environ(), serveLarge+"=1")
	command.Stderr = os.Stderr
	in, err := command.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := command.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := command.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = in.Close()
		_ = command.Wait()
	})
	host, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	return &rest.Config{Host: strings.TrimSpace(host)}, func(label string) { fmt.Fprintln(in, label) }
}

// observeLarge runs a source until it has read everything, and returns it with
// a function that ends it.
func observeLarge(b *testing.B, config *rest.Config) (*Source, func()) {
	b.Helper()
	source, err := New(config)
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { source.Run(ctx) })
	await(b, source, func(snapshot *cluster.Snapshot) bool {
		return len(snapshot.Gaps()) == 1 && snapshot.Gaps()[0] == noGateways
	})
	return source, func() { cancel(); running.Wait() }
}

func await(b *testing.B, source *Source, done func(*cluster.Snapshot) bool) {
	b.Helper()
	changed, stop := source.Subscribe()
	defer stop()
	deadline := time.After(5 * time.Minute)
	for !done(source.Snapshot()) {
		select {
		case <-changed:
		case <-deadline:
			b.Fatalf("waited in vain, gaps: %v", source.Snapshot().Gaps())
		}
	}
}

// BenchmarkInitialSync measures how long it takes to read a large cluster and
// what is then held of it. Run it alone, and once: memory does not shrink.
func BenchmarkInitialSync(b *testing.B) {
	config, _ := largeCluster(b)
	b.ReportMetric(residentMiB(b, "VmRSS"), "RSS-before-MiB")
	for b.Loop() {
		source, end := observeLarge(b, config)
		b.StopTimer()
		b.ReportMetric(residentMiB(b, "VmHWM"), "RSS-peak-MiB")
		b.ReportMetric(residentMiB(b, "VmRSS"), "RSS-synced-MiB")
		runtime.GC()
		debug.FreeOSMemory()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		b.ReportMetric(mebi(m.HeapAlloc), "heap-alloc-MiB")
		b.ReportMetric(mebi(m.HeapInuse), "heap-inuse-MiB")
		b.ReportMetric(mebi(m.Sys), "sys-MiB")
		b.ReportMetric(residentMiB(b, "VmRSS"), "RSS-MiB")
		runtime.KeepAlive(source)
		end()
		b.StartTimer()
	}
}

// BenchmarkSnapshotAfterOneChange measures a changed pod among 150,000: from
// the event to the snapshot, and from the API server to the subscriber.
func BenchmarkSnapshotAfterOneChange(b *testing.B) {
	config, change := largeCluster(b)
	source, end := observeLarge(b, config)
	defer end()
	b.Run("FromEvent", func(b *testing.B) {
		row, _ := cluster.Lookup(pods)
		store := &reflection{watcher: source.watchers[pods], row: *row}
		var events []*corev1.Pod
		for object := range synthetic.Large.Objects(pods) {
			if events = append(events, object.(*corev1.Pod)); len(events) == 1000 {
				break
			}
		}
		i := 0
		for b.Loop() {
			pod := events[i%len(events)]
			pod.Labels["change"] = fmt.Sprint(i)
			if err := store.Update(pod); err != nil {
				b.Fatal(err)
			}
			if source.Snapshot().Pods().Len() < 150_000 {
				b.Fatal("pods are missing")
			}
			i++
		}
	})
	b.Run("FromServer", func(b *testing.B) {
		object := synthetic.Large.Objects(pods)
		var namespace, name string
		for first := range object {
			namespace, name = first.(*corev1.Pod).Namespace, first.(*corev1.Pod).Name
			break
		}
		i := 0
		for b.Loop() {
			label := fmt.Sprintf("wire-%d-%d", b.N, i)
			change(label)
			await(b, source, func(snapshot *cluster.Snapshot) bool {
				pod, ok := snapshot.Pods().Get(namespace, name)
				return ok && pod.Labels.Get("change") == label
			})
			i++
		}
	})
}

func mebi(bytes uint64) float64 { return float64(bytes) / (1 << 20) }

// residentMiB reads a size from the process's status.
func residentMiB(b *testing.B, field string) float64 {
	b.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Skipf("the resident size is not known here: %v", err)
	}
	for line := range strings.Lines(string(status)) {
		if value, ok := strings.CutPrefix(line, field+":"); ok {
			var kibi float64
			if _, err := fmt.Sscan(value, &kibi); err != nil {
				b.Fatal(err)
			}
			return kibi / 1024
		}
	}
	b.Fatalf("no %s in the status", field)
	return 0
}
