package integration

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	auditv1 "k8s.io/apiserver/pkg/apis/audit/v1"
)

// auditPolicy records what Extant's own identities do, what becomes of the
// requests of the differential test, and nothing else.
const auditPolicy = `
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: Metadata
  userGroups: ["system:serviceaccounts:extant-system", "random:users"]
- level: None
`

// auditLog is where kube-apiserver records.
func auditLog(dir string) string {
	return filepath.Join(dir, "audit.log")
}

// auditArgs are the flags with which it does.
func auditArgs(dir string) ([]string, error) {
	policy := filepath.Join(dir, "audit-policy.yaml")
	if err := os.WriteFile(policy, []byte(auditPolicy), 0o600); err != nil {
		return nil, fmt.Errorf("could not write the audit policy: %w", err)
	}
	return []string{"--audit-policy-file=" + policy, "--audit-log-path=" + auditLog(dir)}, nil
}

// installationEvents are the requests of Extant and its jobs from the
// installation until all was well: no test had interfered by then.
func installationEvents(t *testing.T) []auditv1.Event {
	t.Helper()
	log, err := os.Open(auditLog(env.dir))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	var events []auditv1.Event
	lines := bufio.NewScanner(log)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var event auditv1.Event
		if err := json.Unmarshal(lines.Bytes(), &event); err != nil {
			t.Fatal(err)
		}
		if event.StageTimestamp.Time.Before(env.installed) {
			events = append(events, event)
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return events
}
