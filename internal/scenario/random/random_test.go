package random

import (
	"bytes"
	"testing"
)

func nowhere(_ bool, configuration, hook string) Endpoint {
	return Endpoint{URL: "https://127.0.0.1:1/" + configuration + "/" + hook}
}

// everywhere has an object of every kind at every path.
func everywhere(path string) map[string]any {
	return map[string]any{"apiVersion": "v1", "kind": "Any", "metadata": map[string]any{"name": "any", "uid": path}}
}

// run makes a cluster and requests to it, as one text.
func run(seed uint64) ([]byte, []*Request) {
	g := New(seed, "r", nowhere)
	c := g.Cluster(3, 6)
	g.Mark(c)
	var text bytes.Buffer
	text.Write(encode(c))
	var requests []*Request
	for range 500 {
		if request := g.Request(c, everywhere); request != nil {
			requests = append(requests, request)
			text.Write(encode(request))
		}
	}
	for _, object := range g.Objects(c) {
		text.Write(object.Body)
	}
	return text.Bytes(), requests
}

func TestTheSameSeedMakesTheSame(t *testing.T) {
	first, _ := run(7)
	again, _ := run(7)
	other, _ := run(8)
	if !bytes.Equal(first, again) {
		t.Error("the same seed made something else")
	}
	if bytes.Equal(first, other) {
		t.Error("another seed made the same")
	}
}

func TestEveryKindAndSubresourceIsAskedFor(t *testing.T) {
	asked := map[string]map[string]bool{}
	for seed := range uint64(40) {
		_, requests := run(seed)
		for _, request := range requests {
			review := request.Review
			of := review.Resource + "." + review.Group
			if asked[of] == nil {
				asked[of] = map[string]bool{}
			}
			asked[of][review.Subresource] = true
			asked[of][string(review.Operation)] = true
		}
	}
	for _, kind := range Kinds {
		got := asked[kind.Resource+"."+kind.Group]
		for _, subresource := range kind.Subresources {
			if !got[subresource] {
				t.Errorf("nobody asks for %s/%s", kind.Resource, subresource)
			}
		}
		if kind.CreateOnly {
			continue
		}
		for _, operation := range []string{"CREATE", "UPDATE", "DELETE"} {
			if !got[operation] {
				t.Errorf("no %s of %s", operation, kind.Resource)
			}
		}
	}
}
