package cluster

import (
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

// definition returns a kept definition with a schema of many fields.
func definition(t testing.TB, name string, fields int) *apiextensionsv1.CustomResourceDefinition {
	t.Helper()
	var properties []string
	for i := range fields {
		properties = append(properties, fmt.Sprintf(`"field%s%d": {"type": "string", "default": "x", "enum": ["x", "y"], "description": %q}`,
			name, i, strings.Repeat("What this field is good for, in so many words. ", 4)))
	}
	text := fmt.Sprintf(`{"metadata": {"name": %q}, "spec": {"group": "example.com", "versions": [{"name": "v1", "schema": {"openAPIV3Schema": {
		"type": "object", "properties": {"spec": {"type": "object", "x-kubernetes-preserve-unknown-fields": true, "properties": {%s}}}}}}]}}`, name, strings.Join(properties, ","))
	d := &apiextensionsv1.CustomResourceDefinition{}
	if err := json.Unmarshal([]byte(text), d); err != nil {
		t.Fatal(err)
	}
	keepCustomResourceDefinition(d)
	return d
}

func TestASchemaIsKeptForMachines(t *testing.T) {
	d := definition(t, "a", 2)
	schema, err := Schema(d, "v1")
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(schema)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"type":"object","properties":{"spec":{"type":"object","properties":{` +
		`"fielda0":{"type":"string","default":"x","enum":["x","y"]},"fielda1":{"type":"string","default":"x","enum":["x","y"]}},` +
		`"x-kubernetes-preserve-unknown-fields":true}}}`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Error(diff)
	}
	if _, err := Schema(d, "v2"); err == nil {
		t.Error("there is no v2")
	}
}

func TestAPackedSchemaIsComparedAndKeptTwice(t *testing.T) {
	d := definition(t, "a", 3)
	if !same(d, definition(t, "a", 3)) {
		t.Error("equal definitions differ")
	}
	if same(d, definition(t, "a", 4)) {
		t.Error("definitions with different schemas are the same")
	}
	again := d.DeepCopy()
	keepCustomResourceDefinition(again)
	if !same(d, again) {
		t.Error("keeping it twice changed it")
	}
	NewSharer().Share(again)
	if !same(d, again) {
		t.Error("sharing it changed it")
	}
}

func BenchmarkTwoThousandSchemas(b *testing.B) {
	for b.Loop() {
		before := heap()
		kept := make([]*apiextensionsv1.CustomResourceDefinition, 2000)
		for i := range kept {
			kept[i] = definition(b, fmt.Sprint(i), 120)
		}
		b.ReportMetric(float64(heap()-before)/(1<<20), "MiB")
		runtime.KeepAlive(kept)
	}
}

func heap() uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}
