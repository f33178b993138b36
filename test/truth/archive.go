// Package truth hands over what real control planes were recorded to do, so
// that tests can hold the engines to it. Each scenario is a cluster, requests
// to it, and what its kube-apiserver made of them; README.md says how to read
// them. The package records nothing and knows no engine; it stands on the hub
// types and on internal/dump, through which a scenario becomes a snapshot.
package truth

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// requests is the archive: JSON texts one to a line, compressed. The first is
// an archiveHead, each further one a scenario as it was recorded, with the
// numbers of its objects in the place of the objects: scenarios share many.
//
//go:embed requests.jsonl.gz
var requests []byte

// archiveHead is what scenarios share.
type archiveHead struct {
	// Cluster is what all scenarios have in common.
	Cluster recordedCluster `json:"cluster"`
	// Objects is each object of any scenario, once.
	Objects []json.RawMessage `json:"objects"`
}

type recordedCluster struct {
	KubernetesVersion string `json:"kubernetesVersion"`
	// Discovery is the documents that /api and /apis answer with.
	Discovery struct {
		API  json.RawMessage `json:"api"`
		APIs json.RawMessage `json:"apis"`
	} `json:"discovery"`
	Objects []json.RawMessage `json:"objects"`
}

// archivedScenario is a Scenario with the numbers of its objects.
type archivedScenario struct {
	Scenario
	Objects []int `json:"objects"`
}

// Requests returns the recorded scenarios of requests, in order of their names.
func Requests() ([]*Scenario, error) {
	return read(bytes.NewReader(requests))
}

func read(archive io.Reader) ([]*Scenario, error) {
	var scenarios []*Scenario
	err := scan(archive, func(head *archiveHead, archived *archivedScenario) {
		scenario := &archived.Scenario
		scenario.cluster = &head.Cluster
		scenario.Objects = head.numbered(archived.Objects)
		scenarios = append(scenarios, scenario)
	})
	if err != nil {
		return nil, fmt.Errorf("could not read the recorded requests: %w", err)
	}
	return scenarios, nil
}

// numbered returns the objects with those numbers.
func (h *archiveHead) numbered(numbers []int) []json.RawMessage {
	var objects []json.RawMessage
	for _, number := range numbers {
		objects = append(objects, h.Objects[number])
	}
	return objects
}

// scan hands over each scenario of an archive.
func scan[T any](archive io.Reader, each func(*archiveHead, *T)) error {
	unzipped, err := gzip.NewReader(archive)
	if err != nil {
		return err
	}
	lines := json.NewDecoder(unzipped)
	// A field that nobody reads is truth that nobody compares.
	lines.DisallowUnknownFields()
	var head archiveHead
	if err := lines.Decode(&head); err != nil {
		return err
	}
	for number := 1; ; number++ {
		scenario := new(T)
		switch err := lines.Decode(scenario); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("scenario %d: %w", number, err)
		}
		each(&head, scenario)
	}
}
