package prober

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"unicode"
	"unicode/utf8"

	"github.com/extant-project/extant/pkg/apis/extant"
)

// failure is why an endpoint did not answer a probe.
type failure struct {
	// reason is ConnectFailed, TLSFailed or, where nothing was called, NotProbed.
	reason extant.BackendReason
	// result is the word for it in metrics.
	result string
	// words say it for people.
	words string
	// silent: nothing came back at all, not even a refusal.
	silent bool
	// uncertain: the API server may fare better.
	uncertain bool
}

// connectFailure says why no connection could be made.
func connectFailure(err error) *failure {
	f := &failure{reason: extant.BackendConnectFailed}
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns) && dns.IsNotFound:
		// A name without a dot may be completed where the API server runs.
		f.result, f.words = "unresolved", "the name of the host does not exist"
		f.uncertain = !strings.Contains(strings.TrimSuffix(dns.Name, "."), ".")
	case errors.As(err, &dns):
		// The API server commonly asks other servers.
		f.result, f.words, f.uncertain = "unresolved", "the name of the host could not be resolved", true
	case errors.Is(err, syscall.ECONNREFUSED):
		f.result, f.words = "refused", "refused"
	case isTimeout(err):
		f.result, f.words, f.silent = "timeout", "timed out", true
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		f.result, f.words, f.silent = "unreachable", "no route", true
	default:
		f.result, f.words = "connect", clean(err.Error(), maxWords)
	}
	return f
}

// handshakeFailure says why a handshake failed before a certificate could be
// judged.
func handshakeFailure(err error, askedForCertificate bool) *failure {
	f := &failure{reason: extant.BackendTLSFailed, result: "handshake"}
	var alert *net.OpError
	var record tls.RecordHeaderError
	switch {
	case askedForCertificate:
		f.words, f.uncertain = "it asks for a client certificate, which only kube-apiserver may have", true
	case isTimeout(err):
		f.result, f.words = "timeout", "it accepted the connection and did not shake hands in time"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		f.words = "it closed the connection during the handshake"
	case errors.As(err, &record):
		f.words = "it does not speak TLS"
	case errors.As(err, &alert) && alert.Op == "remote error":
		f.words = "it refused the handshake: " + clean(strings.TrimPrefix(alert.Err.Error(), "tls: "), maxWords)
	default:
		f.words = "the handshake failed: " + clean(strings.TrimPrefix(err.Error(), "tls: "), maxWords)
	}
	return f
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) || (errors.As(err, &timeout) && timeout.Timeout())
}

// notCalled is an endpoint that may not be called.
func notCalled(address string) *failure {
	return &failure{
		reason: extant.BackendNotProbed, result: "local", uncertain: true,
		words: fmt.Sprintf("%s is not probed: it is a local address, which --probe-local-addresses allows", address),
	}
}

// maxWords bounds what others say: a certificate may hold anything.
const maxWords = 200

// clean makes text of others printable, and short.
func clean(text string, limit int) string {
	if len(text) > 4*limit {
		text = text[:4*limit]
	}
	text = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, text)
	if len(text) <= limit {
		return text
	}
	cut := limit
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "…"
}
