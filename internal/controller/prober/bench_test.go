package prober

import (
	"bufio"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/clock"

	"github.com/extant-project/extant/pkg/apis/extant"
)

// The servers of a benchmark are another process, so that what it costs to probe
// them is what this one costs.

const benchmarkServer = "PROBER_BENCHMARK_SERVER"

func TestMain(m *testing.M) {
	if os.Getenv(benchmarkServer) != "" {
		serveBenchmark()
		return
	}
	os.Exit(m.Run())
}

// serveBenchmark serves on all addresses of loopback until its input ends. It
// prints its authority and the port.
func serveBenchmark() {
	var t noTest
	ours := newAuthority(t)
	listener, err := net.Listen("tcp4", "0.0.0.0:0")
	if err != nil {
		panic(err)
	}
	go accept(listener, shaking(t, serving(ours.issue(t, func(c *x509.Certificate) { c.DNSNames = []string{"*.guards.svc"} }))))
	fmt.Println(base64.StdEncoding.EncodeToString(ours.pem), listener.Addr().(*net.TCPAddr).Port)
	_, _ = bufio.NewReader(os.Stdin).ReadByte()
}

// noTest is a test that there is not.
type noTest struct{ testing.TB }

func (noTest) Helper()           {}
func (noTest) Error(args ...any) { fmt.Fprintln(os.Stderr, args...) }
func (noTest) Fatal(args ...any) { panic(fmt.Sprint(args...)) }

// startServer starts the servers, and returns the authority that signs for them,
// their port, and how to kill them.
func startServer(b *testing.B) (bundle []byte, port string, kill func()) {
	b.Helper()
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), benchmarkServer+"=1")
	command.Stderr = os.Stderr
	input, err := command.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	output, err := command.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := command.Start(); err != nil {
		b.Fatal(err)
	}
	line, err := bufio.NewReader(output).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	encoded, port, _ := strings.Cut(strings.TrimSpace(line), " ")
	if bundle, err = base64.StdEncoding.DecodeString(encoded); err != nil {
		b.Fatal(err)
	}
	killed := false
	kill = func() {
		if !killed {
			killed = true
			_ = input.Close()
			_ = command.Wait()
		}
	}
	b.Cleanup(kill)
	return bundle, port, kill
}

// cpuTime is the time that this process has computed.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// BenchmarkProbe shakes hands with one endpoint, and has two hooks judge the
// certificate.
func BenchmarkProbe(b *testing.B) {
	bundle, port, _ := startServer(b)
	d, judges, target := testDialer(), newJudges(), testTarget(bundle, "127.0.0.1:"+port)
	target.serverName = "a.guards.svc"
	target.callers = append(target.callers, target.callers[0])
	s := newState(nil, false)
	s.aim(target, &extant.BackendStatus{Available: metav1.ConditionUnknown})
	before := cpuTime(b)
	b.ReportAllocs()
	for b.Loop() {
		now := time.Now()
		s.record(d.round(b.Context(), "guard", target, 0, now), judges, now)
	}
	if s.shown.available != metav1.ConditionTrue {
		b.Fatal(s.shown.message)
	}
	b.ReportMetric(float64((cpuTime(b)-before).Microseconds())/float64(b.N), "cpu-µs/op")
}

// BenchmarkBackends runs the controller with 2,000 backends at the default
// interval for one interval, and then kills all their servers at once.
func BenchmarkBackends(b *testing.B) {
	const backends, interval = 2000, 30 * time.Second
	for range b.N {
		bundle, port, kill := startServer(b)
		h := newHarness(b)
		h.config.Clock, h.config.Events, h.deaf = clock.RealClock{}, nil, true
		for i := range backends {
			name := fmt.Sprintf("b%d", i)
			h.hook(name, bundle, fmt.Sprintf("127.1.%d.%d:%s", i/250, i%250+1, port))
			h.backend(name + ".guards.443")
		}
		c, stop := h.run()
		reach := func(want metav1.ConditionStatus, since time.Time) (took []time.Duration) {
			for len(took) < backends {
				time.Sleep(100 * time.Millisecond)
				if time.Since(since) > 5*time.Minute {
					b.Fatalf("%d of %d are %s", len(took), backends, want)
				}
				for n := c.count(want); len(took) < n; {
					took = append(took, time.Since(since))
				}
			}
			return took
		}
		first := reach(metav1.ConditionTrue, time.Now())
		runtime.GC()
		before, writes := cpuTime(b), h.writes.Load()
		time.Sleep(interval)
		spent := cpuTime(b) - before
		b.ReportMetric(100*spent.Seconds()/interval.Seconds(), "%core")
		b.ReportMetric(float64(h.writes.Load()-writes), "writes")
		b.ReportMetric(float64(c.dialer.limit.sockets(5*time.Second)), "sockets")
		b.ReportMetric(first[backends-1].Seconds(), "s-all-probed")
		killed := time.Now()
		kill()
		noticed := reach(metav1.ConditionFalse, killed)
		b.ReportMetric(noticed[backends/2].Seconds(), "s-noticed-p50")
		b.ReportMetric(noticed[backends-1].Seconds(), "s-noticed-max")
		stop()
	}
}

// count is how many backends are shown so.
func (c *Controller) count(available metav1.ConditionStatus) (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.states {
		if s.shown != nil && s.shown.available == available {
			n++
		}
	}
	return n
}

// sockets returns the most connections that were open at a time in a while. Each
// backend of the benchmark is a host of its own.
func (l *limiter) sockets(within time.Duration) (most int) {
	for end := time.Now().Add(within); time.Now().Before(end); time.Sleep(time.Millisecond) {
		l.mu.Lock()
		most = max(most, len(l.hosts))
		l.mu.Unlock()
	}
	return most
}
