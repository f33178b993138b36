// Package socket asks a node's plugins who they are, over the gRPC services of
// the kubelet's plugin registration, of CSI and of device plugins. It calls what
// changes nothing and nothing else: no plugin is told that it is registered.
//
// It speaks gRPC with net/http and reads the two or three fields that it needs.
// The published modules bring grpc-go and the descriptors of whole services,
// which is more memory than the rest of the agent has; they are what the tests
// answer with.
package socket

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"
)

const (
	// timeout is how long a plugin may take to answer.
	timeout = 3 * time.Second
	// maxMessage is how large an answer may be, in bytes.
	maxMessage = 64 << 10
	// prefix is how long the head of a message is: whether it is compressed, and
	// its length.
	prefix = 5
)

// Dial connects to the plugin that is asked.
type Dial func(context.Context) (net.Conn, error)

// call calls a method of one request and one answer.
func call(ctx context.Context, dial Dial, method string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	protocols := &http.Protocols{}
	protocols.SetUnencryptedHTTP2(true)
	transport := &http.Transport{
		Protocols:              protocols,
		DialContext:            func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) },
		DisableCompression:     true,
		MaxResponseHeaderBytes: maxMessage,
	}
	defer transport.CloseIdleConnections()
	// No request has fields that are set: the message is empty.
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://localhost/"+method, bytes.NewReader(make([]byte, prefix)))
	if err != nil {
		return nil, err
	}
	request.Header = http.Header{"Content-Type": {"application/grpc"}, "Te": {"trailers"}, "User-Agent": {"extant-node-agent"}}
	message, err := exchange(transport, request)
	if err != nil {
		return nil, fmt.Errorf("could not call %s: %w", method, err)
	}
	return message, nil
}

func exchange(transport http.RoundTripper, request *http.Request) ([]byte, error) {
	response, err := transport.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("HTTP status %d", response.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxMessage+prefix+1))
	if err != nil {
		return nil, err
	}
	if len(body) > maxMessage+prefix {
		return nil, errors.New("the answer is too large")
	}
	// Trailers are there once the body is read. An answer without a body has
	// them among its headers.
	trailer := response.Trailer
	if trailer.Get("Grpc-Status") == "" {
		trailer = response.Header
	}
	if status := trailer.Get("Grpc-Status"); status != "0" {
		text, err := url.PathUnescape(trailer.Get("Grpc-Message"))
		if err != nil {
			text = trailer.Get("Grpc-Message")
		}
		return nil, fmt.Errorf("gRPC status %q: %s", status, text)
	}
	if len(body) < prefix || body[0] != 0 || uint32(len(body)-prefix) != binary.BigEndian.Uint32(body[1:]) {
		return nil, errors.New("the answer is not one plain message")
	}
	return body[prefix:], nil
}
