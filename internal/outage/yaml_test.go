package outage_test

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// writeYAML writes the fields of an object in order of their names, without
// those that are empty. An entry of a list is one line, unless a line would be
// long and it has lists itself.
func writeYAML(b *strings.Builder, indent string, object map[string]any) {
	for _, name := range slices.Sorted(maps.Keys(object)) {
		switch value := object[name].(type) {
		case map[string]any:
			if len(value) > 0 {
				fmt.Fprintf(b, "%s%s:\n", indent, name)
				writeYAML(b, indent+"  ", value)
			}
		case []any:
			writeList(b, indent, name, value)
		default:
			if text := inline(value); text != "" {
				fmt.Fprintf(b, "%s%s: %s\n", indent, name, text)
			}
		}
	}
}

func writeList(b *strings.Builder, indent, name string, list []any) {
	if line := inline(list); len(line) < 60 || !slices.ContainsFunc(list, isLong) {
		fmt.Fprintf(b, "%s%s: %s\n", indent, name, line)
		return
	}
	fmt.Fprintf(b, "%s%s:\n", indent, name)
	for _, entry := range list {
		object, isObject := entry.(map[string]any)
		if line := inline(entry); !isObject || len(line) < 280 {
			fmt.Fprintf(b, "%s- %s\n", indent, line)
			continue
		}
		var fields strings.Builder
		writeYAML(&fields, indent+"  ", object)
		b.WriteString(indent + "- " + strings.TrimPrefix(fields.String(), indent+"  "))
	}
}

func isLong(entry any) bool { return len(inline(entry)) > 25 }

var plain = regexp.MustCompile(`^[A-Za-z/][\w./:-]*[\w]$`)

// inline writes a value on one line; what is empty as nothing.
func inline(value any) string {
	var parts []string
	switch value := value.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(value)) {
			if text := inline(value[name]); text != "" {
				parts = append(parts, name+": "+text)
			}
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case []any:
		for _, entry := range value {
			parts = append(parts, inline(entry))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case string:
		if value == "" || plain.MatchString(value) && value != "True" && value != "False" {
			return value
		}
		if strings.Contains(value, `"`) {
			return "'" + strings.ReplaceAll(value, "'", "''") + "'"
		}
		return strconv.Quote(value)
	case nil:
		return ""
	case bool:
		if !value {
			return ""
		}
	}
	return fmt.Sprint(value)
}
