// Command promql reads PromQL expressions, a line of JSON each, and writes what each
// selects: metric names with the labels that it names. It stops at the first
// that Prometheus would refuse.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

// selector is what an expression reads of one metric.
type selector struct {
	Metric string   `json:"metric"`
	Labels []string `json:"labels"`
}

func main() {
	if err := run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(in io.Reader, out io.Writer) error {
	promql := parser.NewParser(parser.Options{})
	expressions, answers := json.NewDecoder(in), json.NewEncoder(out)
	for {
		var text string
		switch err := expressions.Decode(&text); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		expression, err := promql.ParseExpr(text)
		if err != nil {
			return fmt.Errorf("%s: %w", text, err)
		}
		selected := []selector{}
		for _, matchers := range parser.ExtractSelectors(expression) {
			selected = append(selected, selectorOf(matchers))
		}
		if err := answers.Encode(selected); err != nil {
			return err
		}
	}
}

func selectorOf(matchers []*labels.Matcher) selector {
	s := selector{Labels: []string{}}
	for _, matcher := range matchers {
		if matcher.Name == labels.MetricName {
			s.Metric = matcher.Value
		} else {
			s.Labels = append(s.Labels, matcher.Name)
		}
	}
	return s
}
