// Package monitoring is what tests know of metrics: which ones the tree
// declares, and which ones a server serves. It judges neither.
package monitoring

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// declaration is how a metric is named in the sources: in whole, so that it can
// be found.
var declaration = regexp.MustCompile(`"(extant_[a-z0-9_]+)"`)

// Declared returns the names of the metrics that the packages under root
// declare, in order.
func Declared(root string) ([]string, error) {
	var names []string
	for _, folder := range []string{"internal", "pkg"} {
		err := filepath.WalkDir(filepath.Join(root, folder), func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			source, err := os.ReadFile(path)
			for _, found := range declaration.FindAllSubmatch(source, -1) {
				names = append(names, string(found[1]))
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// OnlyBehindAnAPIServer are the declared metrics that a standalone server does
// not serve, with the reason. Every other one it does.
var OnlyBehindAnAPIServer = map[string]string{
	"extant_probes_total":                                 "nothing is probed",
	"extant_backend_endpoints_failing":                    "nothing is probed",
	"extant_backend_certificate_expiry_timestamp_seconds": "nothing is probed",
	"extant_backend_probe_latency_seconds":                "nothing is probed",
}

// OnlyStandalone are those that only a standalone server serves, with the reason.
var OnlyStandalone = map[string]string{
	"extant_data_free_bytes": "its etcd is not in the process",
}

// Parse reads what a server serves.
func Parse(served io.Reader) (map[string]*dto.MetricFamily, error) {
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(served)
	if err != nil {
		return nil, fmt.Errorf("what is served are no metrics: %w", err)
	}
	return families, nil
}
