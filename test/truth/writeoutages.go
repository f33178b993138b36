package truth

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/extant-project/extant/pkg/apis/extant"
)

// unreadFields is what of a recording nobody compares: where it comes from,
// and what only people read.
var unreadFields = []string{"source", "timeline", "requestObjects", "lostPods", "alsoNotReady", "scenario", "down", "outage", "expect", "assume", "touched"}

// scenarioFields is what of a recording says what was played, not what happened.
var scenarioFields = []string{"title", "tests", "simulated", "downIsExact", "startupSeconds"}

// WriteOutages makes an archive of the recordings of outages and incidents.
// The cluster that all have in common is that of the requests.
func WriteOutages(to io.Writer, recordings fs.FS) error {
	head := &table{number: map[string]int{}}
	var err error
	if head.Cluster, err = canonical(recordings, "request/"+clusterFile); err != nil {
		return err
	}
	lines := []any{head}
	for _, kind := range []string{"incidents", "outage"} {
		names, err := fs.Glob(recordings, kind+"/*/truth.yaml")
		if err != nil {
			return err
		}
		for _, name := range names {
			r := recording{table: head, files: recordings, folder: path.Dir(name)}
			line, err := r.line()
			if err != nil {
				return fmt.Errorf("could not read recording %q: %w", r.folder, err)
			}
			lines = append(lines, line)
		}
	}
	return compress(to, lines)
}

// recording is one outage as it was recorded.
type recording struct {
	*table
	files  fs.FS
	folder string
	truth  map[string]any
	// same replaces what differs from run to run.
	same *strings.Replacer
}

// line returns the recording as the archive has it.
func (r *recording) line() (map[string]any, error) {
	text, err := fs.ReadFile(r.files, r.folder+"/truth.yaml")
	if err != nil {
		return nil, err
	}
	if err := yaml.Unmarshal(text, &r.truth); err != nil {
		return nil, err
	}
	objects, err := r.documents("objects.yaml")
	if err != nil {
		return nil, err
	}
	targets, err := r.documents("probes.yaml")
	if err != nil {
		return nil, err
	}
	r.same = sameNames(slices.Concat(objects, targets))
	spec, err := r.spec(objects)
	if err != nil {
		return nil, err
	}
	line := map[string]any{"name": r.folder, "spec": spec}
	if line["objects"], err = r.numbers(objects); err != nil {
		return nil, err
	}
	if line["targets"], err = r.numbers(targets); err != nil {
		return nil, err
	}
	if err := r.happened(); err != nil {
		return nil, err
	}
	for _, field := range scenarioFields {
		if value, recorded := r.truth[field]; recorded {
			line[field] = value
			delete(r.truth, field)
		}
	}
	if seconds := spec.Assume.StartupSeconds; seconds != nil {
		line["startupSeconds"] = *seconds
	}
	line["truth"] = r.truth
	return line, nil
}

// documents reads a file of objects.
func (r *recording) documents(name string) ([]map[string]any, error) {
	text, err := fs.ReadFile(r.files, r.folder+"/"+name)
	if err != nil {
		return nil, err
	}
	var objects []map[string]any
	for document := range bytes.SplitSeq(text, []byte("\n---\n")) {
		var object map[string]any
		if err := yaml.Unmarshal(document, &object); err != nil {
			return nil, err
		}
		if len(object) > 0 {
			objects = append(objects, object)
		}
	}
	return objects, nil
}

// spec returns what a review of the outage asks.
func (r *recording) spec(objects []map[string]any) (*extant.OutageReviewSpec, error) {
	text, err := fs.ReadFile(r.files, r.folder+"/outage.yaml")
	if err != nil {
		return nil, err
	}
	var review struct{ Spec extant.OutageReviewSpec }
	if err := yaml.Unmarshal(text, &review); err != nil {
		return nil, err
	}
	spec := &review.Spec
	if spec.Down.Mode == "" {
		spec.Down.Mode = extant.ModePodsLost
	}
	spec.Detail = extant.DetailSummary
	spec.Assume, err = assumptions(r.truth, spec, objects)
	return spec, err
}

// sameNames returns what gives objects uids that say whose they are, and the
// machine of the control plane a name that does.
func sameNames(objects []map[string]any) *strings.Replacer {
	pairs := []string{`"vm"`, `"control-plane"`, `"vm_`, `"control-plane_`}
	for _, object := range objects {
		metadata, _ := object["metadata"].(map[string]any)
		if uid, _ := metadata["uid"].(string); uid != "" {
			pairs = append(pairs, uid, fmt.Sprintf("%v.%v.%v", object["kind"], metadata["namespace"], metadata["name"]))
		}
	}
	return strings.NewReplacer(pairs...)
}

