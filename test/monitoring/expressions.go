package monitoring

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"sigs.k8s.io/yaml"
)

// Expression is one expression of PromQL, with where it is.
type Expression struct {
	Where, Text string
	// Selects is what it reads.
	Selects []Selector
}

// Selector is a metric that an expression reads, with the labels that it
// compares.
type Selector struct {
	Metric string   `json:"metric"`
	Labels []string `json:"labels"`
}

// rules is a rule file of Prometheus, and the spec of a PrometheusRule.
type rules struct {
	Groups []struct {
		Name  string `json:"name"`
		Rules []struct {
			Alert       string            `json:"alert"`
			Expr        string            `json:"expr"`
			For         string            `json:"for"`
			Labels      map[string]string `json:"labels"`
			Annotations map[string]string `json:"annotations"`
		} `json:"rules"`
	} `json:"groups"`
}

// Rules returns the expressions of a file with rules of Prometheus.
func Rules(content []byte) ([]Expression, error) {
	var file rules
	if err := yaml.UnmarshalStrict(content, &file); err != nil {
		return nil, err
	}
	var all []Expression
	for _, group := range file.Groups {
		for _, rule := range group.Rules {
			if rule.Alert == "" || rule.Annotations["summary"] == "" || rule.Labels["severity"] == "" {
				return nil, fmt.Errorf("a rule of %s has no name, no summary or no severity: %s", group.Name, rule.Expr)
			}
			all = append(all, Expression{Where: "alert " + rule.Alert, Text: rule.Expr})
		}
	}
	return all, nil
}

// Dashboard returns the expressions of a dashboard of Grafana.
func Dashboard(content []byte) ([]Expression, error) {
	var dashboard struct {
		Panels []struct {
			ID      int    `json:"id"`
			Title   string `json:"title"`
			Targets []struct {
				Expr string `json:"expr"`
			} `json:"targets"`
		} `json:"panels"`
	}
	if err := json.Unmarshal(content, &dashboard); err != nil {
		return nil, err
	}
	var all []Expression
	ids := map[int]bool{}
	for _, panel := range dashboard.Panels {
		if ids[panel.ID] || panel.Title == "" || len(panel.Targets) == 0 {
			return nil, fmt.Errorf("the panel %d %q has an id of another, no title, or shows nothing", panel.ID, panel.Title)
		}
		ids[panel.ID] = true
		for _, target := range panel.Targets {
			all = append(all, Expression{Where: "panel " + panel.Title, Text: target.Expr})
		}
	}
	return all, nil
}

// ParseExpressions has the parser of Prometheus say what each expression reads.
// It fails with the first that Prometheus would refuse.
func ParseExpressions(root string, expressions []Expression) error {
	var in, out, complaint bytes.Buffer
	encoder := json.NewEncoder(&in)
	for _, e := range expressions {
		if err := encoder.Encode(e.Text); err != nil {
			return err
		}
	}
	parser := exec.Command("go", "run", ".")
	parser.Dir = filepath.Join(root, "hack", "tools", "promql")
	parser.Env = append(os.Environ(), "CGO_ENABLED=0")
	parser.Stdin, parser.Stdout, parser.Stderr = &in, &out, &complaint
	if err := parser.Run(); err != nil {
		return fmt.Errorf("%w\n%s", err, complaint.String())
	}
	decoder := json.NewDecoder(&out)
	for i := range expressions {
		if err := decoder.Decode(&expressions[i].Selects); err != nil {
			return err
		}
	}
	return nil
}
