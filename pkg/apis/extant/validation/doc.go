// Package validation says what is wrong with an object of the API group, as
// lists of field errors with paths, and warns of what is accepted but unwise.
// It looks at nothing but the object (and, for updates, the one before) and
// stands on the hub types and apimachinery.
package validation
