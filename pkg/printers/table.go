// Package printers hands over the columns in which people see the kinds of
// the API group, one file a kind. The server makes tables of them for kubectl,
// and the plugin prints the same ones offline.
package printers

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/duration"
	"k8s.io/apiserver/pkg/registry/rest"
)

const (
	// unknown is printed for what has not been observed.
	unknown = "<unknown>"
	// none is printed for what is known to be absent.
	none = "<none>"
	// wide is the priority of columns that only -o wide shows.
	wide = 1
)

// Columns is how a kind is printed.
type Columns[T runtime.Object] struct {
	// Definitions are the columns in order.
	Definitions []metav1.TableColumnDefinition
	// Row returns one cell for each column, at that time.
	Row func(object T, now time.Time) []any
	// Rows returns several rows for one object, in place of Row.
	Rows func(object T) [][]any
	// Further is what stands for the object in its rows but the first, so that a
	// table with objects in it does not repeat all of it.
	Further func(object T) T
}

var _ rest.TableConvertor = Columns[runtime.Object]{}

// ConvertToTable makes a table of an object or a list.
func (c Columns[T]) ConvertToTable(_ context.Context, object, options runtime.Object) (*metav1.Table, error) {
	table := &metav1.Table{}
	now := time.Now()
	addRow := func(object runtime.Object) error {
		o, ok := object.(T)
		if !ok {
			return fmt.Errorf("cannot print %T in the columns of another kind", object)
		}
		if c.Rows == nil {
			table.Rows = append(table.Rows, metav1.TableRow{Cells: c.Row(o, now), Object: runtime.RawExtension{Object: object}})
			return nil
		}
		for i, cells := range c.Rows(o) {
			if i == 1 {
				object = c.Further(o)
			}
			table.Rows = append(table.Rows, metav1.TableRow{Cells: cells, Object: runtime.RawExtension{Object: object}})
		}
		return nil
	}
	if list, err := meta.ListAccessor(object); err == nil {
		table.ResourceVersion = list.GetResourceVersion()
		table.Continue = list.GetContinue()
		table.RemainingItemCount = list.GetRemainingItemCount()
		if err := meta.EachListItem(object, addRow); err != nil {
			return nil, err
		}
	} else {
		if err := addRow(object); err != nil {
			return nil, err
		}
		if accessor, err := meta.CommonAccessor(object); err == nil {
			table.ResourceVersion = accessor.GetResourceVersion()
		}
	}
	if o, ok := options.(*metav1.TableOptions); !ok || !o.NoHeaders {
		table.ColumnDefinitions = c.Definitions
	}
	return table, nil
}

var metadataDocs = metav1.ObjectMeta{}.SwaggerDoc()

func nameColumn() metav1.TableColumnDefinition {
	return metav1.TableColumnDefinition{Name: "Name", Type: "string", Format: "name", Description: metadataDocs["name"]}
}

func ageColumn() metav1.TableColumnDefinition {
	return metav1.TableColumnDefinition{Name: "Age", Type: "string", Description: metadataDocs["creationTimestamp"]}
}

// since prints how long ago something was.
func since(t metav1.Time, now time.Time) string {
	if t.IsZero() {
		return unknown
	}
	return duration.HumanDuration(now.Sub(t.Time))
}

func orUnknown[T ~string](value T) string {
	if value == "" {
		return string(metav1.ConditionUnknown)
	}
	return string(value)
}

func orNone(value string) string {
	if value == "" {
		return none
	}
	return value
}
