package apiserver

import (
	"runtime/debug"
	"strconv"

	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/apimachinery/pkg/util/version"
	apimachineryversion "k8s.io/apimachinery/pkg/version"
	genericoptions "k8s.io/apiserver/pkg/server/options"
	utilcompatibility "k8s.io/apiserver/pkg/util/compatibility"
	utilfeature "k8s.io/apiserver/pkg/util/feature"
	basecompatibility "k8s.io/component-base/compatibility"
	"k8s.io/component-base/featuregate"
	baseversion "k8s.io/component-base/version"
)

const (
	// componentName is Extant's name among the components of this process, to
	// whose version and feature gates flags refer as extant:….
	componentName = "extant"
	// componentVersion is the version that feature gates are counted from.
	componentVersion = "0.1"
)

// gitVersion is set by the build. The version of component-base is left alone:
// the libraries take it for that of Kubernetes.
var gitVersion = "v0.1.0-dev"

// servedVersion is what /version says: Extant's version, where the library
// would tell that of the module it comes from.
type servedVersion struct {
	basecompatibility.EffectiveVersion
}

// Info is the answer of /version.
func (v servedVersion) Info() *apimachineryversion.Info {
	info := *v.EffectiveVersion.Info()
	parsed := version.MustParseSemantic(gitVersion)
	info.Major, info.Minor = strconv.Itoa(int(parsed.Major())), strconv.Itoa(int(parsed.Minor()))
	info.GitVersion = gitVersion
	info.GitCommit, info.GitTreeState = revision()
	return &info
}

// revision is the commit that the Go toolchain built, where it says.
func revision() (commit, state string) {
	build, ok := debug.ReadBuildInfo()
	if !ok {
		return "", ""
	}
	for _, setting := range build.Settings {
		switch setting.Key {
		case "vcs.revision":
			commit = setting.Value
		case "vcs.modified":
			state = map[string]string{"true": "dirty", "false": "clean"}[setting.Value]
		}
	}
	return commit, state
}

// newServerRunOptions registers Extant as a component with a version of its
// own, beside the Kubernetes libraries with theirs (KEP-4330).
func newServerRunOptions() *genericoptions.ServerRunOptions {
	registry := utilcompatibility.DefaultComponentGlobalsRegistry
	_, _ = registry.ComponentGlobalsOrRegister(componentName,
		basecompatibility.NewEffectiveVersionFromString(componentVersion, "", ""),
		featuregate.NewVersionedFeatureGate(version.MustParse(componentVersion)))
	_, _ = registry.ComponentGlobalsOrRegister(basecompatibility.DefaultKubeComponent,
		basecompatibility.NewEffectiveVersionFromString(baseversion.DefaultKubeBinaryVersion, "", ""),
		utilfeature.DefaultMutableFeatureGate)
	// There is one version of Extant so far, and it goes with the libraries
	// that it was built with.
	utilruntime.Must(registry.SetVersionMapping(componentName, basecompatibility.DefaultKubeComponent,
		func(*version.Version) *version.Version {
			return version.MustParse(baseversion.DefaultKubeBinaryVersion)
		}))
	return genericoptions.NewServerRunOptionsForComponent(componentName, registry)
}
