package hostfs

import (
	"path"
	"runtime/debug"
	"strings"
)

// version is what the toolchain wrote into a Go program: the version of its
// module; or else, where that is not known, what the linker was told to put
// into a variable of the program that is named for its version. Two of those
// that differ tell nothing.
func version(info *debug.BuildInfo) string {
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, setting := range info.Settings {
		if setting.Key == "-ldflags" {
			return linked(setting.Value, info.Main.Path)
		}
	}
	return ""
}

// linked finds what -X sets: -X importpath.name=value.
func linked(flags, module string) string {
	var found string
	for _, word := range strings.Fields(flags) {
		word = strings.TrimPrefix(strings.Trim(word, `"'`), "-X=")
		variable, value, ok := strings.Cut(word, "=")
		value = strings.Trim(value, `"'`)
		if !ok || value == "" || !namesVersion(variable, module) {
			continue
		}
		if found != "" && found != value {
			return ""
		}
		found = value
	}
	return found
}

// namesVersion tells a variable of the program's own that is named for its
// version: main.version, or example.com/program/pkg/build.Version.
func namesVersion(variable, module string) bool {
	dir, last := path.Split(variable)
	name := last[strings.LastIndex(last, ".")+1:]
	switch strings.ToLower(name) {
	case "version", "buildversion", "gitversion":
	default:
		return false
	}
	return dir == "" && strings.HasPrefix(last, "main.") || module != "" && strings.HasPrefix(variable, module)
}
