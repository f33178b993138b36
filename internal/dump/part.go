package dump

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/yaml"

	"github.com/extant-project/extant/internal/cluster"
)

// dumpItself is the word for what was not seen where no resource is known.
const dumpItself = "dump"

// part is what some documents of one file say, in their order.
type part struct {
	file      string
	objects   []object
	others    []other
	troubles  []trouble
	unplaced  []string
	ignored   []string
	versions  []string
	discovery discoveryDocuments
}

// object is an object of an observed resource.
type object struct {
	resource schema.GroupResource
	object   cluster.Object
}

// other is the metadata of an object of another kind, with its text until it
// is known whether a policy takes its params from such objects.
type other struct {
	kind     schema.GroupVersionKind
	metadata *cluster.Metadata
	text     []byte
}

// trouble is what could not be understood, with the resource that it belongs
// to.
type trouble struct {
	resource, message string
}

// envelope is what is read of a document before its kind is known.
type envelope struct {
	metav1.TypeMeta `json:",inline"`
	Metadata        *struct {
		Name string `json:"name"`
	} `json:"metadata"`
	Items         *[]json.RawMessage `json:"items"`
	GitVersion    string             `json:"gitVersion"`
	ServerVersion *struct {
		GitVersion string `json:"gitVersion"`
	} `json:"serverVersion"`
	ClientVersion *struct{} `json:"clientVersion"`
}

func (e envelope) name() string {
	if e.Metadata == nil {
		return ""
	}
	return e.Metadata.Name
}

// add reads a document.
func (p *part) add(d document) {
	data := d.text
	if !d.isJSON {
		var err error
		if data, err = yaml.YAMLToJSON(d.text); err != nil {
			p.yamlTrouble(d, err)
			return
		}
	}
	if d.isItem {
		var items []json.RawMessage
		if err := json.Unmarshal(data, &items); err != nil || len(items) != 1 {
			p.trouble(dumpItself, d, errors.New("it is not one item of a list"))
			return
		}
		data = items[0]
	}
	p.addJSON(d, data, d.inherited)
}

// addJSON reads a document that was converted.
func (p *part) addJSON(d document, data []byte, inherited metav1.TypeMeta) {
	switch {
	case string(data) == "null":
		return
	case data[0] == '[':
		var items []json.RawMessage
		if err := json.Unmarshal(data, &items); err != nil {
			p.trouble(dumpItself, d, err)
			return
		}
		p.addAll(d, items, inherited)
		return
	case data[0] != '{':
		p.trouble(dumpItself, d, errors.New("it is not an object"))
		return
	}
	var e envelope
	if err := utiljson.Unmarshal(data, &e); err != nil && e.Kind == "" {
		p.trouble(dumpItself, d, err)
		return
	}
	if e.APIVersion == "" && e.Kind == "" {
		e.TypeMeta = inherited
	}
	gv, err := schema.ParseGroupVersion(e.APIVersion)
	switch kind := gv.WithKind(e.Kind); {
	case e.APIVersion == "" && e.Kind == "" && e.Metadata == nil:
		p.addKindless(d, e)
	case e.APIVersion == "" || e.Kind == "":
		p.trouble(dumpItself, d, errors.New("it lacks apiVersion or kind"))
	case err != nil:
		p.trouble(dumpItself, d, err)
	case e.Items != nil && isList(e.TypeMeta, e.name()):
		p.addAll(d, *e.Items, itemKind(e.TypeMeta))
	case isDiscovery(kind):
		if err := p.discovery.add(kind.Kind, data); err != nil {
			p.trouble("discovery", d, err)
		}
	default:
		p.addObject(d, data, kind)
	}
}

func (p *part) addAll(d document, items []json.RawMessage, inherited metav1.TypeMeta) {
	for _, item := range items {
		p.addJSON(d, item, inherited)
	}
}

// addKindless reads the answer of /version, and passes over what is no object
// of Kubernetes, such as the values of a Helm chart.
func (p *part) addKindless(d document, e envelope) {
	switch {
	case e.ServerVersion != nil && e.ServerVersion.GitVersion != "":
		p.versions = append(p.versions, e.ServerVersion.GitVersion)
	case e.GitVersion != "":
		p.versions = append(p.versions, e.GitVersion)
	case e.ClientVersion != nil:
		// kubectl without a cluster says nothing about the cluster.
	default:
		p.ignored = append(p.ignored, p.at(d.contentLine()))
	}
}