var (
	uids   = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
	times  = regexp.MustCompile(`"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z"`)
	quoted = regexp.MustCompile(`failed calling webhook "([^"]+)"|ValidatingAdmissionPolicy '([^']+)'`)
)

// number returns the number of an object, once it has nothing that differs from
// run to run.
func (r *recording) anonymous(object any) (int, error) {
	text, err := marshal(object)
	if err != nil {
		return 0, err
	}
	same := uids.ReplaceAllString(r.same.Replace(string(text)), "unknown")
	same = times.ReplaceAllString(same, `"2026-01-01T00:00:00${1}Z"`)
	return r.numberOf(json.RawMessage(same)), nil
}

func (r *recording) numbers(objects []map[string]any) ([]int, error) {
	numbers := []int{}
	for _, object := range objects {
		number, err := r.anonymous(object)
		if err != nil {
			return nil, err
		}
		numbers = append(numbers, number)
	}
	return numbers, nil
}

// happened leaves in the truth what is compared.
func (r *recording) happened() error {
	sent, _ := r.truth["requestObjects"].(map[string]any)
	for _, answer := range []string{"blocked", "denied", "allowed", "refusedBefore"} {
		for _, probe := range listed(r.truth[answer]) {
			if err := r.probe(probe, sent); err != nil {
				return err
			}
		}
	}
	for i, expected := range listed(r.truth["expect"]) {
		answer, probe := expectedProbe(i, expected)
		all, _ := r.truth[answer].([]any)
		r.truth[answer] = append(all, probe)
	}
	for _, stuck := range listed(r.truth["stuck"]) {
		delete(stuck, "why")
	}
	deletion, _ := r.truth["namespaceDeletion"].(map[string]any)
	deletion["accepted"] = deletion["request"] == "Accepted"
	delete(deletion, "request")
	delete(deletion, "seconds")
	if why, recorded := deletion["why"].([]any); recorded {
		for i := range why {
			why[i], _, _ = strings.Cut(fmt.Sprint(why[i]), ":")
		}
	}
	leaders, _ := r.truth["controlPlane"].(map[string]any)
	delete(leaders, "apiserverStart")
	delete(leaders, "nudged")
	for _, field := range unreadFields {
		delete(r.truth, field)
	}
	maps.DeleteFunc(r.truth, func(_ string, value any) bool { return value == nil })
	return nil
}

// listed returns the maps of a list.
func listed(list any) []map[string]any {
	var all []map[string]any
	elements, _ := list.([]any)
	for _, element := range elements {
		one, _ := element.(map[string]any)
		all = append(all, one)
	}
	return all
}

// probe leaves in a request that was made what is compared.
func (r *recording) probe(probe map[string]any, sent map[string]any) error {
	request, _ := probe["request"].(map[string]any)
	if from, recorded := request["objectFrom"].(string); recorded {
		number, err := r.anonymous(sent[from])
		if err != nil {
			return err
		}
		probe["object"] = number
		delete(request, "objectFrom")
	}
	if hook, _ := probe["hook"].(string); strings.HasSuffix(hook, ",") {
		// The converted resource, as far as the message's first comma.
		probe["hook"] = "conversion"
	}
	shorten(probe)
	return nil
}

func shorten(probe map[string]any) {
	delete(probe, "message")
	delete(probe, "reason")
	if seconds, _ := probe["seconds"].(float64); seconds < 1 {
		delete(probe, "seconds")
	}
}

// expectedProbe returns a request that the description of an incident names as
// one of those that were made, and what came of it.
func expectedProbe(i int, expected map[string]any) (answer string, probe map[string]any) {
	item, _ := expected["item"].(map[string]any)
	probe = map[string]any{"probe": fmt.Sprintf("expected/%d", i), "code": expected["code"], "seconds": expected["seconds"]}
	if labels, recorded := item["objectLabels"]; recorded {
		probe["labels"] = labels
	}
	request := map[string]any{}
	for _, field := range []string{"operation", "group", "version", "resource", "subresource", "namespace", "name"} {
		if value, recorded := item[field]; recorded && value != "" {
			request[field] = value
		}
	}
	probe["request"] = request
	message, _ := expected["message"].(string)
	switch match := quoted.FindStringSubmatch(message); {
	case strings.Contains(message, "conversion webhook for"):
		probe["hook"] = "conversion"
	case match != nil:
		probe["hook"] = match[1] + match[2]
	}
	if expected["verdict"] == "Blocked" && expected["code"] == 0.0 {
		probe["timedOut"] = true
	}
	shorten(probe)
	return strings.ToLower(fmt.Sprint(expected["verdict"])), probe
}
