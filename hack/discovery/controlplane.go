package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	apidiscoveryv2 "k8s.io/api/apidiscovery/v2"
)

const startTimeout = time.Minute

// token is the recorder's for as long as the API server on loopback lives.
var token = rand.Text()

// record starts etcd and kube-apiserver with the flags, and returns what the
// API server serves.
func record(ctx context.Context, programs string, flags ...string) ([]apidiscoveryv2.APIGroupDiscovery, error) {
	dir, err := os.MkdirTemp("", "extant-discovery-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	ports, err := freePorts(3)
	if err != nil {
		return nil, err
	}
	etcd := fmt.Sprintf("http://127.0.0.1:%d", ports[0])
	peer := fmt.Sprintf("http://127.0.0.1:%d", ports[1])
	stopEtcd, err := start(ctx, dir, filepath.Join(programs, "etcd"), "--data-dir", filepath.Join(dir, "etcd"),
		"--listen-client-urls", etcd, "--advertise-client-urls", etcd,
		"--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", "default="+peer)
	if err != nil {
		return nil, err
	}
	defer stopEtcd()
	key := filepath.Join(dir, "service-account.key")
	if err := writeKey(key); err != nil {
		return nil, err
	}
	tokens := filepath.Join(dir, "tokens.csv")
	if err := os.WriteFile(tokens, []byte(token+",recorder,recorder,system:masters\n"), 0o600); err != nil {
		return nil, err
	}
	stopServer, err := start(ctx, dir, filepath.Join(programs, "kube-apiserver"), append([]string{
		"--etcd-servers", etcd, "--bind-address", "127.0.0.1", "--secure-port", strconv.Itoa(ports[2]),
		"--cert-dir", filepath.Join(dir, "certificates"), "--authorization-mode", "RBAC", "--token-auth-file", tokens,
		"--service-account-issuer", "https://kubernetes.default.svc",
		"--service-account-key-file", key, "--service-account-signing-key-file", key}, flags...)...)
	if err != nil {
		return nil, err
	}
	defer stopServer()
	client := &http.Client{Transport: &http.Transport{
		// The certificate is the server's own, made a moment ago, on loopback.
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, //nolint:gosec
	}}
	server := fmt.Sprintf("https://127.0.0.1:%d", ports[2])
	if err := waitReady(ctx, client, server); err != nil {
		output, _ := os.ReadFile(filepath.Join(dir, "kube-apiserver.log"))
		return nil, fmt.Errorf("%w; the end of its log:\n%s", err, output[max(0, len(output)-4000):])
	}
	return discover(ctx, client, server)
}

// discover reads aggregated discovery.
func discover(ctx context.Context, client *http.Client, server string) ([]apidiscoveryv2.APIGroupDiscovery, error) {
	var groups []apidiscoveryv2.APIGroupDiscovery
	for _, path := range []string{"/api", "/apis"} {
		body, err := get(ctx, client, server+path)
		if err != nil {
			return nil, err
		}
		var list apidiscoveryv2.APIGroupDiscoveryList
		if err := json.Unmarshal(body, &list); err != nil {
			return nil, fmt.Errorf("could not read %s: %w", path, err)
		}
		groups = append(groups, list.Items...)
	}
	return groups, nil
}

func get(ctx context.Context, client *http.Client, url string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Accept", "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json")
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answered %s: %s", url, response.Status, bytes.TrimSpace(body))
	}
	return body, nil
}

func waitReady(ctx context.Context, client *http.Client, server string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, startTimeout, errors.New("kube-apiserver did not become ready"))
	defer cancel()
	for {
		_, err := get(ctx, client, server+"/readyz")
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", context.Cause(ctx), err)
		case <-time.After(250 * time.Millisecond):
		}
	}
}

// start runs a program with its log in dir until the returned function is
// called.
func start(ctx context.Context, dir, program string, args ...string) (stop func(), err error) {
	log, err := os.Create(filepath.Join(dir, filepath.Base(program)+".log"))
	if err != nil {
		return nil, err
	}
	command := exec.CommandContext(ctx, program, args...)
	command.Stdout, command.Stderr = log, log
	if err := command.Start(); err != nil {
		_ = log.Close()
		return nil, fmt.Errorf("could not start %s: %w", program, err)
	}
	return func() {
		_ = command.Process.Kill()
		_ = command.Wait()
		_ = log.Close()
	}, nil
}

// freePorts returns ports that were free a moment ago.
func freePorts(n int) ([]int, error) {
	ports := make([]int, n)
	for i := range ports {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer func() { _ = listener.Close() }()
		ports[i] = listener.Addr().(*net.TCPAddr).Port
	}
	return ports, nil
}

func writeKey(path string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return err
	}
	return os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}), 0o600)
}
