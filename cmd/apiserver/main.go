// Command extant-apiserver is the aggregated API server of Extant.
package main

import (
	"fmt"
	"os"

	genericapiserver "k8s.io/apiserver/pkg/server"
	"k8s.io/component-base/cli"

	"github.com/extant-project/extant/pkg/apiserver"
)

func main() {
	ctx := genericapiserver.SetupSignalContext()
	if err := cli.RunNoErrOutput(apiserver.NewCommand(ctx)); err != nil {
		fmt.Fprintf(os.Stderr, "extant-apiserver: %v\n", err)
		os.Exit(1)
	}
}
