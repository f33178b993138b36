package plugin

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/printers"

	"github.com/extant-project/extant/pkg/apis/extant/install"
	columns "github.com/extant-project/extant/pkg/printers"
)

// output is the flag -o with all that kubectl offers.
type output struct {
	flags  *genericclioptions.PrintFlags
	format string
}

func newOutput() *output {
	return &output{flags: genericclioptions.NewPrintFlags("reviewed").WithTypeSetter(install.Scheme)}
}

func (o *output) addFlags(command *cobra.Command) {
	o.flags.OutputFormat = &o.format
	o.flags.AddFlags(command)
	command.Flags().Lookup("output").Usage = fmt.Sprintf("Output format. One of: (wide, %s).", strings.Join(o.flags.AllowedFormats(), ", "))
}

func (o *output) isWide() bool { return o.format == "wide" }

// printer returns what prints objects, or nil where people want a table.
func (o *output) printer() (printers.ResourcePrinter, error) {
	if o.format == "" || o.isWide() {
		return nil, nil
	}
	return o.flags.ToPrinter()
}

// printTable prints an object in the columns of its kind.
func printTable[T runtime.Object](out io.Writer, of columns.Columns[T], object T, wide bool) error {
	table, err := of.ConvertToTable(context.Background(), object, &metav1.TableOptions{})
	if err != nil {
		return err
	}
	return printers.NewTablePrinter(printers.PrintOptions{Wide: wide}).PrintObj(table, out)
}

// printSection prints an object in some columns, behind an empty line and a
// title, or nothing where it has no rows there.
func printSection[T runtime.Object](out io.Writer, title string, of columns.Columns[T], object T, wide bool) error {
	if len(of.Rows(object)) == 0 {
		return nil
	}
	fmt.Fprintf(out, "\n%s\n", title)
	return printTable(out, of, object, wide)
}
