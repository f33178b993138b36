package main

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// worthSharing is how many lines a part has to have to be written once.
const worthSharing = 3

// writer writes the table.
type writer struct {
	out io.Writer
	// parts has how often each part occurs, by its lines; once written, the
	// negative number by which it is named.
	parts map[string]int
	named int
}

// child is a field with the name under which it is written.
type child struct {
	name string
	*node
}

func (n *node) children() []child {
	var all []child
	for _, name := range slices.Sorted(maps.Keys(n.fields)) {
		all = append(all, child{quote(name), n.fields[name]})
	}
	all = append(all, child{"[]", n.items}, child{"{}", n.values})
	return slices.DeleteFunc(all, func(c child) bool { return !c.interesting() })
}

// quote sets off names that could be taken for something else.
func quote(name string) string {
	if strings.ContainsAny(name, " []{}@\"") {
		return strconv.Quote(name)
	}
	return name
}

// lines is everything below a field, without shared parts.
func (n *node) lines(indent string) string {
	var b strings.Builder
	for _, c := range n.children() {
		b.WriteString(indent + c.name + c.marks() + "\n" + c.lines(indent+" "))
	}
	return b.String()
}

func (n *node) marks() string {
	var b bytes.Buffer
	switch {
	case n.changed:
		b.WriteString(" ~")
	case n.zeroChanged:
		b.WriteString(" ~0")
	}
	if n.rounded {
		b.WriteString(" ^")
	}
	switch {
	case n.constant():
		fmt.Fprintf(&b, " = %s", n.value)
	case n.appeared > 0:
		b.WriteString(" +")
	}
	return b.String()
}

// count notes how often each part occurs, not those within one that occurred.
func (w *writer) count(n *node) {
	for _, c := range n.children() {
		text := c.lines("")
		w.parts[text]++
		if w.parts[text] == 1 {
			w.count(c.node)
		}
	}
}

func (w *writer) kind(gvk schema.GroupVersionKind, root *node) {
	apiVersion, kind := gvk.ToAPIVersionAndKind()
	fmt.Fprintf(w.out, "%s %s\n", apiVersion, kind)
	w.write(root, " ")
}

func (w *writer) write(n *node, indent string) {
	for _, c := range n.children() {
		text := c.lines("")
		name, times := c.name, w.parts[text]
		if times < 0 {
			fmt.Fprintf(w.out, "%s%s @%d%s\n", indent, name, -times, c.marks())
			continue
		}
		if times > 1 && strings.Count(text, "\n") >= worthSharing {
			w.named++
			w.parts[text] = -w.named
			name = fmt.Sprintf("%s @%d:", name, w.named)
		}
		fmt.Fprintf(w.out, "%s%s%s\n", indent, name, c.marks())
		w.write(c.node, indent+" ")
	}
}
