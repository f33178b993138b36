package integration

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"testing"

	auditv1 "k8s.io/apiserver/pkg/apis/audit/v1"
)

// auditReader finds events in the audit log.
type auditReader struct {
	file   *os.File
	lines  *bufio.Reader
	begun  []byte
	events map[string]*auditv1.Event
}

func newAuditReader(t *testing.T) *auditReader {
	t.Helper()
	file, err := os.Open(auditLog(env.dir))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() })
	if _, err := file.Seek(0, io.SeekEnd); err != nil {
		t.Fatal(err)
	}
	return &auditReader{file: file, lines: bufio.NewReader(file), events: map[string]*auditv1.Event{}}
}

// event returns what was written of the request with that ID. It is written
// just after the response.
func (r *auditReader) event(t *testing.T, id string) *auditv1.Event {
	t.Helper()
	eventually(t, soon, func(context.Context) string {
		if err := r.read(); err != nil {
			return err.Error()
		}
		if r.events[id] == nil {
			return "no audit event has the ID " + id
		}
		return ""
	})
	event := r.events[id]
	clear(r.events)
	return event
}

// read takes in what was written since.
func (r *auditReader) read() error {
	for {
		part, err := r.lines.ReadBytes('\n')
		r.begun = append(r.begun, part...)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		var event auditv1.Event
		if err := json.Unmarshal(r.begun, &event); err != nil {
			return err
		}
		r.begun = nil
		if event.Stage != auditv1.StageResponseStarted {
			r.events[string(event.AuditID)] = &event
		}
	}
}
