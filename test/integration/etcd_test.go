package integration

import (
	"context"
	"crypto/tls"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/extant-project/extant/pkg/apis/extant/v1alpha1"
)

func TestTheJobKeepsTheCertificatesThatItMade(t *testing.T) {
	output, err := env.runPKI(t.Context())
	if err != nil {
		t.Fatal(err, output)
	}
	if strings.Count(output, " kept ") != 4 {
		t.Errorf("a second run prints:\n%s", output)
	}
}

func TestEtcdAnswersOnlyWhomItsAuthorityKnows(t *testing.T) {
	member := env.etcd.members[0]
	pair := func(pod, volume string) []tls.Certificate {
		path := filepath.Join(env.podDir(pod), volume)
		certificate, err := tls.LoadX509KeyPair(filepath.Join(path, "tls.crt"), filepath.Join(path, "tls.key"))
		if err != nil {
			t.Fatal(err)
		}
		return []tls.Certificate{certificate}
	}
	client, peer := pair(serviceName, "etcd-client"), pair(member.Name, "peer")
	for _, connection := range []struct {
		name         string
		url          string
		certificates []tls.Certificate
		answered     bool
	}{
		{"a client without a certificate", "https://" + member.client + "/version", nil, false},
		{"Extant", "https://" + member.client + "/version", client, true},
		{"a peer without a certificate", "https://" + member.peer + "/members", nil, false},
		{"Extant as a peer", "https://" + member.peer + "/members", client, false},
		{"a peer", "https://" + member.peer + "/members", peer, true},
	} {
		t.Run(connection.name, func(t *testing.T) {
			// Who answers is not the question here.
			http := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
				TLSClientConfig: &tls.Config{InsecureSkipVerify: true, Certificates: connection.certificates},
			}}
			response, err := http.Get(connection.url)
			if err == nil {
				defer response.Body.Close()
				_, err = io.ReadAll(response.Body)
			}
			if answered := err == nil; answered != connection.answered {
				t.Errorf("answered: %t, want %t (%v)", answered, connection.answered, err)
			}
		})
	}
}

func TestOneMemberOfEtcdMayBeLost(t *testing.T) {
	lost := env.etcd.members[1]
	if err := lost.Kill(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := env.etcd.Start(); err != nil {
			t.Fatal(err)
		}
		if err := env.etcd.WaitReady(context.Background()); err != nil {
			t.Fatal(err)
		}
	})
	const name = "with-two-members"
	deleteAfterwards(t, name)
	// It may have been the leader: the election of another takes a moment.
	eventually(t, soon, func(ctx context.Context) string {
		if _, err := extantClient(t).Extensions().Create(ctx, &v1alpha1.Extension{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{}); err != nil {
			return err.Error()
		}
		return ""
	})
}
