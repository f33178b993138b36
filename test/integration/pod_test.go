package integration

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// podDir is what stands for a pod's disk.
func (e *environment) podDir(name string) string {
	return filepath.Join(e.dir, "pods", name)
}

// commandLine does for a pod's only container what a kubelet would: it lays out
// its volumes, under a directory in place of the root, and returns its
// arguments, which name the files there.
func (e *environment) commandLine(ctx context.Context, pod corev1.PodSpec, name string) ([]string, error) {
	container := pod.Containers[0]
	args := slices.Clone(container.Args)
	for _, mount := range container.VolumeMounts {
		dir := filepath.Join(e.podDir(name), mount.Name)
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, err
		}
		// Those that are not in the pod are claims, and empty at first.
		i := slices.IndexFunc(pod.Volumes, func(volume corev1.Volume) bool { return volume.Name == mount.Name })
		if i >= 0 {
			if err := e.mountSecret(ctx, pod.Volumes[i].Secret, dir); err != nil {
				return nil, err
			}
		}
		for i := range args {
			args[i] = strings.ReplaceAll(args[i], mount.MountPath+"/", dir+"/")
		}
	}
	for i := range args {
		args[i] = strings.ReplaceAll(args[i], "$(POD_NAME)", name)
	}
	return args, nil
}

func (e *environment) mountSecret(ctx context.Context, source *corev1.SecretVolumeSource, dir string) error {
	client, err := kubernetes.NewForConfig(e.plane.Admin.Config)
	if err != nil {
		return err
	}
	secret, err := client.CoreV1().Secrets(namespace).Get(ctx, source.SecretName, metav1.GetOptions{})
	if err != nil {
		return err
	}
	for _, item := range source.Items {
		data, ok := secret.Data[item.Key]
		if !ok {
			return fmt.Errorf("secret %s has no %s: a pod with it would wait", source.SecretName, item.Key)
		}
		if err := os.WriteFile(filepath.Join(dir, item.Path), data, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// override replaces flags, and adds those that are not there.
func override(args []string, overrides ...string) []string {
	args = slices.Clone(args)
	for _, flag := range overrides {
		name, _, _ := strings.Cut(flag, "=")
		args = slices.DeleteFunc(args, func(arg string) bool { return arg == name || strings.HasPrefix(arg, name+"=") })
	}
	return append(args, overrides...)
}
