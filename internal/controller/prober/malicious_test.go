package prober

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/extant-project/extant/pkg/apis/extant"
)

// maxTold is how large what is told of one endpoint may be, whatever it says.
const maxTold = 16 << 10

// endless sends bytes until the other side hangs up, and counts them.
func endless(sent *atomic.Int64, first []byte) func(net.Conn) {
	return func(connection net.Conn) {
		if _, err := connection.Write(first); err != nil {
			return
		}
		block := make([]byte, 64<<10)
		for {
			n, err := connection.Write(block)
			sent.Add(int64(n))
			if err != nil {
				return
			}
		}
	}
}

// slowly sends a byte of a TLS record now and then, for ever.
func slowly(connection net.Conn) {
	// The header of a handshake record of 16 KiB, which never is complete.
	for _, b := range append([]byte{22, 3, 3, 0x40, 0}, make([]byte, 1<<14)...) {
		if _, err := connection.Write([]byte{b}); err != nil {
			return
		}
		time.Sleep(20 * time.Millisecond) // no wait for anything: the server is slow
	}
}

// TestABackendThatMeansIllIsToldOfInFewWordsAndInTime lets backends present what
// is made to keep a client busy, to fill its memory or the API.
func TestABackendThatMeansIllIsToldOfInFewWordsAndInTime(t *testing.T) {
	ours := newAuthority(t)
	good := ours.issue(t, nil)
	chain := func(n int) tls.Certificate {
		long := ours.issue(t, nil)
		for range n {
			long.Certificate = append(long.Certificate, ours.certificate.Raw)
		}
		return long
	}
	names := ours.issue(t, func(c *x509.Certificate) {
		c.DNSNames = []string{strings.Repeat("a", 60_000)}
		for i := range 1000 {
			c.DNSNames = append(c.DNSNames, fmt.Sprintf("%d.%s", i, testName))
		}
	})
	unprintable := ours.issue(t, func(c *x509.Certificate) {
		c.DNSNames = []string{"a\x1b[2J\nb"}
		c.Subject = pkix.Name{CommonName: strings.Repeat("\u202e", 10_000)}
	})
	var garbage, records atomic.Int64
	for _, test := range []struct {
		name  string
		serve func(net.Conn)
		words string
	}{
		{"a chain longer than any", shaking(t, serving(chain(maxChain))), "it presents too many certificates"},
		{"a chain that fills a message", shaking(t, serving(chain(1000))), "the handshake failed: "},
		{"huge names", shaking(t, serving(names)), "and others and not for " + testName},
		{"names that move the cursor", shaking(t, serving(unprintable)), "the certificate is for a?[2J?b and not for"},
		{"a handshake of one byte at a time", slowly, "it accepted the connection and did not shake hands in time"},
		{"endless garbage", endless(&garbage, []byte("HTTP/1.1 200 OK\r\n")), "it does not speak TLS"},
		{"an endless record", endless(&records, []byte{22, 3, 3, 0x48, 0, 2, 0xff, 0xff, 0xff}), "the handshake failed: "},
	} {
		t.Run(test.name, func(t *testing.T) {
			target := testTarget(ours.pem, listen(t, "127.0.0.1:0", test.serve))
			start := time.Now()
			got := probe(t, testDialer(), target)
			// A second is what the target gives it; the rest is for a busy machine.
			if took := time.Since(start); took > 30*time.Second {
				t.Errorf("it took %s", took)
			}
			if got.available != metav1.ConditionFalse || got.reason != extant.BackendTLSFailed || !strings.Contains(got.message, test.words) {
				t.Errorf("got %s %s: %.200s", got.available, got.reason, got.message)
			}
			told, err := json.Marshal(struct {
				Message, Valid string
				Certificate    *extant.Certificate
			}{got.message, got.valid.Message, got.certificate})
			if err != nil || len(told) > maxTold {
				t.Errorf("%d bytes are told of it: %v", len(told), err)
			}
			for _, r := range got.message {
				if r < ' ' || r == '\u202e' {
					t.Errorf("the message has the character %q: %.200q", r, got.message)
				}
			}
		})
	}
	for name, sent := range map[string]int64{"garbage": garbage.Load(), "records": records.Load()} {
		// What the sockets buffer between the two, on both sides and twice.
		if sent > 64<<20 {
			t.Errorf("%d bytes of %s were taken", sent, name)
		}
	}
	if got := probe(t, testDialer(), testTarget(ours.pem, listen(t, "127.0.0.1:0", shaking(t, serving(good))))); got.available != metav1.ConditionTrue {
		t.Errorf("a good one is %s after those: %s", got.available, got.message)
	}
}
