// Package bench measures the built server as its user runs it: how soon it is
// ready, how much memory it keeps, and what it serves. It has benchmarks only;
// make bench runs them on bin/extant-apiserver.
package bench

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/extant-project/extant/pkg/apis/extant/v1alpha1"
	"github.com/extant-project/extant/pkg/generated/clientset/versioned"
)

// server is a standalone server in a process of its own, observing the bundled
// example cluster.
type server struct {
	process *exec.Cmd
	client  versioned.Interface
	config  *rest.Config
	// ready is the time from the start of the process until the kubeconfig was
	// written, which is after /readyz is ok and the first inventory is stored.
	ready time.Duration
}

func start(b *testing.B) *server {
	b.Helper()
	program, err := filepath.Abs("../../bin/extant-apiserver")
	if err != nil {
		b.Fatal(err)
	}
	dir := b.TempDir()
	kubeconfig := filepath.Join(dir, "kubeconfig")
	s := &server{process: exec.Command(program, "--standalone", "--data-dir", filepath.Join(dir, "data"),
		"--secure-port", "0", "--kubeconfig-out", kubeconfig)}
	// The example cluster is measured, whatever this machine's kubeconfig says.
	s.process.Env = append(os.Environ(), "KUBECONFIG="+filepath.Join(dir, "none"), "HOME="+dir)
	s.process.Stderr = os.Stderr
	began := time.Now()
	if err := s.process.Start(); err != nil {
		b.Fatalf("run make build first: %v", err)
	}
	b.Cleanup(s.stop)
	for {
		if _, err := os.Stat(kubeconfig); err == nil {
			break
		}
		if time.Since(began) > time.Minute {
			b.Fatal("the server was not ready within a minute")
		}
		time.Sleep(time.Millisecond)
	}
	s.ready = time.Since(began)
	if s.config, err = clientcmd.BuildConfigFromFlags("", kubeconfig); err != nil {
		b.Fatal(err)
	}
	s.config.QPS = -1
	s.config.ContentType = "application/vnd.kubernetes.protobuf"
	s.client = versioned.NewForConfigOrDie(s.config)
	return s
}

func (s *server) stop() {
	_ = s.process.Process.Signal(syscall.SIGTERM)
	_ = s.process.Wait()
}

var residentLine = regexp.MustCompile(`VmRSS:\s+(\d+) kB`)

func (s *server) residentMiB(b *testing.B) float64 {
	b.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.process.Process.Pid))
	if err != nil {
		b.Fatal(err)
	}
	kib, err := strconv.Atoi(string(residentLine.FindSubmatch(status)[1]))
	if err != nil {
		b.Fatal(err)
	}
	return float64(kib) / 1024
}

// cpu is the user and system time of the server so far.
func (s *server) cpu(b *testing.B) time.Duration {
	b.Helper()
	var sum time.Duration
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", s.process.Process.Pid))
	if err != nil {
		b.Fatal(err)
	}
	for _, task := range tasks {
		content, err := os.ReadFile(task)
		if err != nil {
			continue // the thread ended
		}
		var nanoseconds int64
		if _, err := fmt.Sscan(string(content), &nanoseconds); err == nil {
			sum += time.Duration(nanoseconds)
		}
	}
	return sum
}

// BenchmarkStart measures the time until the first inventory can be read, and
// the memory after ten idle seconds.
func BenchmarkStart(b *testing.B) {
	var ready time.Duration
	var resident float64
	for b.Loop() {
		s := start(b)
		ready += s.ready
		time.Sleep(10 * time.Second)
		resident = s.residentMiB(b)
		s.stop()
	}
	b.ReportMetric(ready.Seconds()*1000/float64(b.N), "ms-until-inventory")
	b.ReportMetric(resident, "MiB-idle")
	b.ReportMetric(0, "ns/op")
}

