package dump

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// largeList is a list of pods as kubectl writes it.
func largeList(pods int) []byte {
	var b bytes.Buffer
	b.WriteString("apiVersion: v1\nitems:\n")
	for i := range pods {
		fmt.Fprintf(&b, `- apiVersion: v1
  kind: Pod
  metadata:
    annotations:
      example.com/note: %q
    creationTimestamp: "2026-04-02T07:32:00Z"
    labels:
      app: web-%d
      pod-template-hash: 6d4b75cb6d
    name: web-%d-%d
    namespace: shop-%d
    ownerReferences:
    - apiVersion: apps/v1
      controller: true
      kind: ReplicaSet
      name: web-%d
      uid: 04a9a861-595b-4c60-ac0a-4c1231b0d21e
  spec:
    containers:
    - env:
      - name: A
        value: "1"
      image: registry.example.com/web:1.2.3
      name: web
      resources:
        limits: {cpu: 100m, memory: 128Mi}
    nodeName: node-%d
    serviceAccountName: web
  status:
    conditions:
    - lastProbeTime: null
      lastTransitionTime: "2026-04-02T07:32:00Z"
      status: "True"
      type: Ready
    phase: Running
`, strings.Repeat("x", 200), i%100, i%100, i, i%50, i%100, i%200)
	}
	b.WriteString("kind: List\nmetadata:\n  resourceVersion: \"\"\n")
	return b.Bytes()
}

func BenchmarkReadAList(b *testing.B) {
	text := largeList(20_000)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		contents, err := ReadStream("list.yaml", bytes.NewReader(text))
		if err != nil {
			b.Fatal(err)
		}
		if n := len(contents.objects[podsResource]); n != 20_000 {
			b.Fatalf("got %d pods", n)
		}
	}
}

func BenchmarkReadAgain(b *testing.B) {
	contents, err := ReadStream("list.yaml", bytes.NewReader(largeList(20_000)))
	if err != nil {
		b.Fatal(err)
	}
	s := newSource(contents)
	b.ReportAllocs()
	for b.Loop() {
		if s.fill() {
			b.Fatal("it has changed")
		}
	}
}
