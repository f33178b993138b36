package inspect

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"golang.org/x/tools/txtar"
	pluginregistration "k8s.io/kubelet/pkg/apis/pluginregistration/v1"

	"github.com/extant-project/extant/internal/nodeagent/hostfs"
	"github.com/extant-project/extant/test/nodeplugins"
)

// host is a node's root directory, laid out from an archive. What stands in
// parentheses behind the name of a file says what it is: a program, a link, or a
// socket, whose content says who answers there.
type host struct {
	dir     string
	plugins map[string]*nodeplugins.Plugin
}

func newHost(t *testing.T, files []txtar.File) *host {
	t.Helper()
	h := &host{dir: t.TempDir(), plugins: map[string]*nodeplugins.Plugin{}}
	for _, file := range files {
		name, kind, _ := strings.Cut(strings.TrimSuffix(file.Name, ")"), " (")
		h.add(t, name, kind, file.Data)
	}
	return h
}

func (h *host) path(name string) string {
	return filepath.Join(h.dir, name)
}

func (h *host) add(t *testing.T, name, kind string, data []byte) {
	t.Helper()
	at := h.path(name)
	if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
		t.Fatal(err)
	}
	text := strings.TrimSpace(string(data))
	var err error
	switch kind {
	case "":
		err = os.WriteFile(at, data, 0o644)
	case "program":
		err = os.WriteFile(at, data, 0o755)
	case "link":
		err = os.Symlink(text, at)
	case "directory":
		err = os.MkdirAll(at, 0o755)
	case "dead socket":
		listener, listening := nodeplugins.Listen(at)
		if err = listening; err == nil {
			err = listener.Close()
		}
	case "registration":
		info := &pluginregistration.PluginInfo{}
		err = json.Unmarshal(data, info)
		h.serve(t, name, &nodeplugins.Plugin{Registration: info})
	case "driver":
		info := &csi.GetPluginInfoResponse{}
		err = json.Unmarshal(data, info)
		h.serve(t, name, &nodeplugins.Plugin{Driver: info})
	case "device plugin":
		h.serve(t, name, &nodeplugins.Plugin{Device: true})
	case "other service":
		h.serve(t, name, &nodeplugins.Plugin{})
	default:
		t.Fatalf("%s is of a kind that is not known: %q", name, kind)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func (h *host) serve(t *testing.T, name string, plugin *nodeplugins.Plugin) {
	t.Helper()
	if err := plugin.Start(h.path(name)); err != nil {
		t.Fatal(err)
	}
	h.plugins[name] = plugin
	t.Cleanup(func() { _ = plugin.Stop() })
}

func (h *host) inspector(t *testing.T, paths Paths) *Inspector {
	t.Helper()
	root, err := hostfs.Open(h.dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = root.Close() })
	return New(root, hostfs.NewPrograms(root, 1<<30), paths)
}

// print prints what was found, a line each.
func (h *host) print(found Found) string {
	var out strings.Builder
	for _, p := range found.Plugins {
		fmt.Fprintf(&out, "%s %s %s", p.State, p.Type, p.Name)
		if p.Version != "" {
			fmt.Fprintf(&out, " version=%s", p.Version)
		}
		if p.Path != "" {
			fmt.Fprintf(&out, " %s", p.Path)
		}
		if p.SHA256 != "" {
			fmt.Fprintf(&out, " sha256=%s", p.SHA256[:8])
		}
		out.WriteByte('\n')
	}
	for _, problem := range found.Problems {
		fmt.Fprintf(&out, "# %s\n", strings.ReplaceAll(problem, "\n", "; "))
	}
	return out.String()
}
