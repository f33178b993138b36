package plugin

import (
	"fmt"
	"io"
	"strings"

	"github.com/extant-project/extant/pkg/apis/extant"
)

// showDeadlock prints why the members of a deadlock wait for each other, and
// what would have prevented it.
func showDeadlock(out io.Writer, number int, deadlock *extant.Deadlock) {
	fmt.Fprintf(out, "\nDeadlock %d: %s\n", number, strings.Join(deadlock.Members, ", "))
	for i, step := range deadlock.Explanation {
		fmt.Fprintf(out, "  %d. %s\n", i+1, step)
	}
	if len(deadlock.Fixes) > 0 {
		fmt.Fprintln(out, "  What would have prevented it, one of:")
	}
	for _, fix := range deadlock.Fixes {
		description := fix.Description
		if !fix.Resolves {
			description += " (not all of it)"
		}
		fmt.Fprintf(out, "  - %s\n    %s\n", description, patchCommand(fix.Target, fix.Patch))
	}
}

// showRemedies prints the way out as what a human can type.
func showRemedies(out io.Writer, remedies []extant.Remedy) {
	if len(remedies) > 0 {
		fmt.Fprintln(out, "\nThe way out, in this order:")
	}
	for i, remedy := range remedies {
		command := patchCommand(remedy.Target, remedy.Patch)
		if remedy.Action == extant.RemedyDelete {
			command = "kubectl delete " + target(remedy.Target)
		}
		fmt.Fprintf(out, "  %d. %s\n     %s\n", i+1, remedy.Description, command)
	}
}

func patchCommand(object extant.ObjectReference, patch string) string {
	return fmt.Sprintf("kubectl patch %s --type=json -p %s", target(object), quoted(patch))
}

// target names an object as kubectl takes it.
func target(object extant.ObjectReference) string {
	resource := object.Resource
	if object.Group != "" {
		resource += "." + object.Group
	}
	if object.Namespace != "" {
		resource = "-n " + object.Namespace + " " + resource
	}
	return resource + " " + object.Name
}

// quoted is a text as a shell takes it literally.
func quoted(text string) string {
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
