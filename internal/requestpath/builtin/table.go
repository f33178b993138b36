package builtin

import (
	_ "embed"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/runtime/schema"
	utiljson "k8s.io/apimachinery/pkg/util/json"
)

// decodingText is what decoding makes of each kind. Its first lines say how it
// is written; hack/update-builtin-changes.sh writes it.
//
//go:embed decoding.txt
var decodingText string

var decoding = sync.OnceValue(func() map[schema.GroupVersionKind]*Node {
	table, err := parse(decodingText)
	if err != nil {
		panic(err)
	}
	return table
})

// Decoded returns what decoding an object of the kind adds and changes, by
// versioned defaults and by conversion to the internal version and back. It is
// relative to the object as the types of k8s.io/api have it.
func Decoded(kind schema.GroupVersionKind) *Node { return decoding()[kind] }

// parse reads a table. Each line is one deeper than the line it belongs to.
func parse(text string) (map[schema.GroupVersionKind]*Node, error) {
	kinds, parts := map[schema.GroupVersionKind]*Node{}, map[string]*Node{}
	var path []*Node // the nodes that the next line may belong to
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		if line == "" || line[0] == '#' {
			continue
		}
		rest := strings.TrimLeft(line, " ")
		depth := len(line) - len(rest)
		if depth == 0 {
			apiVersion, kind, _ := strings.Cut(rest, " ")
			node := &Node{}
			kinds[schema.FromAPIVersionAndKind(apiVersion, kind)] = node
			path = []*Node{node}
			continue
		}
		if depth > len(path) {
			return nil, fmt.Errorf("the line %q of decoding.txt belongs to no other", line)
		}
		node, err := parseLine(path[depth-1], rest, parts)
		if err != nil {
			return nil, fmt.Errorf("could not read the line %q of decoding.txt: %w", line, err)
		}
		path = append(path[:depth], node)
	}
	return kinds, nil
}

// parseLine adds a line's node to its parent.
func parseLine(parent *Node, line string, parts map[string]*Node) (*Node, error) {
	name, rest, err := cutName(line)
	if err != nil {
		return nil, err
	}
	node := &Node{}
	for rest != "" {
		if value, ok := strings.CutPrefix(rest, "= "); ok {
			node.Appears = true
			// Integers are as objects have them.
			if err := utiljson.Unmarshal([]byte(value), &node.Constant); err != nil {
				return nil, fmt.Errorf("%s is no JSON: %w", value, err)
			}
			break
		}
		var mark string
		mark, rest, _ = strings.Cut(rest, " ")
		switch {
		case mark == "+":
			node.Appears = true
		case mark == "~":
			node.Changes = true
		case mark == "~0":
			node.ZeroChanges = true
		case mark == "^":
			node.Rounds = true
		case strings.HasPrefix(mark, "@") && strings.HasSuffix(mark, ":"):
			parts[strings.TrimSuffix(mark, ":")] = node
		case parts[mark] != nil:
			node.Fields, node.Items = parts[mark].Fields, parts[mark].Items
		default:
			return nil, fmt.Errorf("%q is no mark", mark)
		}
	}
	if name == "[]" || name == "{}" {
		parent.Items = node
		return node, nil
	}
	if parent.Fields == nil {
		parent.Fields = map[string]*Node{}
	}
	parent.Fields[name] = node
	return node, nil
}

// cutName cuts a line after its name, which may be quoted.
func cutName(line string) (name, rest string, err error) {
	if !strings.HasPrefix(line, `"`) {
		name, rest, _ = strings.Cut(line, " ")
		return name, rest, nil
	}
	quoted, err := strconv.QuotedPrefix(line)
	if err != nil {
		return "", "", err
	}
	name, err = strconv.Unquote(quoted)
	return name, strings.TrimPrefix(line[len(quoted):], " "), err
}