func extension(name string) *v1alpha1.Extension {
	e := &v1alpha1.Extension{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"bench": "true"}}}
	e.Spec.Owner = "platform"
	for i := range 10 {
		e.Spec.Components = append(e.Spec.Components, v1alpha1.ObjectReference{Group: "apps", Resource: "deployments", Namespace: "bench", Name: fmt.Sprintf("component-%d", i)})
	}
	return e
}

// BenchmarkServe measures what the server serves to one client after another,
// with the server's own CPU time for each operation.
func BenchmarkServe(b *testing.B) {
	s := start(b)
	ctx := context.Background()
	extensions := s.client.ExtantV1alpha1().Extensions()
	var created atomic.Int64
	measure := func(name string, operation func(b *testing.B)) {
		b.Run(name, func(b *testing.B) {
			before := s.cpu(b)
			operation(b)
			b.ReportMetric(float64((s.cpu(b)-before).Microseconds())/float64(b.N), "server-cpu-µs/op")
		})
	}
	measure("create", func(b *testing.B) {
		for b.Loop() {
			if _, err := extensions.Create(ctx, extension(fmt.Sprintf("bench-%d", created.Add(1))), metav1.CreateOptions{}); err != nil {
				b.Fatal(err)
			}
		}
	})
	measure("get", func(b *testing.B) {
		for b.Loop() {
			if _, err := extensions.Get(ctx, "bench-1", metav1.GetOptions{}); err != nil {
				b.Fatal(err)
			}
		}
	})
	measure("list-from-cache", func(b *testing.B) {
		client, err := rest.HTTPClientFor(s.config)
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			response, err := client.Get(s.config.Host + "/apis/extant.dev/v1alpha1/extensions?resourceVersion=0")
			if err != nil || response.StatusCode != http.StatusOK {
				b.Fatal(response, err)
			}
			if _, err := io.Copy(io.Discard, response.Body); err != nil {
				b.Fatal(err)
			}
			_ = response.Body.Close()
		}
		b.ReportMetric(float64(created.Load()), "objects")
	})
	measure("review", func(b *testing.B) { reviews(b, s) })
	measure("watch-event", func(b *testing.B) { watchEvents(b, s) })
	measure("review", func(b *testing.B) {
		// As many clients as cores.
		b.RunParallel(func(p *testing.PB) {
			for p.Next() {
				if _, err := s.client.ExtantV1alpha1().RequestReviews().Create(ctx, review(), metav1.CreateOptions{}); err != nil {
					b.Error(err)
					return
				}
			}
		})
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "reviews/s")
	})
}

// review asks what a pod passes through.
func review() *v1alpha1.RequestReview {
	r := &v1alpha1.RequestReview{}
	r.Spec.Request = v1alpha1.ReviewedRequest{
		Operation: "CREATE", Version: "v1", Resource: "pods", Namespace: "shop", Name: "web-0",
		Object: runtime.RawExtension{Raw: []byte(`{"apiVersion":"v1","kind":"Pod","metadata":{"name":"web-0","namespace":"shop","labels":{"app":"web"}},"spec":{"containers":[{"name":"web","image":"web:1"}]}}`)},
	}
	return r
}

// watchEvents measures an update until a watcher has it.
func watchEvents(b *testing.B, s *server) {
	ctx := context.Background()
	extensions := s.client.ExtantV1alpha1().Extensions()
	watcher, err := extensions.Watch(ctx, metav1.ListOptions{FieldSelector: "metadata.name=bench-1"})
	if err != nil {
		b.Fatal(err)
	}
	defer watcher.Stop()
	for i := 0; b.Loop(); i++ {
		patch := fmt.Sprintf(`{"spec":{"owner":"team-%d"}}`, i)
		updated, err := extensions.Patch(ctx, "bench-1", "application/merge-patch+json", []byte(patch), metav1.PatchOptions{})
		if err != nil {
			b.Fatal(err)
		}
		for event := range watcher.ResultChan() {
			if e, ok := event.Object.(*v1alpha1.Extension); ok && e.ResourceVersion == updated.ResourceVersion {
				break
			}
		}
	}
}