// addObject reads an object of any kind.
func (p *part) addObject(d document, data []byte, kind schema.GroupVersionKind) {
	if kind.Kind == "Secret" || kind.Kind == "Event" {
		return
	}
	row, observed := rowOf[kind.GroupKind()]
	if !observed {
		if metadata := readMetadata(data); metadata != nil {
			p.others = append(p.others, other{kind, metadata, data})
		}
		return
	}
	resource := row.GroupResource()
	read, err := decode(row, data, kind.Version)
	if err != nil {
		p.trouble(resource.String(), d, err)
		return
	}
	accessor, err := meta.Accessor(read)
	if err != nil {
		p.trouble(resource.String(), d, err)
		return
	}
	switch {
	case accessor.GetName() == "" && accessor.GetGenerateName() != "":
		// Only its creation will name it: it is a request and no object yet.
		p.ignored = append(p.ignored, p.at(d.contentLine()))
		return
	case accessor.GetName() == "":
		p.trouble(resource.String(), d, errors.New("it has no name"))
		return
	case row.Namespaced && accessor.GetNamespace() == "":
		accessor.SetNamespace(metav1.NamespaceDefault)
		p.unplaced = append(p.unplaced, resource.String()+" "+accessor.GetName())
	case !row.Namespaced:
		accessor.SetNamespace("")
	}
	kept, err := row.Keep(read)
	if err != nil {
		p.trouble(resource.String(), d, err)
		return
	}
	p.objects = append(p.objects, object{resource, kept})
}

// readMetadata returns what is kept of an object of a kind that is not
// observed, or nil where that is nothing.
func readMetadata(data []byte) *cluster.Metadata {
	row := cluster.NamedResource(cluster.APIResource{})
	read := row.New()
	if err := utiljson.Unmarshal(data, read); err != nil {
		return nil
	}
	kept, err := row.Keep(read)
	if err != nil {
		return nil
	}
	metadata := kept.(*cluster.Metadata)
	if metadata.Name == "" {
		return nil
	}
	return metadata
}

func (p *part) at(line int) string {
	return p.file + ":" + strconv.Itoa(line)
}

func (p *part) trouble(resource string, d document, err error) {
	p.troubleAt(resource, d.contentLine(), err)
}

func (p *part) troubleAt(resource string, line int, err error) {
	var wrongType *json.UnmarshalTypeError
	if errors.As(err, &wrongType) && wrongType.Field != "" {
		err = fmt.Errorf("%s must not be a %s", wrongType.Field, wrongType.Value)
	}
	p.troubles = append(p.troubles, trouble{resource, fmt.Sprintf("%s: %s", p.at(line), err)})
}

var yamlLine = regexp.MustCompile(`^(?:yaml: )?line (\d+): `)

// yamlTrouble records what the YAML parser says, at the line that it names.
func (p *part) yamlTrouble(d document, err error) {
	message := strings.TrimPrefix(err.Error(), "error converting YAML to JSON: ")
	line := d.contentLine()
	if found := yamlLine.FindStringSubmatch(message); found != nil {
		if number, err := strconv.Atoi(found[1]); err == nil {
			line = d.line + number - 1
		}
		message = message[len(found[0]):]
	}
	p.troubleAt(kindIn(d), line, errors.New(strings.TrimPrefix(message, "yaml: ")))
}

var (
	kindLine  = regexp.MustCompile(`(?m)^(?:- |  )?kind:[ \t]*["']?([A-Za-z0-9]+)`)
	groupLine = regexp.MustCompile(`(?m)^(?:- |  )?apiVersion:[ \t]*["']?([a-z0-9./-]+)`)
)

// kindIn guesses the resource of a document that cannot be parsed: what is
// missing is then not taken for absent.
func kindIn(d document) string {
	kind, version := kindLine.FindSubmatch(d.text), groupLine.FindSubmatch(d.text)
	if kind == nil || version == nil {
		return dumpItself
	}
	gv, err := schema.ParseGroupVersion(string(version[1]))
	if err != nil {
		return dumpItself
	}
	if row, ok := rowOf[gv.WithKind(string(kind[1])).GroupKind()]; ok {
		return row.GroupResource().String()
	}
	return dumpItself
}
