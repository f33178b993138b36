package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// constants are the strings that the API types name.
type constants struct {
	// ofType has the values of a string type, by its package's path under its
	// module and its name: "core/v1.ServiceType".
	ofType map[string][]string
	// keys are the names of labels and annotations.
	keys []string
}

// readConstants reads the constants of the API types from their sources.
// Reflection knows none.
func readConstants(roots []string) (*constants, error) {
	c := &constants{ofType: map[string][]string{}}
	keys := map[string]bool{}
	for _, root := range roots {
		err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			relative, _ := filepath.Rel(root, path)
			if entry.IsDir() && strings.Contains(filepath.Base(root), "kubernetes") && relative != "." && relative != "pkg" && !strings.HasPrefix(relative, "pkg/apis") {
				return filepath.SkipDir
			}
			if entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.HasPrefix(entry.Name(), "zz_") {
				return nil
			}
			return c.readFile(path, filepath.Dir(relative), keys)
		})
		if err != nil {
			return nil, err
		}
	}
	c.keys = slices.Sorted(maps.Keys(keys))
	return c, nil
}

func (c *constants) readFile(path, pkg string, keys map[string]bool) error {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	for _, decl := range file.Decls {
		general, ok := decl.(*ast.GenDecl)
		if !ok || general.Tok != token.CONST {
			continue
		}
		for _, spec := range general.Specs {
			value := spec.(*ast.ValueSpec)
			for _, expression := range value.Values {
				literal, ok := expression.(*ast.BasicLit)
				if !ok || literal.Kind != token.STRING {
					continue
				}
				text, err := strconv.Unquote(literal.Value)
				if err != nil {
					return err
				}
				if named, ok := value.Type.(*ast.Ident); ok && named.Name != "string" {
					c.ofType[pkg+"."+named.Name] = append(c.ofType[pkg+"."+named.Name], text)
				} else if strings.Contains(text, ".") && !strings.ContainsAny(text, " %") && !strings.HasSuffix(text, "/") {
					keys[text] = true
				}
			}
		}
	}
	return nil
}
