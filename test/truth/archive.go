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
	"io/fs"
	"path"
	"slices"
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
	unzipped, err := gzip.NewReader(archive)
	if err != nil {
		return nil, fmt.Errorf("could not read the recorded requests: %w", err)
	}
	lines := json.NewDecoder(unzipped)
	// A field that nobody reads is truth that nobody compares.
	lines.DisallowUnknownFields()
	var head archiveHead
	if err := lines.Decode(&head); err != nil {
		return nil, fmt.Errorf("could not read the recorded requests: %w", err)
	}
	var scenarios []*Scenario
	for {
		var archived archivedScenario
		switch err := lines.Decode(&archived); {
		case errors.Is(err, io.EOF):
			return scenarios, nil
		case err != nil:
			return nil, fmt.Errorf("could not read recorded scenario %d: %w", len(scenarios)+1, err)
		}
		scenario := &archived.Scenario
		scenario.cluster = &head.Cluster
		for _, number := range archived.Objects {
			scenario.Objects = append(scenario.Objects, head.Objects[number])
		}
		scenarios = append(scenarios, scenario)
	}
}

// Write makes an archive of a directory of recordings: cluster.json, and each
// scenario in a file of its own.
func Write(to io.Writer, recordings fs.FS) error {
	names, err := fs.Glob(recordings, "*.json")
	if err != nil {
		return err
	}
	names = slices.DeleteFunc(names, func(name string) bool { return name == clusterFile })
	var head struct {
		Cluster json.RawMessage   `json:"cluster"`
		Objects []json.RawMessage `json:"objects"`
	}
	if head.Cluster, err = canonical(recordings, clusterFile); err != nil {
		return err
	}
	// The head is written once all objects have their numbers.
	lines := []any{&head}
	number := map[string]int{}
	for _, name := range names {
		text, err := canonical(recordings, name)
		if err != nil {
			return err
		}
		var scenario map[string]json.RawMessage
		if err := json.Unmarshal(text, &scenario); err != nil {
			return fmt.Errorf("could not read recording %q: %w", name, err)
		}
		var objects []json.RawMessage
		if err := json.Unmarshal(scenario["objects"], &objects); err != nil {
			return fmt.Errorf("could not read objects of recording %q: %w", name, err)
		}
		numbers := []int{}
		for _, object := range objects {
			if _, known := number[string(object)]; !known {
				number[string(object)] = len(head.Objects)
				head.Objects = append(head.Objects, object)
			}
			numbers = append(numbers, number[string(object)])
		}
		if scenario["objects"], err = json.Marshal(numbers); err != nil {
			return err
		}
		lines = append(lines, scenario)
	}
	return compress(to, lines)
}

// clusterFile is what all scenarios of a directory share.
const clusterFile = "cluster.json"

// canonical reads a JSON file and returns it with its keys in order and
// without white space. Numbers stay as they are written.
func canonical(files fs.FS, name string) ([]byte, error) {
	text, err := fs.ReadFile(files, path.Clean(name))
	if err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, fmt.Errorf("could not read recording %q: %w", name, err)
	}
	return marshal(value)
}

// marshal writes a value as kubectl does, with < and > as they are.
func marshal(value any) ([]byte, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, err
	}
	return text.Bytes(), nil
}

func compress(to io.Writer, lines []any) error {
	zipped, err := gzip.NewWriterLevel(to, gzip.BestCompression)
	if err != nil {
		return err
	}
	for _, line := range lines {
		text, err := marshal(line)
		if err != nil {
			return err
		}
		if _, err := zipped.Write(text); err != nil {
			return err
		}
	}
	return zipped.Close()
}
