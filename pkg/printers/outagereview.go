package printers

import (
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/extant-project/extant/pkg/apis/extant"
)

// Losses are the columns of OutageReview: a row for each thing that is lost, in
// the order in which it comes back; what does not is at the end.
var Losses = Columns[*extant.OutageReview]{
	Definitions: []metav1.TableColumnDefinition{
		{Name: "Wave", Type: "string", Description: "When it comes back: after everything of the waves before."},
		{Name: "Namespace", Type: "string", Description: "Its namespace."},
		{Name: "Name", Type: "string", Description: "The workload as <resource>/<name>, or the Backend as backend/<name>."},
		{Name: "State", Type: "string", Description: "Recovers, Stuck, Unreachable (a Backend without a ready endpoint at the end) or Unknown."},
		{Name: "Needs", Type: "string", Description: "The first operation that it needs and that is not allowed."},
		{Name: "Blocked By", Type: "string", Description: "The objects that register the hooks which refuse what it needs."},
		{Name: "Hooks", Type: "string", Priority: wide, Description: "The hooks which refuse what it needs, with the Backends that they call."},
		{Name: "Deadlock", Type: "string", Priority: wide, Description: "The number of the deadlock that the Backend is in."},
		{Name: "Message", Type: "string", Priority: wide, Description: "Why, for people."},
	},
	Rows:    lossRows,
	Further: withoutAnswer,
}

// OutageReviews are the columns of Losses with the verdict, which the first row
// shows. There is one even where nothing is lost.
var OutageReviews = Columns[*extant.OutageReview]{
	Definitions: slices.Insert(slices.Clone(Losses.Definitions), recoversColumn,
		metav1.TableColumnDefinition{Name: "Recovers", Type: "string", Description: "Whether everything comes back without a human. Shown in the first row."}),
	Rows: func(review *extant.OutageReview) [][]any {
		rows := lossRows(review)
		if len(rows) == 0 {
			rows = append(rows, loss{}.cells())
		}
		for i := range rows {
			verdict := ""
			if i == 0 {
				verdict = orUnknown(review.Status.Recovery.RecoversUnaided)
			}
			rows[i] = slices.Insert(rows[i], recoversColumn, any(verdict))
		}
		return rows
	},
	Further: withoutAnswer,
}

// recoversColumn is the place of the verdict: behind what is always shown.
const recoversColumn = 6

// withoutAnswer is a review of which only the metadata and the verdict are
// left.
func withoutAnswer(review *extant.OutageReview) *extant.OutageReview {
	recovery := extant.Recovery{RecoversUnaided: review.Status.Recovery.RecoversUnaided, Reason: review.Status.Recovery.Reason}
	return &extant.OutageReview{ObjectMeta: review.ObjectMeta, Status: extant.OutageReviewStatus{Recovery: recovery}}
}

// loss is a thing that is lost, and whether it comes back.
type loss struct {
	wave                   int32
	namespace, name, state string
	needs                  []extant.Operation
	by                     []extant.HookReference
	deadlock               int
	message                string
}

const (
	recovers    = "Recovers"
	stuck       = "Stuck"
	unreachable = "Unreachable"
)

func lossRows(review *extant.OutageReview) [][]any {
	recovery := &review.Status.Recovery
	var rows [][]any
	for i := range recovery.Waves {
		wave := &recovery.Waves[i]
		for _, workload := range wave.Workloads {
			rows = append(rows, loss{wave: wave.Wave, namespace: workload.Namespace, name: resourceAndName(workload), state: recovers}.cells())
		}
		for _, backend := range wave.Backends {
			rows = append(rows, loss{wave: wave.Wave, name: backendName(backend), state: recovers}.cells())
		}
	}
	for i := range recovery.Stuck {
		rows = append(rows, stuckLoss(recovery, &recovery.Stuck[i]).cells())
	}
	for _, backend := range recovery.Unreachable {
		rows = append(rows, loss{name: backendName(backend), state: unreachable, deadlock: deadlockOf(recovery, backend)}.cells())
	}
	return rows
}

// stuckLoss is what does not come back. Where the verdict is Unknown and no
// hook is known to refuse what it needs, that is not certain.
func stuckLoss(recovery *extant.Recovery, object *extant.StuckObject) loss {
	l := loss{
		namespace: object.Namespace, name: resourceAndName(object.ObjectReference), state: stuck,
		needs: object.Needs, by: object.BlockedBy, message: object.Message,
	}
	if recovery.RecoversUnaided == metav1.ConditionUnknown && len(object.BlockedBy) == 0 {
		l.state = string(metav1.ConditionUnknown)
	}
	return l
}

// deadlockOf returns the number of the deadlock that a backend is in, from 1;
// 0 where it is in none.
func deadlockOf(recovery *extant.Recovery, backend string) int {
	return 1 + slices.IndexFunc(recovery.Deadlocks, func(d extant.Deadlock) bool { return slices.Contains(d.Members, backend) })
}

func (l loss) cells() []any {
	number := func(n int) string {
		if n == 0 {
			return none
		}
		return fmt.Sprint(n)
	}
	return []any{
		number(int(l.wave)),
		orNone(l.namespace),
		orNone(l.name),
		orNone(l.state),
		orNone(firstNeed(l.needs)),
		orNone(configurations(l.by)),
		orNone(hooks(l.by)),
		number(l.deadlock),
		orNone(oneLine(l.message)),
	}
}

func firstNeed(needs []extant.Operation) string {
	if len(needs) == 0 {
		return ""
	}
	text := Need(needs[0])
	if more := len(needs) - 1; more > 0 {
		text += fmt.Sprintf(" +%d", more)
	}
	return text
}

// Need prints an operation as people say it.
func Need(operation extant.Operation) string {
	text := operation.Operation + " " + resourceName(operation.Resource, operation.Subresource, operation.Group)
	if operation.Namespace != "" {
		text += " in " + operation.Namespace
	}
	return text
}

// resourceName prints a resource as kubectl names it, resource.group, with its
// subresource behind a slash.
func resourceName(resource, subresource, group string) string {
	if group != "" {
		resource += "." + group
	}
	if subresource != "" {
		resource += "/" + subresource
	}
	return resource
}

func resourceAndName(object extant.ObjectReference) string {
	return resourceName(object.Resource, "", object.Group) + "/" + object.Name
}

func backendName(name string) string { return "backend/" + name }

// configurations prints the objects that register hooks, each once.
func configurations(by []extant.HookReference) string {
	var names []string
	for _, hook := range by {
		if !slices.Contains(names, hook.Configuration) {
			names = append(names, hook.Configuration)
		}
	}
	return strings.Join(names, ", ")
}

func hooks(by []extant.HookReference) string {
	names := make([]string, len(by))
	for i, hook := range by {
		names[i] = hook.Hook
		if hook.Backend != "" {
			names[i] += " (" + hook.Backend + ")"
		}
	}
	return strings.Join(names, ", ")
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
