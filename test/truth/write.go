package truth

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
)

// clusterFile is what all scenarios of a directory share.
const clusterFile = "cluster.json"

// table is the objects of an archive, each once.
type table struct {
	Cluster json.RawMessage   `json:"cluster"`
	Objects []json.RawMessage `json:"objects"`
	number  map[string]int
}

// numberOf returns the number of an object, and gives it one if it is new.
func (t *table) numberOf(object json.RawMessage) int {
	number, known := t.number[string(object)]
	if !known {
		number = len(t.Objects)
		t.number[string(object)] = number
		t.Objects = append(t.Objects, object)
	}
	return number
}

// Write makes an archive of a directory of recorded requests: cluster.json, and
// each scenario in a file of its own.
func Write(to io.Writer, recordings fs.FS) error {
	names, err := fs.Glob(recordings, "*.json")
	if err != nil {
		return err
	}
	names = slices.DeleteFunc(names, func(name string) bool { return name == clusterFile })
	head := &table{number: map[string]int{}}
	if head.Cluster, err = canonical(recordings, clusterFile); err != nil {
		return err
	}
	// The head is written once all objects have their numbers.
	lines := []any{head}
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
			numbers = append(numbers, head.numberOf(object))
		}
		if scenario["objects"], err = json.Marshal(numbers); err != nil {
			return err
		}
		lines = append(lines, scenario)
	}
	return compress(to, lines)
}

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
