package controlplane

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Assets returns the directory with the programs of the control plane:
// KUBEBUILDER_ASSETS when set, otherwise what hack/control-plane.sh builds once
// for each version. root is the root of the repository.
func Assets(ctx context.Context, root string) (string, error) {
	if dir := os.Getenv("KUBEBUILDER_ASSETS"); dir != "" {
		return dir, nil
	}
	command := exec.CommandContext(ctx, filepath.Join(root, "hack", "control-plane.sh"),
		"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl")
	command.Stderr = os.Stderr
	output, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("could not build the control plane: %w", err)
	}
	return strings.TrimSpace(string(output)), nil
}
